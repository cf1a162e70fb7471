#include "cloud_files.hpp"

#include "http_message.hpp"

namespace emulator {

namespace {

// Every text here is plain ASCII without control characters, for which JSON and YAML quoting agree.
std::string quoted(std::string_view text) { return json_quoted(text); }

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const auto& text : texts) list += (list.empty() ? "" : ", ") + quoted(text);
  return "[" + list + "]";
}

std::string destination_name(std::size_t i) { return "sentinel-" + std::to_string(i + 1); }

}  // namespace

std::string ready_json(const cloud_facts& facts) {
  std::string accounts;
  for (const auto& a : facts.alibaba.accounts()) {
    accounts += (accounts.empty() ? "" : ",") + (R"({"account":)" + quoted(a.id)) + R"(,"access_key_id":)" +
                quoted(a.access_key_id) + R"(,"access_key_secret":)" + quoted(a.access_key_secret) + R"(,"region":)" +
                quoted(a.region) + R"(,"project":)" + quoted(a.project) + R"(,"logstores":)" +
                quoted_list(a.logstores) + "}";
  }
  std::string rules;
  for (const auto& r : facts.azure.rules) {
    rules += (rules.empty() ? "" : ",") + (R"({"rule":)" + quoted(r.rule)) + R"(,"stream":)" + quoted(r.stream) + "}";
  }
  return R"({"url":)" + quoted(facts.url) + R"(,"ca_file":)" + quoted(facts.ca_file) + R"(,"accounts":[)" + accounts +
         R"(],"azure":{"tenant":)" + quoted(facts.azure.tenant) + R"(,"client_id":)" + quoted(facts.azure.client_id) +
         R"(,"client_secret":)" + quoted(facts.azure.client_secret) + R"(,"rules":[)" + rules + "]}}\n";
}

std::string config_yaml(const cloud_facts& facts, const emulator_options& options) {
  std::string text = "# For the test cloud at " + facts.url + ": its keys are worth nothing elsewhere.\nsources:\n";
  std::size_t number = 0;
  for (const auto& a : facts.alibaba.accounts()) {
    text += "  - account: " + quoted(a.id) + "\n";
    text += "    endpoint: " + facts.url + "\n";
    text += "    region: " + a.region + "\n";
    text += "    credentials: { type: access_key, access_key_id: " + quoted(a.access_key_id) +
            ", access_key_secret: " + quoted(a.access_key_secret) + " }\n";
    text += "    project: " + quoted(a.project) + "\n";
    text += "    logstores: " + quoted_list(a.logstores) + "\n";
    text += "    start: begin\n";
    text += "    to: " + destination_name(number % facts.azure.rules.size()) + "\n";
    text += "    coordination: " + options.coordination + "\n";
    if (options.coordination == "consumer_group")
      text += "    consumer_group: " + quoted(options.consumer_group) + "\n";
    ++number;
  }
  text += "destinations:\n";
  for (std::size_t i = 0; i < facts.azure.rules.size(); ++i) {
    text += "  - name: " + destination_name(i) + "\n";
    text += "    type: sentinel\n";
    text += "    endpoint: " + facts.url + "\n";
    text += "    authority: " + facts.url + "\n";
    text += "    rule: " + facts.azure.rules[i].rule + "\n";
    text += "    stream: " + facts.azure.rules[i].stream + "\n";
    text += "    format: " + options.format + "\n";
    text += "    credentials: { type: client_secret, tenant: " + quoted(facts.azure.tenant) +
            ", client_id: " + quoted(facts.azure.client_id) + ", client_secret: " + quoted(facts.azure.client_secret) +
            " }\n";
  }
  if (!facts.ca_file.empty()) text += "tls: { ca_file: " + quoted(facts.ca_file) + " }\n";
  return text += "state: { path: state.db }\n";
}

}  // namespace emulator
