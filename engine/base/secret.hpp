// A value that cannot be printed, compared in variable time or left behind in freed memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace engine {

class secret {
 public:
  secret() = default;
  explicit secret(std::string value);
  ~secret();
  secret(const secret&);
  secret& operator=(const secret&);
  secret(secret&&) noexcept;
  secret& operator=(secret&&) noexcept;

  // The only way to the bytes: greppable, and not implicit.
  [[nodiscard]] std::string_view reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  friend bool operator==(const secret&, const secret&);

 private:
  void wipe() noexcept;
  std::string value_;
};

}  // namespace engine
