// The Azure side of the test cloud: one tenant with one application, and the data collection rules it may send to.
// Follows from the seed alone, as the accounts do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace emulator {

struct collection_rule {
  std::string rule;  // immutable id: dcr- and 32 hex digits
  std::string stream;
};

struct azure_book {
  std::string tenant;
  std::string client_id;
  std::string client_secret;
  std::vector<collection_rule> rules;
};

azure_book make_azure_book(std::uint64_t seed, std::size_t rules);

}  // namespace emulator
