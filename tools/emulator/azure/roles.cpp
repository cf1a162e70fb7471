#include "roles.hpp"

#include "entra.hpp"
#include "imds.hpp"
#include "ingestion.hpp"

namespace emulator {

struct azure_roles::parts {
  parts(azure_options given, ledger& book, fault_plan& faults, wall_clock clock)
      : options(std::move(given)),
        now(std::move(clock)),
        tokens(options.token_lifetime, now),
        directory(options, tokens, faults, now),
        metadata(options, tokens, faults, now),
        uploads(options, tokens, book, faults, now) {}

  const azure_options options;
  const wall_clock now;
  token_book tokens;
  entra directory;
  imds metadata;
  ingestion uploads;
};

azure_roles::azure_roles(azure_options options, ledger& book, fault_plan& faults, wall_clock now)
    : parts_(std::make_unique<parts>(std::move(options), book, faults, std::move(now))) {}
azure_roles::~azure_roles() = default;

response azure_roles::handle(const request& in) {
  if (in.path.starts_with("/dataCollectionRules/")) return parts_->uploads.handle(in);
  if (in.path.starts_with("/metadata/")) return parts_->metadata.handle(in);
  return parts_->directory.handle(in);
}

}  // namespace emulator
