// The seeded generator: assembles events around what event_kinds.cpp makes up.
#include <array>

#include "event_kinds.hpp"
#include "event_source.hpp"

namespace emulator {

namespace {

constexpr std::uint64_t events_per_second = 16;  // of event time, for one account

constexpr std::array<std::string_view, 15> agents = {
    "AlibabaCloud (Linux; amd64) Java/1.8.0_372-b07 Core/4.6.3 HTTPClient/ApacheHttpClient",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 "
    "Edg/125.0.0.0",
    "AlibabaCloud (linux; amd64) Golang/1.21.5 Core/0.0.1 TeaDSL/1 Terraform/1.5.7",
    "aliyun-cli/3.0.181 (Linux; x86_64)",
    "AlibabaCloud API Workbench",
    "python-requests/2.31.0",
    "AliyunConsole",
    "Go-http-client/2.0",
    "alicloud-csi/v1.26.2 kubernetes",
    "AlibabaCloud (Linux 5.10; x86_64) Python/3.10.12 Core/2.13.36 python-requests/2.28.1",
    "ecs.aliyuncs.com",
    "actiontrail.aliyuncs.com",
    "",
    "oss.aliyuncs.com"};

constexpr std::array<std::string_view, 12> users = {
    "alice.wang", "bob.chen",   "ci-deployer",    "terraform-runner", "张伟",   "李娜",
    "jenkins",    "svc-backup", "readonly-audit", "møller",           "finops", "dev.team+1@example.com"};

constexpr std::array<std::string_view, 7> error_codes = {
    "NoPermission", "InvalidParameter", "Forbidden.RAM", "Forbbiden", "Throttling.User", "InvalidAccessKeyId.NotFound",
    "202"};
constexpr std::array<std::string_view, 4> error_texts = {
    "You are not authorized to do this action. You should be authorized by RAM.",
    "The specified parameter \"InstanceIds\" is not valid.", "请求被限流 Request was denied due to user flow control.",
    "User not authorized to operate on the specified resource, or this API doesn't support RAM."};

// A top-level member: its text is a slice of the scratch text, so that the order can change at the end.
struct slice {
  std::size_t from;
  std::size_t to;
};

// Everything one event needs, kept per thread so that making one allocates only its result.
struct workshop {
  event_body body;
  std::string scratch;
  std::string request_id;
  std::vector<slice> members;
};

class member_writer {
 public:
  explicit member_writer(workshop& in) : in_(in) {
    in_.scratch.clear();
    in_.members.clear();
  }
  // The caller appends the value; the member ends where the next begins.
  std::string& begin(std::string_view key) {
    end();
    open_ = true;
    in_.members.push_back({in_.scratch.size(), 0});
    in_.scratch += '"';
    in_.scratch += key;
    in_.scratch += "\":";
    return in_.scratch;
  }
  void text(std::string_view key, std::string_view value) { append_json_string(begin(key), value); }
  void token(std::string_view key, std::string_view json) { begin(key) += json; }
  void object(std::string_view key, std::string_view json) {
    if (!json.empty()) token(key, json);
  }
  void end() {
    if (open_) in_.members.back().to = in_.scratch.size();
    open_ = false;
  }

