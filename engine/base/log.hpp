// Structured log lines: a short fixed message and fields. No event body, key or token may ever be a field value.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace engine {

enum class log_level { debug, info, warn, error };
enum class log_format { text, json };

struct log_field {
  std::string_view key;
  std::string value;
  bool quoted = true;  // numbers and booleans are written bare in JSON

  log_field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  log_field(std::string_view k, std::string_view v) : key(k), value(v) {}
  log_field(std::string_view k, const char* v) : key(k), value(v) {}
  log_field(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), quoted(false) {}
  log_field(std::string_view k, double v);  // at most three decimals
  template <class N>
    requires std::is_integral_v<N>
  log_field(std::string_view k, N v) : key(k), value(std::to_string(v)), quoted(false) {}
};
using log_fields = std::initializer_list<log_field>;

// Thread-safe. Control characters in values are escaped, so a hostile text cannot forge a line.
class logger {
 public:
  virtual ~logger() = default;
  virtual void write(log_level, std::string_view message, log_fields) = 0;

  void debug(std::string_view message, log_fields fields = {}) { write(log_level::debug, message, fields); }
  void info(std::string_view message, log_fields fields = {}) { write(log_level::info, message, fields); }
  void warn(std::string_view message, log_fields fields = {}) { write(log_level::warn, message, fields); }
  void error(std::string_view message, log_fields fields = {}) { write(log_level::error, message, fields); }
};

// Lines to standard error. `capture`, when given, receives each finished line instead (tests, the live view).
std::unique_ptr<logger> make_logger(log_level minimum, log_format,
                                    std::function<void(std::string_view line)> capture = {});
std::unique_ptr<logger> make_null_logger();

}  // namespace engine
