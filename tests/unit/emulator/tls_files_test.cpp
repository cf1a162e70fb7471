#include "tools/emulator/tls_files.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>

namespace emulator {
namespace {

struct freed {
  void operator()(X509* x) const { X509_free(x); }
  void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
};

template <class T, class reader>
std::unique_ptr<T, freed> read_pem(const std::string& path, reader read) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return nullptr;
  std::unique_ptr<T, freed> object(read(file, nullptr, nullptr, nullptr));
  std::fclose(file);
  return object;
}

bool names_host(const X509& certificate, std::string_view wanted) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* text = static_cast<const char*>(static_cast<const void*>(ASN1_STRING_get0_data(name->d.dNSName)));
    if (std::string_view(text, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))) == wanted) return true;
  }
  return false;
}

TEST(tls_files, the_server_certificate_is_signed_by_the_authority_and_names_loopback) {
  const auto directory = std::filesystem::path(testing::TempDir()) / "penstock_tls_files_test" / "new";
  std::filesystem::remove_all(directory.parent_path());
  write_tls_files(directory.string());
  const auto authority = read_pem<X509>((directory / "ca.pem").string(), PEM_read_X509);
  const auto server = read_pem<X509>((directory / "cert.pem").string(), PEM_read_X509);
  const auto key = read_pem<EVP_PKEY>((directory / "key.pem").string(), PEM_read_PrivateKey);
  ASSERT_TRUE(authority && server && key);
  EXPECT_EQ(X509_verify(server.get(), X509_get0_pubkey(authority.get())), 1);
  EXPECT_EQ(X509_check_private_key(server.get(), key.get()), 1);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "::1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "127.0.0.2", 0), 0);
  EXPECT_EQ(X509_check_host(server.get(), "localhost", 0, 0, nullptr), 1);
  // OpenSSL itself takes no wildcard directly below a top-level name; other TLS libraries do.
  EXPECT_TRUE(names_host(*server, "*.localhost"));
  EXPECT_EQ(X509_check_host(server.get(), "example.com", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_cmp_current_time(X509_get0_notBefore(server.get())), -1);
  EXPECT_EQ(X509_cmp_current_time(X509_get0_notAfter(server.get())), 1);
  std::filesystem::remove_all(directory.parent_path());
}

TEST(tls_files, given_names_stand_in_the_certificate_in_full_up_to_the_limit) {
  const auto directory = std::filesystem::path(testing::TempDir()) / "penstock_tls_files_names_test";
  std::filesystem::remove_all(directory);
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= tls_names_max; ++i) names.push_back("project-" + std::to_string(i) + ".localhost");
  write_tls_files(directory.string(), names);
  const auto server = read_pem<X509>((directory / "cert.pem").string(), PEM_read_X509);
  ASSERT_TRUE(server);
  for (std::size_t i = 0; i < tls_names_max; ++i) {
    EXPECT_EQ(X509_check_host(server.get(), names[i].data(), names[i].size(), 0, nullptr), 1) << names[i];
  }
  EXPECT_EQ(X509_check_host(server.get(), names.back().data(), names.back().size(), 0, nullptr), 0);
  EXPECT_EQ(X509_check_host(server.get(), "localhost", 0, 0, nullptr), 1);
  std::filesystem::remove_all(directory);
}

TEST(tls_files, a_directory_that_cannot_be_made_is_an_error) {
  EXPECT_THROW(write_tls_files("/proc/nowhere/tls"), std::exception);
}

}  // namespace
}  // namespace emulator
