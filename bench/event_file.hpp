// --corpus FILE: the lines that are events, as the product sees it, and what is to be said about the others.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bench {

// The lines of the file that become a row in either format, in order; reading ends when they hold `bytes_wanted`. What
// is left out or cut is counted on stderr. Throws std::runtime_error, naming the file, when it cannot be read or has no
// such line. Ends the program when a line is set aside that the checks' reader takes for an event.
std::vector<std::string> read_event_file(const std::string& file, std::size_t bytes_wanted);

}  // namespace bench
