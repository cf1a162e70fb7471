// The escapes of a JSON text, judged: the second of the three passes of json_grammar.hpp.
//
// Input   a text with at least 64 readable bytes after its end. What is escaped outside of strings counts too: that a
//         backslash stands there is for the third pass to refuse.
// Result  true when every backslash begins an escape that JSON has. `needs_repair` becomes true when a surrogate has no
//         other half, which JSON's grammar allows and readers refuse; it is never made false.
// Kernels a fifth of an event can be escaped quotes, so backslashes are looked for 64 bytes at a time, and only what
//         is neither quote nor backslash is judged by itself. All kernels say the same (tests/fuzz/escape_check_fuzz).
#pragma once

#include "engine/base/bytes.hpp"
#include "stages/kernels.hpp"

namespace stages {

using escape_check = bool (*)(engine::byte_view text, bool& needs_repair);

// For a kernel that runs_here(). avx512 is served by that of avx2: wider was no faster, the time goes to the escapes
// found.
escape_check escape_check_with(kernel);

}  // namespace stages
