// Certificates for tests: an authority of its own and a server certificate for the loopback names.
#pragma once

#include <string>

namespace emulator {

// Writes ca.pem, cert.pem and key.pem (EC P-256, valid for a year) into the directory, which is made if missing. SAN:
// 127.0.0.1, ::1, localhost, *.localhost (which OpenSSL clients do not match: they want two labels below a wildcard).
// Throws std::runtime_error naming what failed.
void write_tls_files(const std::string& directory);

}  // namespace emulator
