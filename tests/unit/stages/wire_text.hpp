// What a body says, read by two gzip implementations that know nothing of ours; and texts that are hard to compress.
#pragma once

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "stages/types.hpp"

namespace stages::test {

// Every member whole, with the right CRC and size, and nothing after them; "" when not.
inline std::string gunzip_libdeflate(byte_view wire, std::size_t raw_bytes_max) {
  libdeflate_decompressor* state = libdeflate_alloc_decompressor();
  std::string out;
  while (!wire.empty()) {
    std::string member(raw_bytes_max, '\0');
    std::size_t read = 0;
    std::size_t wrote = 0;
    const auto status =
        libdeflate_gzip_decompress_ex(state, wire.data(), wire.size(), member.data(), member.size(), &read, &wrote);
    if (status != LIBDEFLATE_SUCCESS) {
      out.clear();
      break;
    }
    wire.remove_prefix(read);
    out.append(member, 0, wrote);
  }
  libdeflate_free_decompressor(state);
  return out;
}

inline std::string gunzip_zlib(byte_view wire) {
  std::string out;
  std::string piece(1 << 16, '\0');
  while (!wire.empty()) {
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(wire.data()));
    stream.avail_in = static_cast<uInt>(wire.size());
    int status = Z_OK;
    while (status == Z_OK) {
      stream.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream.avail_out = static_cast<uInt>(piece.size());
      status = inflate(&stream, Z_NO_FLUSH);
      out.append(piece, 0, piece.size() - stream.avail_out);
    }
    wire.remove_prefix(wire.size() - stream.avail_in);
    inflateEnd(&stream);
    if (status != Z_STREAM_END) return "";
  }
  return out;
}

inline std::string text_of(const body& whole) {
  if (!whole.gzip) return std::string(whole.wire.view());
  const std::string text = gunzip_libdeflate(whole.wire.view(), whole.raw_bytes);
  return text == gunzip_zlib(whole.wire.view()) ? text : "libdeflate and zlib differ";
}

inline std::string joined(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out.append(out.size() > 1 ? "," : "").append(text);
  return out + "]";
}

inline rows make_rows(const std::vector<std::string>& texts) {
  rows out;
  for (const std::string& text : texts) {
    out.text.append(",").append(text);
    out.refs.push_back(
        {.end = static_cast<std::uint32_t>(out.text.size()), .index = static_cast<std::uint32_t>(out.refs.size())});
  }
  return out;
}

inline void append_all(encoder& to, const rows& in) {
  std::vector<std::uint32_t> row_bytes;
  for (std::size_t i = 0; i < in.refs.size(); ++i) row_bytes.push_back(static_cast<std::uint32_t>(in.row(i).size()));
  to.append(in.text, row_bytes);
}

// What kinds of bytes a text is made of; encoders take any bytes for rows.
enum class texture { random_bytes, base64, one_byte, words, distant_copies, skewed, json, mixed };
inline constexpr texture textures[] = {texture::random_bytes,   texture::base64, texture::one_byte, texture::words,
                                       texture::distant_copies, texture::skewed, texture::json,     texture::mixed};

// An endless text of one texture, taken piece by piece.
class text_source {
 public:
  text_source(texture kind, std::uint64_t seed) : kind_(kind), random_(seed) {
    for (int i = 0; i < 4'000; ++i) words_.push_back(bytes(4 + below(4)));
  }
  std::string take(std::size_t size) {
    std::string out;
    while (out.size() < size) {
      const texture kind = kind_ == texture::mixed ? textures[below(7)] : kind_;
      put(kind, kind_ == texture::mixed ? std::min(size, out.size() + below(40'000)) : size, out);
    }
    out.resize(size);
    past_ += out;
    if (past_.size() > 200'000) past_.erase(0, past_.size() - 40'000);
    return out;
  }
  std::size_t below(std::size_t limit) { return random_() % limit; }

 private:
  void put(texture kind, std::size_t until, std::string& out) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while (out.size() < until) {
      switch (kind) {
        case texture::random_bytes:
          out += bytes(8);
          break;
        case texture::base64:
          out += alphabet[below(64)];
          break;
        case texture::one_byte:
          out.append(until - out.size(), 'a');
          break;
        case texture::words:
          out += words_[below(words_.size())];
          break;
        case texture::distant_copies: {
          // Matches of all lengths at all distances: the dearest tokens a compressor can hold.
          const std::string_view from = past_.size() > out.size() ? std::string_view(past_) : std::string_view(out);
          const std::size_t distance = 1 + below(32'000);
          if (from.size() < distance) {
            out += bytes(8);
          } else {
            out += std::string(from.substr(from.size() - distance, 4 + below(below(4) == 0 ? 255 : 8)));
          }
          break;
        }
        case texture::skewed:
          out += static_cast<char>(7 * std::countr_zero(random_() | 1ULL << 40));
          break;
        case texture::json:
        case texture::mixed:
          out += R"({"eventId":")" + std::to_string(random_()) + R"(","eventName":"DescribeInstances","n":)" +
                 std::to_string(below(1000)) + R"(,"requestParameters":{"RegionId":"cn-hangzhou","PageSize":100}})";
          break;
      }
    }
  }
  std::string bytes(std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += static_cast<char>(random_());
    return out;
  }

  texture kind_;
  std::mt19937_64 random_;
  std::vector<std::string> words_;
  std::string past_;
};

}  // namespace stages::test
