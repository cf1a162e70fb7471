#include "body_check.hpp"

#include "../json_sax.hpp"
#include "../json_text.hpp"

namespace emulator {

namespace {

class shape_handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, shape_handler> {
 public:
  json_position* position = nullptr;

  bool Default() const { return depth_ >= 2; }
  bool RawNumber(const char*, rapidjson::SizeType, bool) const { return Default(); }
  bool String(const char*, rapidjson::SizeType, bool) const { return Default(); }
  bool Key(const char*, rapidjson::SizeType, bool) const { return true; }
  bool StartObject() { return ++depth_ >= 2; }
  bool EndObject(rapidjson::SizeType) { return --depth_, true; }
  bool StartArray() { return ++depth_ != 2; }
  bool EndArray(rapidjson::SizeType) { return --depth_, true; }

 private:
  unsigned depth_ = 0;
};

json_outcome check(std::string& body) {
  shape_handler handler;
  return parse_in_place(body, handler);
}

}  // namespace

bool is_array_of_objects(std::string& body, const std::function<void(std::string&)>& refill) {
  if (!valid_utf8(body)) return false;
  json_outcome outcome = check(body);
  if (outcome == json_outcome::number_refused) {
    refill(body);
    body = shield_numbers(body);
    outcome = check(body);
  }
  return outcome == json_outcome::ok;
}

}  // namespace emulator
