// The test cloud as one function from request to response: hands each request to the role it is meant for.
//
// The cloud counts every request of a role in the ledger (request_seen), so roles do not. It also decides reset_before
// faults, for which only the headers are known. All other faults are the roles' own.
// Thread rules: every function may be called from any thread.
#pragma once

#include <functional>

#include "account_book.hpp"
#include "address.hpp"
#include "fault_plan.hpp"
#include "http_message.hpp"
#include "http_server.hpp"
#include "ledger.hpp"

namespace emulator {

struct cloud_roles {
  std::function<response(const request&)> control;
  std::function<response(const request&)> ecs_metadata;
  std::function<response(const request&)> azure;  // Entra, ingestion, IMDS
  std::function<response(const request&)> sts;
  std::function<response(const request&, const addressed&)> sls;
};

// What is referenced outlives the server the handlers are given to.
http_handlers make_handlers(cloud_roles, const account_book&, fault_plan&, ledger&);

}  // namespace emulator
