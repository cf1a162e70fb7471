// Operations on consumer groups.
#include "../json_value.hpp"
#include "service.hpp"

namespace emulator::sls {

namespace {

using kind = json_value::kind;

std::unexpected<sls_error> bad_json(std::string text) { return refuse(400, "JsonInfoInvalid", std::move(text)); }

struct group_body {
  std::string name;
  std::optional<std::chrono::seconds> timeout;
  std::optional<bool> order;
};

outcome<group_body> read_group(const request& r) {
  const auto body = parse_json(r.body);
  if (!body || !body->is(kind::object)) return bad_json("the body must be a JSON object");
  group_body group;
  if (const auto* name = body->find("consumerGroup"); name != nullptr && name->is(kind::string))
    group.name = name->text;
  if (const auto* timeout = body->find("timeout")) {
    const auto seconds = timeout->integer();
    if (!seconds || *seconds <= 0) return bad_json("timeout must be a positive whole number");
    group.timeout = std::chrono::seconds(*seconds);
  }
  if (const auto* order = body->find("order")) {
    if (!order->is(kind::boolean)) return bad_json("order must be true or false");
    group.order = order->truth;
  }
  return group;
}

outcome<response> empty_or(outcome<void> done) {
  if (!done) return std::unexpected(done.error());
  return response{};
}

outcome<response> create(logstore& holder, const request& r) {
  const auto group = read_group(r);
  if (!group) return std::unexpected(group.error());
  if (group->name.empty()) return bad_json("consumerGroup must be given");
  return empty_or(holder.create_group(group->name, group->timeout.value_or(std::chrono::seconds(60)),
                                      group->order.value_or(false)));
}

response list(const logstore& holder) {
  std::string groups;
  for (const auto& g : holder.groups()) {
    groups += (groups.empty() ? "" : ",") + (R"({"name":)" + json_quoted(g.name)) + R"(,"timeout":)" +
              std::to_string(g.timeout.count()) + R"(,"order":)" + (g.order ? "true" : "false") + "}";
  }
  return json_answer("[" + groups + "]");
}

outcome<response> list_checkpoints(logstore& holder, std::string_view group, const request& r) {
  std::optional<std::int64_t> only;
  if (r.has_query("shard")) {
    only = whole_number(r.query_value("shard"));
    if (!only) return refuse(400, "ParameterInvalid", "shard must be a number");
  }
  const auto all = holder.checkpoints(group, only);
  if (!all) return std::unexpected(all.error());
  std::string text;
  for (const auto& done : *all) {
    text += (text.empty() ? "" : ",") + (R"({"shard":)" + std::to_string(done.shard)) + R"(,"checkpoint":)" +
            json_quoted(done.checkpoint) + R"(,"updateTime":)" + std::to_string(done.update_time_us) +
            R"(,"consumer":)" + json_quoted(done.consumer) + "}";
  }
  return json_answer("[" + text + "]");
}

}  // namespace

outcome<response> service::on_groups(const call& c) {
  const auto& method = c.r.method;
  if (c.path.size() == 3) {
    if (method == "POST") return create(*c.holder, c.r);
    if (method == "GET") return list(*c.holder);
    return refuse(405, "InvalidMethod", "method is not allowed here: " + method);
  }
  const auto& name = c.path[3];
  if (method == "GET") return list_checkpoints(*c.holder, name, c.r);
  if (method == "DELETE") return empty_or(c.holder->delete_group(name));
  if (method == "PUT") {
    const auto group = read_group(c.r);
    if (!group) return std::unexpected(group.error());
    return empty_or(c.holder->update_group(name, group->timeout, group->order));
  }
  if (method != "POST") return refuse(405, "InvalidMethod", "method is not allowed here: " + method);
  const auto type = c.r.query_value("type");
  if (type == "heartbeat") return heartbeat(c, name);
  if (type == "checkpoint") return checkpoint(c, name);
  return refuse(400, "ParameterInvalid", "type must be heartbeat or checkpoint");
}

outcome<response> service::heartbeat(const call& c, std::string_view group) {
  const auto consumer = c.r.query_value("consumer");
  if (consumer.empty()) return refuse(400, "ParameterInvalid", "consumer must be given");
  const auto body = parse_json(c.r.body);
  if (!body || !body->is(kind::array)) return bad_json("the body must be a JSON array of shard ids");
  std::vector<std::int64_t> working_on;
  for (const auto& item : body->items) {
    const auto id = item.integer();
    if (!id) return bad_json("the body must be a JSON array of shard ids");
    working_on.push_back(*id);
  }
  const auto held = c.holder->heartbeat(group, consumer, working_on, c.now);
  if (!held) return std::unexpected(held.error());
  std::string list;
  for (const auto id : *held) list += (list.empty() ? "" : ",") + std::to_string(id);
  return json_answer("[" + list + "]");
}

outcome<response> service::checkpoint(const call& c, std::string_view group) {
  const auto forced = c.r.query_value("forceSuccess");
  const bool force = forced == "true" || forced == "True";
  const auto body = parse_json(c.r.body);
  const auto* shard = body ? body->find("shard") : nullptr;
  const auto* cursor = body ? body->find("checkpoint") : nullptr;
  if (shard == nullptr || !shard->integer() || cursor == nullptr || !cursor->is(kind::string)) {
    return bad_json(R"(the body must be {"shard":ID,"checkpoint":"CURSOR"})");
  }
  return empty_or(
      c.holder->checkpoint(group, c.r.query_value("consumer"), *shard->integer(), cursor->text, force, c.now));
}

}  // namespace emulator::sls
