#include "engine/base/log.hpp"

#include <charconv>
#include <cmath>
#include <mutex>

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "engine/base/units.hpp"
#include "engine/base/utf8.hpp"

namespace engine {
namespace {

// What could forge a line, move the cursor or reorder what a reader sees.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

enum class escaping { bare, quoted, json };

void append_escaped(std::string& out, std::string_view text, escaping how) {
  while (!text.empty()) {
    const code_point c = first_code_point(text);
    if (!c.valid) {
      if (how == escaping::json) {
        out += "\xef\xbf\xbd";
      } else {
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
      }
    } else if (c.value == '\n') {
      out += "\\n";
    } else if (c.value == '\r') {
      out += "\\r";
    } else if (c.value == '\t') {
      out += "\\t";
    } else if (is_control(c.value)) {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c.value));
    } else {
      if (c.value == '\\' || (c.value == '"' && how != escaping::bare)) out += '\\';
      out += text.substr(0, c.size);
    }
    text.remove_prefix(c.size);
  }
}

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  while (!value.empty()) {
    const code_point c = first_code_point(value);
    if (!c.valid || is_control(c.value) || c.value == ' ' || c.value == '"' || c.value == '=' || c.value == '\\')
      return true;
    value.remove_prefix(c.size);
  }
  return false;
}

std::string_view name_of(log_level level) {
  switch (level) {
    case log_level::debug:
      return "debug";
    case log_level::info:
      return "info";
    case log_level::warn:
      return "warn";
    case log_level::error:
      return "error";
  }
  return "unknown";
}

spdlog::level::level_enum to_spdlog(log_level level) {
  switch (level) {
    case log_level::debug:
      return spdlog::level::debug;
    case log_level::info:
      return spdlog::level::info;
    case log_level::warn:
      return spdlog::level::warn;
    case log_level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string text_body(log_level level, std::string_view message, log_fields fields) {
  std::string out(name_of(level));
  out += ' ';
  append_escaped(out, message, escaping::bare);
  for (const log_field& field : fields) {
    out += ' ';
    append_escaped(out, field.key, escaping::bare);
    out += '=';
    const bool quotes = needs_quotes(field.value);
    if (quotes) out += '"';
    append_escaped(out, field.value, quotes ? escaping::quoted : escaping::bare);
    if (quotes) out += '"';
  }
  return out;
}

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text, escaping::json);
  out += '"';
}

// JSON has no word for infinities and not-a-number; they become texts.
bool is_json_literal(std::string_view value) {
  if (value == "true" || value == "false") return true;
  return !value.empty() && value.find_first_not_of("0123456789.-+e") == std::string_view::npos;
}

std::string json_body(log_level level, std::string_view message, log_fields fields) {
  std::string out = "\"level\":\"";
  out += name_of(level);
  out += "\",\"msg\":";
  append_json_text(out, message);
  for (const log_field& field : fields) {
    out += ',';
    append_json_text(out, field.key);
    out += ':';
    if (!field.quoted && is_json_literal(field.value)) {
      out += field.value;
    } else {
      append_json_text(out, field.value);
    }
  }
  out += '}';
  return out;
}

std::string with_time(spdlog::log_clock::time_point at, log_format format, std::string_view body) {
  const std::string time = format_utc_millis(std::chrono::floor<std::chrono::milliseconds>(at));
  return format == log_format::json ? fmt::format("{{\"ts\":\"{}\",{}", time, body) : fmt::format("{} {}", time, body);
}

class line_formatter final : public spdlog::formatter {
 public:
  explicit line_formatter(log_format format) : format_(format) {}
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string line = with_time(message.time, format_, {message.payload.data(), message.payload.size()});
    out.append(line.data(), line.data() + line.size());
    out.push_back('\n');
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<line_formatter>(format_);
  }

 private:
  log_format format_;
};

class capture_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  capture_sink(log_format format, std::function<void(std::string_view)> capture) : format_(format), capture_(capture) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    capture_(with_time(message.time, format_, {message.payload.data(), message.payload.size()}));
  }
  void flush_() override {}

 private:
  log_format format_;
  std::function<void(std::string_view)> capture_;
};

class spdlog_logger final : public logger {
 public:
  spdlog_logger(log_level minimum, log_format format, spdlog::sink_ptr sink)
      : format_(format), inner_("penstock", std::move(sink)) {
    inner_.set_level(to_spdlog(minimum));
    inner_.flush_on(spdlog::level::debug);  // whoever reads the file sees the line before the crash
  }
  void write(log_level level, std::string_view message, log_fields fields) override {
    if (!inner_.should_log(to_spdlog(level))) return;
    const std::string body =
        format_ == log_format::json ? json_body(level, message, fields) : text_body(level, message, fields);
    inner_.log(to_spdlog(level), spdlog::string_view_t(body.data(), body.size()));
  }

 private:
  log_format format_;
  spdlog::logger inner_;
};

class null_logger final : public logger {
 public:
  void write(log_level, std::string_view, log_fields) override {}
};

}  // namespace

log_field::log_field(std::string_view k, double v) : key(k), quoted(false) {
  char digits[64];
  const double rounded = std::round(v * 1e3) / 1e3;
  // A million is written 1000000, not 1e+06; beyond 2^53 counts are not exact anyway, and would not fit for ever.
  const auto end = std::abs(rounded) < 0x1p53
                       ? std::to_chars(digits, digits + sizeof digits, rounded, std::chars_format::fixed)
                       : std::to_chars(digits, digits + sizeof digits, rounded);
  value.assign(digits, end.ptr);
}

std::unique_ptr<logger> make_logger(log_level minimum, log_format format,
                                    std::function<void(std::string_view line)> capture) {
  if (capture != nullptr) {
    return std::make_unique<spdlog_logger>(minimum, format, std::make_shared<capture_sink>(format, capture));
  }
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink->set_formatter(std::make_unique<line_formatter>(format));
  return std::make_unique<spdlog_logger>(minimum, format, std::move(sink));
}

std::unique_ptr<logger> make_null_logger() { return std::make_unique<null_logger>(); }

}  // namespace engine
