// The /status page of a running process, fetched and laid out for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock {

// nullopt when nothing answers there within two seconds.
std::optional<std::string> fetch_status_page(const std::string& host, std::uint16_t port);
// One line per logstore, aligned; the page's own text when it is not what we write.
std::string status_table(std::string_view json);

}  // namespace penstock
