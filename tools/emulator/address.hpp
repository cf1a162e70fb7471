// Which role a request is for and what it asks of it, found from the headers alone.
#pragma once

#include <string>
#include <string_view>

#include "account_book.hpp"
#include "fault_plan.hpp"
#include "http_message.hpp"

namespace emulator {

struct addressed {
  enum class to : std::uint8_t { control, ecs_metadata, azure_metadata, ingestion, entra, sts, sls };

  to service = to::sls;
  std::string_view role;  // as in fault_target; empty for control
  std::string_view op;    // the names of fault_target, and further ones for operations faults do not name
  std::string account;    // id; empty when unknown
  std::string project;    // of SLS requests: the first label of Host, or the only project there is
  std::string logstore;
  std::string rule;

  [[nodiscard]] fault_target target() const { return {role, op, account, logstore, rule}; }
};

addressed address(const request&, const account_book&);

}  // namespace emulator