 private:
  workshop& in_;
  bool open_ = false;
};

bool chance(seeded_random& random, unsigned percent) { return random.below(100) < percent; }
bool rarely(seeded_random& random) { return random.below(500) == 0; }

void append_session(object_writer& identity, seeded_random& random, std::int64_t time_s) {
  std::string& out = identity.name("sessionContext");
  out += R"({"attributes":{"mfaAuthenticated":)";
  out += chance(random, 50) ? R"("true")" : R"("false")";
  if (chance(random, 90)) {
    out += R"(,"creationDate":")";
    append_time(out, time_s - static_cast<std::int64_t>(random.below(7200)));
    out += '"';
  }
  out += "}}";
}

void append_identity(std::string& out, const event_setting& in) {
  seeded_random& random = in.random;
  const std::uint64_t draw = random.below(100);
  object_writer identity(out);
  if (draw < 44) {
    identity.text("type", "ram-user")
        .text("principalId", "2" + std::string(in.account) + "1")
        .text("accountId", in.account);
    identity.text("userName", pick(random, users));
    if (chance(random, 70)) identity.text("accessKeyId", pick(random, in.pools.access_keys));
    if (chance(random, 50)) append_session(identity, random, in.time_s);
  } else if (draw < 82) {
    std::string session = "session-";
    append_letters(session, random, 8);
    std::string key = "STS.N";
    append_letters(key, random, 24, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    identity.text("type", "assumed-role").text("principalId", "3" + std::string(in.account) + "1:" + session);
    identity.text("accountId", in.account).text("userName", "TerraformDeployRole:" + session).text("accessKeyId", key);
    append_session(identity, random, in.time_s);
  } else if (draw < 92) {
    identity.text("type", "root-account")
        .text("principalId", in.account)
        .text("accountId", in.account)
        .text("userName", "root");
    identity.text("accessKeyId", "");
    append_session(identity, random, in.time_s);
  } else if (draw < 96) {
    identity.text("type", "saml-user").text("accountId", in.account);
    identity.text("userName", std::string(pick(random, users)) + "@corp.example.com");
  } else {
    identity.text("type", "system").text("userName", "ecs.aliyuncs.com");
  }
  identity.end();
}

// Ids are mostly UUIDs, but OSS and sign-ins have their own forms; each is unique by its random part.
void append_event_id(std::string& out, seeded_random& random, std::string_view service, std::int64_t time_s) {
  if (service == "Oss") return append_hex(out, random, 24, true);
  if (service == "AasSub") {
    out += "1.167_";
    append_number(out, static_cast<std::uint64_t>(time_s) * 1000 + random.below(1000));
    out += '_';
    return append_hex(out, random, 16, false);
  }
  append_uuid(out, random, chance(random, 50));
}

void write_errors(member_writer& to, seeded_random& random, std::string_view type) {
  const std::uint64_t draw = random.below(100);
  if (draw < 8) {
    to.text("errorCode", pick(random, error_codes));
    to.text("errorMessage", pick(random, error_texts));
  } else if (draw < 12) {
    to.text("errorCode", "");
  } else if (draw < 15) {
    to.text("errorCode", "null");
  } else if (draw < 18) {
    to.token("errorCode", "null");
    to.token("errorMessage", "null");
  }
  if (draw >= 18 && type == "ConsoleSignin") to.text("errorMessage", "success");
}

void write_time(member_writer& to, seeded_random& random, std::int64_t time_s) {
  if (rarely(random)) return;  // TimeGenerated is then the log time
  std::string& out = to.begin("eventTime");
  out += '"';
  append_time(out, time_s);
  if (rarely(random)) {
    out.pop_back();
    out += '.';
    append_number(out, 100 + random.below(900));
    out += "+0000";
  }
  out += '"';
}

void write_call(member_writer& to, const event_setting& in, workshop& shop) {
  seeded_random& random = in.random;
  const event_body& body = shop.body;
  to.text("eventName", body.name);
  to.text("eventRW", body.access);
  std::string& source = to.begin("eventSource");
  if (body.service == "AasCustomer") {
    source += R"("http://account.aliyun.com/login/login_aliyun.htm")";
  } else {
    source += '"';
    for (const char c : body.service) source += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    source.append(".").append(in.region).append(".aliyuncs.com\"");
  }
  to.text("serviceName", body.service);
  to.text("apiVersion", body.api_version);
  to.object("requestParameters", body.request);
  if (!body.request.empty() && chance(random, 85)) append_json_string(to.begin("requestParameterJson"), body.request);
  to.object("responseElements", body.response);
  to.object("referencedResources", body.resources);
  if (!body.resource_type.empty()) {
    to.text("resourceType", body.resource_type);
    if (rarely(random)) {
      to.token("resourceName", R"(["first","second"])");  // a list where a text is usual
    } else {
      to.text("resourceName", body.resource_name);
    }
  }
  write_errors(to, random, body.type);
}

void write_extra(member_writer& to, const event_setting& in, const event_body& body) {
  seeded_random& random = in.random;
  if (!body.extra.empty()) return to.token("additionalEventData", body.extra);
  if (!chance(random, 75)) return;
  object_writer extra(to.begin("additionalEventData"));
  extra.text("Scheme", "https").text("CallerBid", chance(random, 50) ? "26842" : "26888");
  extra.token("tlsDetails",
              R"({"tlsVersion":"TLSv1.2","cipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","keyExchange":"X25519"})");
  extra.text("networkType", chance(random, 50) ? "internet" : "vpc").end();
}

void write_event(const event_setting& in, workshop& shop) {
  seeded_random& random = in.random;
  make_event_body(in, shop.body);
  const event_body& body = shop.body;
  member_writer to(shop);

  std::string& id = to.begin("eventId");
  id += '"';
  append_event_id(id, random, body.service, in.time_s);
  id += '"';
  to.token("eventVersion", chance(random, 60) ? R"("1")" : "1");
  to.text("eventType", body.type);
  to.text("eventCategory", body.category);
  write_time(to, random, in.time_s);
  to.text("acsRegion", in.region);
  to.text("requestId", in.request_id);
  if (body.insight.empty()) {
    write_call(to, in, shop);
    to.text("sourceIpAddress", chance(random, 93) ? std::string_view(pick(random, in.pools.addresses)) : "Internal");
    to.text("userAgent", pick(random, agents));
    if (body.type != "AliyunServiceEvent" || chance(random, 50)) append_identity(to.begin("userIdentity"), in);
    write_extra(to, in, body);
  } else {
    to.token("insightDetails", body.insight);
    std::string& shared = to.begin("sharedEventId");
    shared += '"';
    append_uuid(shared, random, false);
    shared += '"';
  }
  to.text("recipientAccountId", in.account);
  if (chance(random, 60)) to.token("isGlobal", rarely(random) ? R"("true")" : body.service == "Ram" ? "true" : "false");
  if (chance(random, 30)) to.text("vpcId", pick(random, in.pools.networks));
  if (chance(random, 4)) to.token("eventAttributes", R"({"SensitiveAction":"true"})");
  if (chance(random, 3)) to.text("extend", "2");
  // A name cut in the middle of a surrogate pair, as ActionTrail does with long texts.
  if (rarely(random)) to.token("__expanded", R"({"note":"cut \ud83d"})");
  to.end();
}

void shuffle(std::vector<slice>& members, seeded_random& random) {
  for (std::size_t i = members.size(); i > 1; --i) {
    std::swap(members[i - 1], members[static_cast<std::size_t>(random.below(i))]);
  }
}

// What is not ASCII becomes \uXXXX. text is UTF-8 of our own making.
std::string ascii_only(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  const auto append_unit = [&](unsigned unit) {
    out += {'\\', 'u', digits[unit >> 12U], digits[unit >> 8U & 15U], digits[unit >> 4U & 15U], digits[unit & 15U]};
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      out += text[i++];
      continue;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    unsigned point = lead & (0x7fU >> length);
    for (std::size_t j = 1; j < length; ++j) point = point << 6U | (static_cast<unsigned char>(text[i + j]) & 0x3fU);
    if (point >= 0x10000) {
      append_unit(0xd800 + ((point - 0x10000) >> 10U));
      append_unit(0xdc00 + ((point - 0x10000) & 0x3ffU));
    } else {
      append_unit(point);
    }
    i += length;
  }
  return out;
}

class generator final : public event_source {
 public:
  generator(std::uint64_t seed, std::int64_t first_time_s) : seed_(seed), first_time_s_(first_time_s), pools_(seed) {}

  event_record make(std::string_view account_id, std::uint64_t index) const override {
    constexpr std::array<std::string_view, 8> regions = {"cn-hangzhou", "cn-hangzhou",    "cn-hangzhou",
                                                         "cn-shanghai", "ap-southeast-1", "eu-central-1",
                                                         "us-west-1",   "cn-hongkong"};
    thread_local workshop shop;
    seeded_random random(seed_for(seed_, account_id) ^ seeded_random(index).next());
    const auto time_s = first_time_s_ + static_cast<std::int64_t>(index / events_per_second);
    shop.request_id.clear();
    append_uuid(shop.request_id, random, true);
    write_event({random, pools_, account_id, pick(random, regions), shop.request_id, time_s}, shop);
    if (chance(random, 30)) shuffle(shop.members, random);

    std::string text;
    text.reserve(shop.scratch.size() + shop.members.size() + 2);
    text += '{';
    for (const slice& one : shop.members) {
      if (text.size() > 1) text += ',';
      text.append(shop.scratch, one.from, one.to - one.from);
    }
    text += '}';
    if (chance(random, 25)) text = ascii_only(text);
    return {std::move(text), time_s};
  }

 private:
  const std::uint64_t seed_;
  const std::int64_t first_time_s_;
  const event_pools pools_;
};

}  // namespace

std::unique_ptr<event_source> make_generator(std::uint64_t seed, std::int64_t first_time_s) {
  return std::make_unique<generator>(seed, first_time_s);
}

}  // namespace emulator
