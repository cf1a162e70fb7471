// The Azure clouds: which one an ingestion endpoint belongs to, and what that cloud calls things.
#pragma once

#include <string_view>

namespace stages::azure {

struct cloud {
  std::string_view audience;   // whom the token is for; the scope is this and "/.default"
  std::string_view authority;  // where tokens are made
};

// By the suffix of the host. Hosts of no known cloud (a private link name, a test) are the public cloud's.
constexpr cloud cloud_of(std::string_view ingestion_host) {
  if (ingestion_host.ends_with(".monitor.azure.us")) {
    return {.audience = "https://monitor.azure.us", .authority = "https://login.microsoftonline.us"};
  }
  if (ingestion_host.ends_with(".monitor.azure.cn")) {
    return {.audience = "https://monitor.azure.cn", .authority = "https://login.chinacloudapi.cn"};
  }
  return {.audience = "https://monitor.azure.com", .authority = "https://login.microsoftonline.com"};
}

}  // namespace stages::azure
