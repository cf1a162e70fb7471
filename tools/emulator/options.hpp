// The command line of penstock-emulator as a value.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace emulator {

struct emulator_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::string port_file;
  std::string ready_file;
  std::string write_config;
  std::string format = "value";
  std::string tls_dir;
  std::string coordination = "none";
  std::string consumer_group;
  std::size_t accounts = 1;
  std::size_t logstores = 1;  // per account
  std::size_t shards = 1;     // per logstore
  std::size_t rules = 1;
  std::uint64_t events = 0;
  double event_rate = 0;
  double duplicate_rate = 0;
  std::string corpus;
  std::uint64_t seed = 1;
  std::string faults;  // JSON text
  std::size_t threads = 2;
  bool put_time_check = true;
  std::size_t reply_bytes = std::size_t{1} << 20U;
  std::int64_t first_time_s = 1'795'132'800;  // 2026-11-20T00:00:00Z
};

// What ends the program before it starts: a wrong command line (exit 2) or a wish for help (exit 0).
struct option_exit {
  int code = 2;
  std::string text;  // for stdout when code is 0, else for stderr
};

std::expected<emulator_options, option_exit> parse_options(const std::vector<std::string>& arguments);

}  // namespace emulator
