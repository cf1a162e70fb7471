// What has arrived already on a TLS stream whose socket is non-blocking: an awaited read ends with each record of 16
// KiB, and waiting for the next one, which is there, costs more than decrypting it.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cstddef>

#include "engine/base/units.hpp"

namespace engine {

// One peer that sends as fast as it is read must not keep the thread from all others.
inline constexpr std::size_t read_ready_bytes_max = 256 * kib;

// How many bytes went to the front of `target`; never waits. ec: what ended it, to be reported after those bytes;
// none when there is merely no more. It must be kept: a stream does not tell its error twice.
template <class stream_type>
std::size_t read_ready(stream_type& stream, boost::asio::mutable_buffer target, boost::system::error_code& ec) {
  std::size_t done = 0;
  while (target.size() > 0 && done < read_ready_bytes_max && !ec) {
    const std::size_t count = stream.read_some(target, ec);
    target += count;
    done += count;
  }
  if (ec == boost::asio::error::would_block) ec.clear();
  return done;
}

}  // namespace engine
