// The Azure side of the test cloud: Entra ID's token endpoint, the instance metadata service, and Logs Ingestion.
//
// What is answered follows ../../../docs/formats (azure); statuses and codes of errors are named where they are made. A
// handler carries out the faults of the plan that concern it, except reset_before.
// Thread rules: handle() may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../alibaba_identity.hpp"
#include "../fault_plan.hpp"
#include "../http_message.hpp"
#include "../ledger.hpp"
#include "token_book.hpp"

namespace emulator {

struct azure_rule {
  std::string rule;    // immutable id, dcr-…
  std::string stream;  // Custom-…
};

struct azure_options {
  std::string tenant;
  std::string client_id;
  std::string client_secret;
  std::vector<azure_rule> rules;
  std::string scheme = "https";  // of the addresses in the discovery document
  std::chrono::seconds token_lifetime{3599};
  std::vector<std::string> client_assertions;  // federated tokens or certificate assertions taken as they are
  bool claims_challenge = false;               // tokens fetched without `claims` are challenged
  bool limit_uncompressed = false;             // reading (B): 1,048,576 bytes after decompression too
  std::uint64_t rule_bytes_per_minute = 0;     // decompressed; 0: no limit
  std::uint64_t rule_requests_per_minute = 0;  // 0: no limit
};

class azure_roles {
 public:
  // ledger and faults outlive this object.
  azure_roles(azure_options, ledger&, fault_plan&, wall_clock now = &std::chrono::system_clock::now);
  ~azure_roles();
  azure_roles(const azure_roles&) = delete;
  azure_roles& operator=(const azure_roles&) = delete;

  // Chooses by the path: /dataCollectionRules/, /metadata/, everything else is Entra's.
  response handle(const request&);

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace emulator
