// The files a started emulator leaves for tests and for the product: the ready file and a configuration.
#pragma once

#include <string>

#include "account_book.hpp"
#include "azure_book.hpp"
#include "options.hpp"

namespace emulator {

struct cloud_facts {
  std::string url;      // https://127.0.0.1:41234
  std::string ca_file;  // absolute; empty without TLS
  const account_book& alibaba;
  const azure_book& azure;
};

// {"url","ca_file","accounts":[...],"azure":{...}}
std::string ready_json(const cloud_facts&);
// A complete penstock.yaml: one source per account, one destination per rule, accounts dealt to them in turn.
std::string config_yaml(const cloud_facts&, const emulator_options&);

}  // namespace emulator
