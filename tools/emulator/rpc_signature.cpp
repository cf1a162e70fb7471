#include "rpc_signature.hpp"

#include <algorithm>

#include "digests.hpp"
#include "sls/cursor.hpp"

namespace emulator {

namespace {

// RFC 3986: everything but letters, digits and - _ . ~
std::string encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (plain.find(c) != plain.npos) {
      out += c;
    } else {
      out += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return out;
}

}  // namespace

std::string rpc_string_to_sign(std::string_view method, rpc_parameters parameters) {
  std::erase_if(parameters, [](const auto& one) { return one.first == "Signature"; });
  std::ranges::sort(parameters);
  std::string joined;
  for (const auto& [name, value] : parameters) {
    if (!joined.empty()) joined += '&';
    joined += encoded(name) + '=' + encoded(value);
  }
  return std::string(method) + "&%2F&" + encoded(joined);
}

std::string rpc_signature(std::string_view method, rpc_parameters parameters, std::string_view secret) {
  return sls::base64(hmac_sha1(std::string(secret) + "&", rpc_string_to_sign(method, std::move(parameters))));
}

}  // namespace emulator
