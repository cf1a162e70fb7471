// The service's error answers: HTTP status, error code, text.
#pragma once

#include <expected>
#include <string>

namespace emulator::sls {

struct sls_error {
  int status = 400;
  std::string code;
  std::string message;
};

template <class T>
using outcome = std::expected<T, sls_error>;

inline std::unexpected<sls_error> refuse(int status, std::string code, std::string message) {
  return std::unexpected(sls_error{status, std::move(code), std::move(message)});
}

}  // namespace emulator::sls
