// Whether an uploaded body is what the ingestion endpoint takes: a JSON array of objects in valid UTF-8.
#pragma once

#include <functional>
#include <string>

namespace emulator {

// Overwrites body. refill puts the text there again; it is asked only for a body with a number that needs a second
// look. Any thread.
[[nodiscard]] bool is_array_of_objects(std::string& body, const std::function<void(std::string&)>& refill);

}  // namespace emulator
