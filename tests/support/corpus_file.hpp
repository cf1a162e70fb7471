// A file of events for --corpus, gone when the test is. One at a time in a process.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace tests {

class corpus_file {
 public:
  explicit corpus_file(std::string_view text) { std::ofstream(path_, std::ios::binary) << text; }
  ~corpus_file() { std::filesystem::remove(path_); }
  corpus_file(const corpus_file&) = delete;
  corpus_file& operator=(const corpus_file&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  const std::string path_ = testing::TempDir() + "penstock_corpus_" + std::to_string(::getpid()) + ".ndjson";
};

}  // namespace tests
