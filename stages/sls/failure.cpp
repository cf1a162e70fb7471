#include "stages/sls/failure.hpp"

#include <array>

#include "stages/http_fields.hpp"

namespace stages::sls {
namespace {

struct row {
  std::string_view service_code;
  errc code;
};

// The service, its documents and its client libraries spell codes differently (NotExist, NotExists, NotExsit; LogStore,
// Logstore), so they are compared without regard to case and with every spelling seen.
constexpr std::array rows{
    row{"RequestTimeTooSkewed", errc::clock_skew},
    row{"RequestTimeExpired", errc::clock_skew},
    row{"InvalidRequestTime", errc::clock_skew},
    row{"InvalidDateFormat", errc::clock_skew},
    row{"MissingDate", errc::clock_skew},
    row{"MissingHost", errc::bad_request},
    row{"InvalidHost", errc::bad_request},
    row{"MissingAPIVersion", errc::bad_request},
    row{"InvalidAPIVersion", errc::bad_request},
    row{"MissingSignatureMethod", errc::bad_request},
    row{"InvalidSignatureMethod", errc::bad_request},
    row{"MissAccessKeyId", errc::bad_request},
    row{"MissingContentType", errc::bad_request},
    row{"MissingBodyRawSize", errc::bad_request},
    row{"InvalidBodyRawSize", errc::bad_request},
    row{"InvalidCompressType", errc::bad_request},
    row{"InvalidAcceptEncoding", errc::bad_request},
    row{"InvalidAcceptContentType", errc::bad_request},
    row{"BadRequest", errc::bad_request},
    row{"NotSupported", errc::bad_request},
    row{"MissingParameter", errc::bad_request},
    row{"JsonInfoInvalid", errc::bad_request},
    row{"InvalidShardCheckPoint", errc::bad_request},
    row{"PostBodyInvalid", errc::bad_request},
    row{"PostBodyTooLarge", errc::bad_request},
    row{"InvalidMethod", errc::bad_request},
    row{"MissingContentLength", errc::bad_request},
    row{"InvalidContentType", errc::bad_request},
    row{"InvalidCursor", errc::invalid_cursor},
    row{"ShardNotExist", errc::shard_gone},
    row{"ShardNotExists", errc::shard_gone},
    row{"ShardNotExsit", errc::shard_gone},
    row{"LogStoreWithoutShard", errc::server_busy},
    row{"ConsumerGroupAlreadyExist", errc::group_exists},
    row{"ConsumerGroupAlreadyExists", errc::group_exists},
    row{"ConsumerGroupNotExist", errc::group_not_found},
    row{"ConsumerGroupNotExists", errc::group_not_found},
    row{"GroupNotExist", errc::group_not_found},
    row{"NotExistConsumerWithBody", errc::lost_ownership},
    row{"ConsumerNotMatch", errc::lost_ownership},
    row{"ConsumerNotExist", errc::lost_ownership},
    row{"ConsumerNotExists", errc::lost_ownership},
    row{"ConsumerNotExsit", errc::lost_ownership},
    row{"SignatureNotMatch", errc::unauthorized},
    row{"Unauthorized", errc::unauthorized},
    row{"InvalidAccessKeyId", errc::unauthorized},
    row{"InvalidAccessKeyId.NotFound", errc::unauthorized},
    row{"SecurityTokenExpired", errc::unauthorized},
    row{"SecurityToken.Expired", errc::unauthorized},
    row{"ReadQuotaExceed", errc::throttled},
    row{"ShardReadQuotaExceed", errc::throttled},
    row{"WriteQuotaExceed", errc::throttled},
    row{"ShardWriteQuotaExceed", errc::throttled},
    row{"ExceedQuota", errc::throttled},
    row{"MetaOperationQpsLimitExceeded", errc::throttled},
    row{"ProjectForbidden", errc::forbidden},
    row{"ProjectNotExist", errc::not_found_project},
    row{"ProjectNotExists", errc::not_found_project},
    row{"LogStoreNotExist", errc::not_found_logstore},
    row{"LogStoreNotExists", errc::not_found_logstore},
    row{"InternalServerError", errc::server_busy},
    row{"RequestTimeout", errc::server_busy},
    row{"ServerBusy", errc::server_busy},
};

errc by_status(int status) {
  if (status >= 500 || status == 408) return errc::server_busy;
  switch (status) {
    case 401:
      return errc::unauthorized;
    case 403:
      return errc::forbidden;
    case 404:
      return errc::not_found_logstore;
    case 429:
      return errc::throttled;
    default:
      return status >= 400 ? errc::bad_request : errc::bad_reply;
  }
}

}  // namespace

std::string_view name_of(errc code) {
  switch (code) {
    case errc::transport:
      return "transport";
    case errc::server_busy:
      return "server_busy";
    case errc::throttled:
      return "throttled";
    case errc::unauthorized:
      return "unauthorized";
    case errc::forbidden:
      return "forbidden";
    case errc::not_found_project:
      return "not_found_project";
    case errc::not_found_logstore:
      return "not_found_logstore";
    case errc::shard_gone:
      return "shard_gone";
    case errc::invalid_cursor:
      return "invalid_cursor";
    case errc::clock_skew:
      return "clock_skew";
    case errc::group_not_found:
      return "group_not_found";
    case errc::group_exists:
      return "group_exists";
    case errc::lost_ownership:
      return "lost_ownership";
    case errc::bad_reply:
      return "bad_reply";
    case errc::bad_request:
      return "bad_request";
    case errc::refused_by_caller:
      return "refused_by_caller";
    case errc::cancelled:
      return "cancelled";
  }
  return "unknown";
}

engine::fault fault_of(errc code) {
  using engine::fault;
  switch (code) {
    case errc::transport:
    case errc::server_busy:
      return fault::transient;
    case errc::throttled:
      return fault::throttled;
    case errc::unauthorized:
    case errc::forbidden:
      return fault::unauthorized;
    case errc::bad_reply:
      return fault::malformed;
    case errc::cancelled:
      return fault::cancelled;
    case errc::not_found_project:
    case errc::not_found_logstore:
    case errc::shard_gone:
    case errc::invalid_cursor:
    case errc::clock_skew:
    case errc::group_not_found:
    case errc::group_exists:
    case errc::lost_ownership:
    case errc::bad_request:
    case errc::refused_by_caller:
      return fault::refused;
  }
  return fault::malformed;
}

errc classify(int status, std::string_view service_code, std::string_view service_message) {
  for (const auto& [name, code] : rows) {
    if (http::equals_ignoring_case(name, service_code)) return code;
  }
  // The page of PullLogs documents an expired cursor under the general code, told apart by its text alone.
  const bool parameter = http::equals_ignoring_case(service_code, "ParameterInvalid") ||
                         http::equals_ignoring_case(service_code, "InvalidParameter");
  if (parameter) {
    return http::contains_ignoring_case(service_message, "cursor") ? errc::invalid_cursor : errc::bad_request;
  }
  // Quota answers of a whole project come with texts, and with codes no page lists.
  if (status == 403 && (http::contains_ignoring_case(service_code, "quota") ||
                        http::contains_ignoring_case(service_message, "QPS Exceed") ||
                        http::contains_ignoring_case(service_message, "quota exceed"))) {
    return errc::throttled;
  }
  return by_status(status);
}

}  // namespace stages::sls
