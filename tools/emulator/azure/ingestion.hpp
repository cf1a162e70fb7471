// Logs Ingestion: takes uploads, refuses what the service refuses, and hands accepted bodies to the ledger.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "rate_bucket.hpp"
#include "roles.hpp"

namespace emulator {

class ingestion {
 public:
  static constexpr std::size_t wire_bytes_max = 1'048'576;
  static constexpr std::size_t raw_bytes_max = 52'428'800;

  // All five outlive this object.
  ingestion(const azure_options& options, token_book& tokens, ledger& book, fault_plan& faults, const wall_clock& now);

  response handle(const request&);

 private:
  struct upload {
    std::string rule;  // as the options spell it, or as sent when they do not know it
    std::string stream;
    std::uint64_t raw_bytes = 0;
  };
  struct buckets {
    rate_bucket bytes;
    rate_bucket requests;
  };

  response answer(const request&, upload&, const std::optional<fault>&);
  std::optional<response> refuse_request(const request&) const;
  std::optional<response> refuse_token(const request&) const;
  std::optional<response> refuse_rule(upload&) const;
  std::optional<response> refuse_rate(const upload&);
  response store(const request&, upload&, const std::optional<fault>&);
  std::optional<response> header_fault(const request&);

  const azure_options& options_;
  token_book& tokens_;
  ledger& book_;
  fault_plan& faults_;
  const wall_clock& now_;
  std::mutex mutex_;
  std::map<std::string, buckets> buckets_;            // by rule
  std::map<std::string, std::uint64_t> header_hits_;  // by x-ms-client-request-id
};

}  // namespace emulator
