// Certificates for tests: an authority of its own and a server certificate for the loopback names.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace emulator {

// Names beyond 127.0.0.1, ::1, localhost and *.localhost; further ones are left out. A certificate is sent with every
// handshake: this many keep it under 4 kB.
inline constexpr std::size_t tls_names_max = 64;

// Writes ca.pem, cert.pem and key.pem (EC P-256, valid for a year) into the directory, which is made if missing. SAN:
// 127.0.0.1, ::1, localhost, *.localhost and the given names: OpenSSL, Python and Node match no wildcard directly below
// a top-level name, so PROJECT.localhost must be there in full. Throws std::runtime_error naming what failed.
void write_tls_files(const std::string& directory, const std::vector<std::string>& names = {});

}  // namespace emulator
