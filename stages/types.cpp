#include "stages/types.hpp"

namespace stages {

std::string_view name_of(set_aside_reason reason) {
  switch (reason) {
    case set_aside_reason::no_event:
      return "no_event";
    case set_aside_reason::empty:
      return "empty";
    case set_aside_reason::bad_encoding:
      return "bad_encoding";
    case set_aside_reason::bad_json:
      return "bad_json";
    case set_aside_reason::not_an_object:
      return "not_an_object";
    case set_aside_reason::too_deep:
      return "too_deep";
    case set_aside_reason::too_large:
      return "too_large";
    case set_aside_reason::count_:
      break;
  }
  return "unknown";
}

}  // namespace stages
