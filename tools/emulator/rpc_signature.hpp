// The signature of Alibaba Cloud's RPC calls (version 1.0, HMAC-SHA1): sls api document, 10.1.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace emulator {

using rpc_parameters = std::vector<std::pair<std::string, std::string>>;

// parameters: those of query and form together, decoded, in any order; one named Signature is left out.
[[nodiscard]] std::string rpc_string_to_sign(std::string_view method, rpc_parameters parameters);
[[nodiscard]] std::string rpc_signature(std::string_view method, rpc_parameters parameters, std::string_view secret);

}  // namespace emulator
