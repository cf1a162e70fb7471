// decode on any bytes: it answers, and every view it gives lies inside the block.
//
// The block ends where its memory ends, so a view or a read one byte too long is an error of the sanitizer's. With
// PENSTOCK_PLANT_BUG decode accepts such a length: the fuzzer has to find it in seconds, or it is not worth its time.
#include <cstdint>
#include <cstdlib>

#include "stages/decode.hpp"

namespace {

// Reads all of it.
void touch(engine::byte_view view) {
  unsigned sum = 0;
  for (const char byte : view) sum += static_cast<unsigned char>(byte);
  asm volatile("" : : "r"(sum));  // or the loop would be optimised away
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static stages::log_groups groups;
  engine::buffer storage(size);
  storage.append({reinterpret_cast<const char*>(data), size});
  const stages::plain_block block{.storage = &storage, .size = size};
  if (!stages::decode(block, std::nullopt, groups)) {
    if (!groups.logs.empty() || !groups.groups.empty() || !groups.tags.empty() || !groups.loose.empty()) std::abort();
    return 0;
  }
  const std::size_t count = groups.groups.size();
  for (const stages::group_view& group : groups.groups) {
    touch(group.topic);
    touch(group.source);
    if (group.tags_first > group.tags_last || group.tags_last > groups.tags.size()) std::abort();
  }
  for (const stages::log_view& log : groups.logs) {
    touch(log.message);
    touch(log.event);
    if (log.group >= count || log.loose_first > log.loose_last || log.loose_last > groups.loose.size()) std::abort();
    if (log.event.data() != nullptr && log.loose_first != log.loose_last) std::abort();
  }
  for (const auto* const list : {&groups.tags, &groups.loose}) {
    for (const stages::content_view& pair : *list) {
      touch(pair.key);
      touch(pair.value);
    }
  }
  if (!stages::decode(block, count, groups) || stages::decode(block, count + 1, groups)) std::abort();
  return 0;
}
