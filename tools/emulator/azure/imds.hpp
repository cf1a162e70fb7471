// The instance metadata service of an Azure machine with one identity.
#pragma once

#include "roles.hpp"

namespace emulator {

class imds {
 public:
  // All three outlive this object.
  imds(const azure_options& options, token_book& tokens, fault_plan& faults, const wall_clock& now)
      : options_(options), tokens_(tokens), faults_(faults), now_(now) {}

  response handle(const request&);

 private:
  response token(const request&);

  const azure_options& options_;
  token_book& tokens_;
  fault_plan& faults_;
  const wall_clock& now_;
};

}  // namespace emulator
