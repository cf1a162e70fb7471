#include "bench/event_texts.hpp"

#include <array>
#include <string_view>

namespace bench {
namespace {

constexpr std::array<std::string_view, 12> names = {
    "DescribeInstances", "RunInstances", "AssumeRole", "GetObject",    "PutObject",       "ConsoleSignin",
    "DescribeDisks",     "DeleteBucket", "ListUsers",  "CreatePolicy", "GetAccountAlias", "StopInstance"};

std::size_t below(std::mt19937_64& random, std::size_t limit) { return static_cast<std::size_t>(random() % limit); }

std::string hex(std::mt19937_64& random, std::size_t digits) {
  constexpr std::string_view alphabet = "0123456789ABCDEF";
  std::string out;
  for (std::size_t i = 0; i < digits; ++i) out += alphabet[below(random, alphabet.size())];
  return out;
}

// The number makes it unique whatever the seed draws.
std::string event_id(std::mt19937_64& random, std::uint64_t number) {
  return hex(random, 8) + "-" + hex(random, 4) + "-" + std::to_string(1'000'000'000 + number);
}

std::string event_time(std::uint64_t number) {
  const auto two = [](std::uint64_t value) { return (value < 10 ? "0" : "") + std::to_string(value); };
  return "2026-11-20T" + two(number / 3600 % 24) + ":" + two(number / 60 % 60) + ":" + two(number % 60) + "Z";
}

std::string member(std::string_view name, std::string_view token) {
  return "\"" + std::string(name) + "\":" + std::string(token);
}
std::string text_member(std::string_view name, std::string_view content) {
  return member(name, "\"" + std::string(content) + "\"");
}

// The content of a JSON string token as the content of one more string token.
std::string quoted_again(std::string_view json) {
  std::string out;
  for (const char c : json) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string instance_list(std::mt19937_64& random, std::size_t bytes) {
  std::string out = R"({"Instances":[)";
  while (out.size() < bytes) {
    if (out.back() != '[') out += ',';
    out += R"({"InstanceId":"i-bp1)" + hex(random, 16) + R"(","Memory":)" + std::to_string(1024 << below(random, 6)) +
           R"(,"Owner":)" + std::to_string(1'000'000'000'000'000 + below(random, 8'000'000'000'000'000)) +
           R"(,"Tags":[{"Key":"team","Value":"payments"}],"Running":true})";
  }
  return out + "]}";
}

// One string in JSON spelling, full of what readers get wrong.
std::string wild_content(std::mt19937_64& random, std::size_t pieces) {
  constexpr std::array<std::string_view, 16> wild = {
      R"(\")",           R"(\\)",       R"(\/)", R"(\b\f\n\r\t)", R"(\u0000)",    R"(\u4E2d\u6587)",
      R"(\ud83d\udE00)", "😀",          "中文",  "møller",        "\xef\xbf\xbd", R"(\\\")",
      "{[,:]}",          R"(\\\\\\\")", " ",     "plain words"};
  std::string out;
  for (std::size_t i = 0; i < pieces; ++i) out += wild[below(random, wild.size())];
  return out;
}

std::string deep_value(std::mt19937_64& random, std::size_t depth) {
  std::string open;
  std::string close;
  for (std::size_t i = 0; i < depth; ++i) {
    const bool array = below(random, 2) == 0;
    open += array ? "[ " : R"({"k\"]":)";
    close += array ? "]" : "}";
  }
  return open + "-1.50E+10" + std::string(close.rbegin(), close.rend());
}

}  // namespace

std::string small_event(std::mt19937_64& random, std::uint64_t number) {
  return "{" + text_member("eventId", event_id(random, number)) + "," +
         text_member("eventName", names[below(random, names.size())]) + "," +
         text_member("eventTime", event_time(number)) + "," +
         R"("eventVersion":"1","eventRW":"Read","eventType":"ApiCall","eventSource":"ecs.aliyuncs.com",)" +
         text_member("acsRegion", "cn-hangzhou") + "," + text_member("serviceName", "Ecs") + "," +
         text_member("requestId", hex(random, 24)) + "," +
         text_member("sourceIpAddress", "10.0." + std::to_string(below(random, 256)) + ".7") +
         R"(,"userIdentity":{"type":"ram-user","principalId":)" + std::to_string(2 + number % 7) + "00000000000000" +
         R"(,"userName":"alice"},"requestParameters":{"PageSize":50}})";
}

std::string large_event(std::mt19937_64& random, std::uint64_t number) {
  const std::string request = instance_list(random, 4'000);
  return "{" + text_member("eventId", event_id(random, number)) + "," +
         text_member("eventName", names[below(random, names.size())]) + "," +
         text_member("eventTime", event_time(number)) +
         R"(,"eventVersion":1,"isGlobal":false,"eventSource":"ecs.aliyuncs.com","serviceName":"Ecs",)" +
         member("requestParameters", request) + "," + text_member("requestParameterJson", quoted_again(request)) + "," +
         member("responseElements", instance_list(random, 20'000)) + "}";
}

std::string hostile_event(std::mt19937_64& random, std::uint64_t number) {
  std::string out = "{ " + text_member("eventId", event_id(random, number)) + "\t,\n" +
                    text_member("eventName", names[below(random, names.size())]) + " ,\r\n";
  if (below(random, 4) != 0) out += text_member("eventTime", event_time(number)) + ",";
  out += text_member("errorMessage", wild_content(random, 60)) + ",";
  out += text_member("userAgent", wild_content(random, 20)) + ",";
  out += text_member("requestParameterJson", quoted_again(quoted_again(R"({"a":"\"","b":[]})"))) + ",";
  out += member("requestParameters", deep_value(random, 20 + below(random, 80))) + ",";
  out += member("responseElements", below(random, 2) == 0 ? "\"not an object\"" : "[ ]") + ",";
  out += member("additionalEventData", below(random, 2) == 0 ? "null" : "0.1e-7") + ",";
  out += member("resourceName", below(random, 2) == 0 ? R"({"a" : [1 , 2]})" : "12345678901234567890") + ",";
  out += member("isGlobal", below(random, 2) == 0 ? "\"true\"" : "false") + ",";
  out += member("some.unknown \\\"key", "[" + deep_value(random, 10) + ", {}, [ ], \"\"]") + ",";
  out += member("userIdentity", R"({"name":")" + wild_content(random, 40) + "\"}");
  return out + "   }";
}

}  // namespace bench
