// Signs a request to SLS: request and key to headers. Pure.
//
// V4 (HMAC-SHA256, binds host and query) wherever the region is known, else V1 (HMAC-SHA1). Both sign the host, path
// and headers exactly as they are sent; the service works out for itself which headers count.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/bytes.hpp"
#include "engine/base/units.hpp"
#include "engine/flow/http_message.hpp"
#include "stages/sls/credentials.hpp"

namespace stages::sls {

// Names and values as they mean, not percent-encoded. Names appear once.
using query_fields = std::vector<std::pair<std::string, std::string>>;

struct unsigned_request {
  std::string method;
  std::string path;  // as on the wire
  query_fields query;
  engine::http_headers headers;  // Host among them; no header that sign() adds
  engine::byte_view body;        // as on the wire
};

// "?name=value&..." as sent; empty without fields.
std::string wire_query(const query_fields&);

// The headers of the request complete with date, version, digest, token and Authorization. `region` empty: V1.
engine::http_headers sign(const unsigned_request&, const access_key&, std::string_view region, engine::wall_time now);

// --- the steps, each with vectors of its own -----------------------------------------------------------------------

// `headers` are all that sign() would have put in but Authorization. V1 takes the date from Date, V4 from x-log-date.
std::string string_to_sign_v1(const unsigned_request&);
std::string canonical_request_v4(const unsigned_request&);
std::string string_to_sign_v4(const unsigned_request&, std::string_view region);
engine::secret signing_key_v4(const engine::secret& key, std::string_view date8, std::string_view region);
std::string authorization_v1(const unsigned_request&, const access_key&);
std::string authorization_v4(const unsigned_request&, const access_key&, std::string_view region);

}  // namespace stages::sls
