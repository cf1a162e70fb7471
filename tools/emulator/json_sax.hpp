// RapidJSON as this program uses it: in place, without recursion, numbers as their text. Included only by .cpp files.
//
// Not in place, this version of RapidJSON loses the digits of exponents when numbers are kept as text; and its
// recursive reader can be driven through the stack's end by nesting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "rapidjson_reader.hpp"

namespace emulator {

enum class json_outcome : std::uint8_t {
  ok,
  number_refused,  // a number RapidJSON does not read: try again with shield_numbers() on a fresh copy
  malformed,
  stopped,  // the handler said no
};

// While parse_in_place runs, a handler finds its position in the text here. StartObject and StartArray are called with
// it on the opening bracket, EndObject and EndArray on the closing one.
using json_position = rapidjson::InsituStringStream;

// Overwrites text; the strings given to the handler are views into it and stay valid until it is changed.
// handler: a RapidJSON handler with `json_position* position`.
template <class handler>
json_outcome parse_in_place(std::string& text, handler& into) {
  // The vector code reads up to the end of an aligned block of 16.
  text.reserve(text.size() + 32);
  rapidjson::InsituStringStream stream(text.data());
  into.position = &stream;
  rapidjson::Reader reader;
  constexpr unsigned flags =
      rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  const rapidjson::ParseResult result = reader.Parse<flags>(stream, into);
  into.position = nullptr;
  if (result.Code() == rapidjson::kParseErrorNumberTooBig) return json_outcome::number_refused;
  if (result.Code() == rapidjson::kParseErrorTermination) return json_outcome::stopped;
  // A zero byte ends the text for RapidJSON; what stands behind it must not pass unread.
  return result.IsError() || stream.Tell() != text.size() ? json_outcome::malformed : json_outcome::ok;
}

}  // namespace emulator
