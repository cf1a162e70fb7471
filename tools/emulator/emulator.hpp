// The whole test cloud in one object: stores, roles, server, files. The program and in-process tests build the same.
#pragma once

#include <memory>
#include <string>

#include "account_book.hpp"
#include "azure_book.hpp"
#include "ledger.hpp"
#include "options.hpp"

namespace emulator {

class test_cloud {
 public:
  // Fills the logstores, listens, and writes the files asked for, the ready file last. Throws std::runtime_error (also
  // boost::system::system_error) with what could not be had.
  explicit test_cloud(const emulator_options&);
  // Closes all connections.
  ~test_cloud();
  test_cloud(const test_cloud&) = delete;
  test_cloud& operator=(const test_cloud&) = delete;

  [[nodiscard]] const std::string& url() const;
  [[nodiscard]] const account_book& accounts() const;
  [[nodiscard]] const azure_book& azure() const;
  [[nodiscard]] ledger& judge();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace emulator
