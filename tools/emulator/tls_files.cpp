#include "tls_files.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <memory>
#include <ranges>
#include <stdexcept>

#include "renamed_file.hpp"

namespace emulator {

namespace {

template <auto free>
struct freed_by {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;

constexpr long valid_s = 365L * 86'400;
constexpr long backdated_s = 86'400;  // machines whose clocks differ a little still accept it

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("OpenSSL failed: ") + what);
}

key_ptr make_key() {
  key_ptr key(EVP_EC_gen("P-256"));
  require(key != nullptr, "key generation");
  return key;
}

void add_extension(X509* to, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  const extension_ptr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  require(extension != nullptr && X509_add_ext(to, extension.get(), -1) == 1, value);
}

certificate_ptr make_certificate(EVP_PKEY* key, const std::string& name) {
  certificate_ptr certificate(X509_new());
  require(certificate != nullptr, "X509_new");
  X509* x = certificate.get();
  unsigned char serial[15];
  require(RAND_bytes(serial, sizeof serial) == 1, "serial number");
  const std::unique_ptr<BIGNUM, freed_by<BN_free>> number(BN_bin2bn(serial, sizeof serial, nullptr));
  require(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x)) != nullptr, "serial number");
  X509_set_version(x, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(x), -backdated_s);
  X509_gmtime_adj(X509_getm_notAfter(x), valid_s);
  X509_set_pubkey(x, key);
  const auto* text = static_cast<const unsigned char*>(static_cast<const void*>(name.data()));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, text, static_cast<int>(name.size()), -1, 0);
  return certificate;
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const bio_ptr bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_X509(bio.get(), certificate) == 1, "writing a certificate");
  return text_of(bio.get());
}

std::string pem_of(EVP_PKEY* key) {
  const bio_ptr bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "writing a key");
  return text_of(bio.get());
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string list = "IP:127.0.0.1,IP:::1,DNS:localhost,DNS:*.localhost";
  for (const auto& name : names | std::views::take(tls_names_max)) list += ",DNS:" + name;
  return list;
}

}  // namespace

void write_tls_files(const std::string& directory, const std::vector<std::string>& names) {
  const auto authority_key = make_key();
  const auto authority = make_certificate(authority_key.get(), "Penstock emulator test authority");
  X509_set_issuer_name(authority.get(), X509_get_subject_name(authority.get()));
  add_extension(authority.get(), authority.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(authority.get(), authority.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(authority.get(), authority.get(), NID_subject_key_identifier, "hash");
  require(X509_sign(authority.get(), authority_key.get(), EVP_sha256()) > 0, "signing the authority");

  const auto server_key = make_key();
  const auto server = make_certificate(server_key.get(), "localhost");
  X509_set_issuer_name(server.get(), X509_get_subject_name(authority.get()));
  add_extension(server.get(), authority.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(server.get(), authority.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(server.get(), authority.get(), NID_ext_key_usage, "serverAuth");
  add_extension(server.get(), authority.get(), NID_subject_key_identifier, "hash");
  add_extension(server.get(), authority.get(), NID_authority_key_identifier, "keyid");
  add_extension(server.get(), authority.get(), NID_subject_alt_name, alternative_names(names).c_str());
  require(X509_sign(server.get(), authority_key.get(), EVP_sha256()) > 0, "signing the server certificate");

  std::filesystem::create_directories(directory);
  write_renamed(directory + "/ca.pem", pem_of(authority.get()));
  write_renamed(directory + "/cert.pem", pem_of(server.get()));
  write_renamed(directory + "/key.pem", pem_of(server_key.get()));
}

}  // namespace emulator
