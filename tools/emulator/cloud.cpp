#include "cloud.hpp"

namespace emulator {

namespace {

response dispatch(const cloud_roles& roles, const request& r, const addressed& to) {
  switch (to.service) {
    case addressed::to::control:
      return roles.control(r);
    case addressed::to::ecs_metadata:
      return roles.ecs_metadata(r);
    case addressed::to::azure_metadata:
    case addressed::to::ingestion:
    case addressed::to::entra:
      return roles.azure(r);
    case addressed::to::sts:
      return roles.sts(r);
    case addressed::to::sls:
      return roles.sls(r, to);
  }
  return {};
}

}  // namespace

http_handlers make_handlers(cloud_roles roles, const account_book& book, fault_plan& faults, ledger& judge) {
  http_handlers handlers;
  handlers.handle = [roles = std::move(roles), &book, &judge](const request& r) {
    const auto to = address(r, book);
    auto answer = dispatch(roles, r, to);
    if (to.service != addressed::to::control) {
      // Status 0 in the ledger: the client got no answer.
      judge.request_seen(to.role, to.op, answer.how == delivery::close_without_answer ? 0 : answer.status);
    }
    return answer;
  };
  handlers.resets_before = [&book, &faults, &judge](const request& r) {
    const auto to = address(r, book);
    if (to.service == addressed::to::control || !faults.resets_before(to.target())) return false;
    judge.request_seen(to.role, to.op, 0);
    return true;
  };
  handlers.runs_apart = [](const request& r) { return r.path.starts_with("/emulator/ledger"); };
  return handlers;
}

}  // namespace emulator
