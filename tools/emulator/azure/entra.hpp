// Entra ID as a client of the client-credentials grant sees it: discovery document and token endpoint.
#pragma once

#include "roles.hpp"

namespace emulator {

class entra {
 public:
  // All three outlive this object.
  entra(const azure_options& options, token_book& tokens, fault_plan& faults, const wall_clock& now)
      : options_(options), tokens_(tokens), faults_(faults), now_(now) {}

  response handle(const request&);

 private:
  struct form;

  [[nodiscard]] response discovery(const request&, std::string_view tenant) const;
  response token(const request&, std::string_view tenant);
  [[nodiscard]] response refuse_client(const form&) const;
  [[nodiscard]] response error(int status, std::string_view name, int number, std::string_view text) const;
  [[nodiscard]] response fault_answer(const fault&) const;

  const azure_options& options_;
  token_book& tokens_;
  fault_plan& faults_;
  const wall_clock& now_;
};

// The audience in a scope or resource without its trailing slashes; equal for the spellings clients use.
[[nodiscard]] std::string plain_audience(std::string_view audience);

}  // namespace emulator
