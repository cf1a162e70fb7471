// Where Alibaba Cloud clients get temporary keys: STS AssumeRole (`POST /` with Action=AssumeRole) and the metadata
// service of an ECS machine (`/latest/`). The keys they hand out are entered in the account book, so the log service
// knows them.
//
// Thread rules: handle() may be called from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "account_book.hpp"
#include "fault_plan.hpp"
#include "http_message.hpp"

namespace emulator {

struct alibaba_identity_options {
  std::optional<std::chrono::seconds> key_lifetime;  // instead of what the client asks for; absent: what it asks for
  bool metadata_needs_token = false;                 // refuse requests in the old way, without a token
};

class alibaba_identity {
 public:
  using clock = std::function<std::chrono::system_clock::time_point()>;
  // The name of the role the metadata service gives keys of. It reads the logstores of the book's first account.
  static constexpr std::string_view machine_role = "AliyunECSInstanceForAuditRole";

  // book and faults outlive this object.
  alibaba_identity(account_book& book, fault_plan& faults, alibaba_identity_options options = {},
                   clock now = &std::chrono::system_clock::now);
  ~alibaba_identity();
  alibaba_identity(const alibaba_identity&) = delete;
  alibaba_identity& operator=(const alibaba_identity&) = delete;

  // Chooses by the path: /latest/ is the metadata service, everything else STS.
  response handle(const request&);

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace emulator
