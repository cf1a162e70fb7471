#include "engine/base/digest.hpp"

#include <gtest/gtest.h>

namespace engine {
namespace {

TEST(digest, equals_the_published_vectors_of_sha256_and_md5) {
  EXPECT_EQ(to_hex(view_of(sha256(""))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(view_of(sha256("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(view_of(md5(""))), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(to_hex_upper(view_of(md5("abc"))), "900150983CD24FB0D6963F7D28E17F72");
}

TEST(digest, equals_the_published_vectors_of_hmac) {  // RFC 2202 and RFC 4231, case 2
  EXPECT_EQ(to_hex(view_of(hmac_sha1("Jefe", "what do ya want for nothing?"))),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(to_hex(view_of(hmac_sha256("Jefe", "what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(digest, takes_empty_keys_and_messages_of_hmac) {
  EXPECT_EQ(to_hex(view_of(hmac_sha256("", ""))), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_EQ(to_hex(view_of(hmac_sha256({}, {}))), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_EQ(to_hex(view_of(hmac_sha1({}, {}))), "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

TEST(digest, writes_every_byte_as_two_hex_digits) {
  EXPECT_EQ(to_hex(std::string_view("\x00\x0f\xf0\xff", 4)), "000ff0ff");
  EXPECT_EQ(to_hex_upper(std::string_view("\x00\x0f\xf0\xff", 4)), "000FF0FF");
  EXPECT_EQ(to_hex(""), "");
}

TEST(digest, writes_base64_with_padding) {  // RFC 4648 §10
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(to_base64(std::string_view("\xfb\xff\xbf", 3)), "+/+/");
}

TEST(digest, reads_base64_with_and_without_padding) {
  EXPECT_EQ(from_base64(""), "");
  EXPECT_EQ(from_base64("Zg=="), "f");
  EXPECT_EQ(from_base64("Zg"), "f");
  EXPECT_EQ(from_base64("Zm8="), "fo");
  EXPECT_EQ(from_base64("Zm8"), "fo");
  EXPECT_EQ(from_base64("Zm9v"), "foo");
  EXPECT_EQ(from_base64("+/+/"), std::string("\xfb\xff\xbf"));
}

TEST(digest, refuses_what_is_not_base64) {
  for (const char* text : {"Z", "Zm9vY", "Zg=", "Zg===", "Zm9v=", "Zm9v====", "=", "====", "Z===", "Zg==Zg==", "Zm 9v",
                           "Zm9v\n", "-_-_", "Zm9*"}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

TEST(digest, reads_back_every_size_it_writes) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    bytes += static_cast<char>(i * 37 % 256);
  }
}

}  // namespace
}  // namespace engine
