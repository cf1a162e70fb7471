// The emulator's own routes, for tests: GET /emulator/healthz, GET /emulator/ledger, POST (or GET) /emulator/faults,
// POST /emulator/append.
#pragma once

#include "account_book.hpp"
#include "fault_plan.hpp"
#include "http_message.hpp"
#include "ledger.hpp"
#include "sls/store.hpp"

namespace emulator {

class control {
 public:
  control(sls::store& logstores, fault_plan& faults, ledger& judge)
      : store_(logstores), faults_(faults), ledger_(judge) {}

  response handle(const request&);

 private:
  response faults(const request&);
  response append(const request&);

  sls::store& store_;
  fault_plan& faults_;
  ledger& ledger_;
};

}  // namespace emulator
