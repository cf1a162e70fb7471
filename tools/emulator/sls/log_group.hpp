// The LogGroup encoding: written for generated events, read to check what PutLogs brings and to answer GetLogs.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace emulator::sls {

struct log_entry {
  std::int64_t time_s = 0;
  std::optional<std::uint32_t> time_ns;
  std::vector<std::pair<std::string_view, std::string_view>> contents;
};

// Views point into the serialized bytes it was read from.
struct log_group {
  std::string_view topic;
  std::string_view source;
  std::vector<std::pair<std::string_view, std::string_view>> tags;
  std::vector<log_entry> logs;
};

// What is wrong is a text naming the first bad field.
std::expected<log_group, std::string> read_log_group(std::string_view bytes);

// Builds one serialized group log by log.
class log_group_writer {
 public:
  void add_log(std::int64_t time_s, std::optional<std::uint32_t> time_ns, std::string_view key, std::string_view value);
  [[nodiscard]] std::size_t logs() const { return logs_; }
  // Ends the group and begins the next.
  std::string finish(std::string_view topic, std::string_view source,
                     const std::vector<std::pair<std::string, std::string>>& tags);

 private:
  std::string bytes_;
  std::size_t logs_ = 0;
};

// A field of wire type 2: tag byte, length, bytes. In a LogGroupList each group stands as append_field(list, 0x0a,
// group).
void append_field(std::string& to, char tag, std::string_view bytes);

}  // namespace emulator::sls
