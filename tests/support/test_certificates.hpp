// Certificates made on the spot: an authority and what it signs. Nothing is kept but a CA file, which goes with its
// owner.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace tests {

template <auto Free>
struct free_with {
  template <class T>
  void operator()(T* what) const {
    Free(what);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, free_with<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, free_with<X509_free>>;

struct identity {
  key_ptr key;
  certificate_ptr certificate;
};

struct validity {
  long from_s = -3600;  // relative to now
  long until_s = 24 * 3600;
};

inline key_ptr make_key() {
  key_ptr key(EVP_EC_gen("P-256"));
  if (key == nullptr) throw std::runtime_error("no key");
  return key;
}

inline void add_extension(X509* to, X509* issuer, int which, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, which, value.c_str());
  if (extension == nullptr) throw std::runtime_error("bad extension " + value);
  X509_add_ext(to, extension, -1);
  X509_EXTENSION_free(extension);
}

// A new authority each time: two of them do not trust each other.
class test_authority {
 public:
  test_authority() {
    self_.key = make_key();
    static int number = 0;
    self_.certificate = unsigned_certificate("test authority " + std::to_string(++number), *self_.key, {});
    X509* const raw = self_.certificate.get();
    X509_set_issuer_name(raw, X509_get_subject_name(raw));
    add_extension(raw, raw, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(raw, raw, NID_subject_key_identifier, "hash");
    X509_sign(raw, self_.key.get(), EVP_sha256());
    std::string pattern = (std::filesystem::temp_directory_path() / "test-ca-XXXXXX").string();
    const int file = mkstemp(pattern.data());
    if (file < 0) throw std::runtime_error("no temporary file");
    std::FILE* const stream = fdopen(file, "w");
    PEM_write_X509(stream, raw);
    std::fclose(stream);
    path_ = pattern;
  }
  ~test_authority() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  test_authority(const test_authority&) = delete;
  test_authority& operator=(const test_authority&) = delete;

  [[nodiscard]] const std::string& ca_file() const { return path_; }

  // `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1".
  [[nodiscard]] identity issue(const std::string& names, validity when = {}) const {
    identity made;
    made.key = make_key();
    made.certificate = unsigned_certificate("test server", *made.key, when);
    X509* const raw = made.certificate.get();
    X509_set_issuer_name(raw, X509_get_subject_name(self_.certificate.get()));
    add_extension(raw, self_.certificate.get(), NID_subject_alt_name, names);
    X509_sign(raw, self_.key.get(), EVP_sha256());
    return made;
  }

 private:
  static certificate_ptr unsigned_certificate(const std::string& name, EVP_PKEY& key, validity when) {
    static long serial = 0;
    certificate_ptr made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), when.from_s);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), when.until_s);
    const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_pubkey(made.get(), &key);
    return made;
  }

  identity self_;
  std::string path_;
};

}  // namespace tests
