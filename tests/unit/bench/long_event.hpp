// An event with one member as long as the test wants it.
#pragma once

#include <string>
#include <string_view>

namespace bench_tests {

inline std::string event_with(std::string_view id, std::string_view member, std::size_t bytes) {
  return R"({"eventId":")" + std::string(id) + R"(","eventName":"RunInstances",")" + std::string(member) +
         R"(":{"a":")" + std::string(bytes, 'x') + "\"}}";
}

}  // namespace bench_tests
