// Gives every file of a directory to the fuzz target this is linked with. A target that finds something aborts; the
// name of the file stands in the last line before.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// From memory of just that size: a read beyond it is one beyond an allocation.
void give(const std::string& bytes) {
  const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: replay DIRECTORY\n");
    return 2;
  }
  std::size_t count = 0;
  give("");
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (!in) {
      std::fprintf(stderr, "%s: cannot be read\n", entry.path().c_str());
      return 1;
    }
    std::printf("%s\n", entry.path().filename().c_str());
    std::fflush(stdout);
    give(bytes);
    // Cut off anywhere, as a connection would.
    for (std::size_t part = 1; part < 8; ++part) give(bytes.substr(0, bytes.size() * part / 8));
    ++count;
  }
  std::printf("%zu files\n", count);
  return count > 0 ? 0 : 1;
}
