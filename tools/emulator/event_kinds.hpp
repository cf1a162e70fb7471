// The kinds of calls the generator makes up: what each puts into request, response and resources of an event. Shapes
// and oddities follow ../../docs/formats: dotted keys, keys with blanks and hyphens, JSON inside text, 16-digit
// numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "seeded_random.hpp"

namespace emulator {

// Names that come back from event to event, made once from the seed: what makes real events compressible.
struct event_pools {
  explicit event_pools(std::uint64_t seed);

  std::vector<std::string> addresses;
  std::vector<std::string> instances;
  std::vector<std::string> disks;
  std::vector<std::string> networks;
  std::vector<std::string> switches;
  std::vector<std::string> security_groups;
  std::vector<std::string> buckets;
  std::vector<std::string> keys;
  std::vector<std::string> access_keys;
  std::vector<std::string> clusters;
};

// What a kind is given.
struct event_setting {
  seeded_random& random;
  const event_pools& pools;
  std::string_view account;
  std::string_view region;
  std::string_view request_id;
  std::int64_t time_s;
};

// What it makes. The JSON texts are compact; empty means the member is absent.
struct event_body {
  std::string_view service;
  std::string_view api_version;
  std::string_view name;
  std::string_view access;  // Read, Write
  std::string_view type = "ApiCall";
  std::string_view category = "Management";
  std::string request;
  std::string response;
  std::string resources;
  std::string extra;          // additionalEventData
  std::string insight;        // insightDetails; set for Insight events, which have no call
  std::string resource_type;  // plain texts
  std::string resource_name;

  void clear();
};

void make_event_body(const event_setting&, event_body&);

// Pieces shared with the generator.
inline constexpr std::string_view lower_digits = "0123456789abcdefghijklmnopqrstuvwxyz";
void append_letters(std::string&, seeded_random&, std::size_t count, std::string_view alphabet = lower_digits);
void append_hex(std::string&, seeded_random&, std::size_t count, bool upper);
void append_uuid(std::string&, seeded_random&, bool upper);
void append_number(std::string&, std::uint64_t);
void append_time(std::string&, std::int64_t unix_s);           // YYYY-MM-DDThh:mm:ssZ
void append_json_string(std::string&, std::string_view text);  // with quotes; what needs no escape stays as it is

// Writes one JSON object into a string, member by member.
class object_writer {
 public:
  explicit object_writer(std::string& out) : out_(out) { out_ += '{'; }
  object_writer& text(std::string_view key, std::string_view value) {
    name(key);
    append_json_string(out_, value);
    return *this;
  }
  object_writer& token(std::string_view key, std::string_view json) {
    name(key);
    out_ += json;
    return *this;
  }
  object_writer& number(std::string_view key, std::uint64_t value) {
    name(key);
    append_number(out_, value);
    return *this;
  }
  object_writer& truth(std::string_view key, bool value) { return token(key, value ? "true" : "false"); }
  // The caller appends the value to the string itself.
  std::string& name(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += key;
    out_ += "\":";
    return out_;
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

template <class list>
const auto& pick(seeded_random& random, const list& from) {
  return from[static_cast<std::size_t>(random.below(std::size(from)))];
}

}  // namespace emulator
