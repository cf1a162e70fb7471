#include "stages/transform.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "engine/base/digest.hpp"
#include "tests/unit/stages/event_block.hpp"

namespace stages {
namespace {

using test::event_block;

constexpr std::string_view good_time = R"("eventTime":"2022-04-12T10:23:43Z")";
constexpr std::string_view time_column = R"("TimeGenerated":"2022-04-12T10:23:43Z")";

std::vector<std::string> rows_of(const rows& out) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < out.refs.size(); ++i) found.emplace_back(out.row(i));
  return found;
}

struct made {
  std::string row;
  transform_counts counts;
  std::size_t cut = 0;
  column cut_column = column::count_;
  std::size_t bad = 0;
};

made make_row(const transform_options& options, std::string event, bool needs_repair = false) {
  event_block block;
  block.add(std::move(event), needs_repair);
  rows out;
  transform{options}(block.get(), out);
  made result;
  result.counts = out.counts;
  result.cut = out.cut.size();
  result.bad = out.bad.size();
  if (!out.refs.empty()) result.row = out.row(0);
  if (!out.cut.empty()) result.cut_column = out.cut[0].field;
  return result;
}

made typed(std::string event, bool needs_repair = false) {
  return make_row({.format = row_format::typed}, std::move(event), needs_repair);
}

// The typed row of an event with a good time and this member, without the time columns.
std::string typed_member(std::string_view member, bool needs_repair = false) {
  const std::string row = typed("{" + std::string(good_time) + "," + std::string(member) + "}", needs_repair).row;
  std::string out = row;
  for (const std::string_view part : {time_column, good_time}) {
    const auto at = out.find(part);
    EXPECT_NE(at, std::string::npos) << row;
    if (at == std::string::npos) return row;
    out.erase(at, part.size());
  }
  std::string tidy;
  for (const char c : out) {
    if (c != ',' || (tidy != "{" && tidy.back() != ',')) tidy += c;
  }
  if (tidy.size() > 2 && tidy[tidy.size() - 2] == ',') tidy.erase(tidy.size() - 2, 1);
  return tidy;
}

std::string mark_of(std::string_view token) {
  return R"({"penstock_cut":{"bytes":)" + std::to_string(token.size()) + R"(,"sha256":")" +
         engine::to_hex(engine::view_of(engine::sha256(token))) + R"("}})";
}

std::string in_text(const std::string& mark) {
  std::string out;
  for (const char c : mark) out.append(c == '"' || c == '\\' ? "\\" : "").push_back(c);
  return '"' + out + '"';
}

// --- typed rows: the coercion table --------------------------------------------------------------------------------

TEST(transform_typed, text_column_keeps_a_string_token) {
  EXPECT_EQ(typed_member(R"("eventName":"Run\u0049\n中")"), R"({"eventName":"Run\u0049\n中"})");
  EXPECT_EQ(typed_member(R"("errorCode":"")"), R"({"errorCode":""})");
  EXPECT_EQ(typed_member(R"("errorCode":"null")"), R"({"errorCode":"null"})");
}

TEST(transform_typed, text_column_puts_a_number_in_quotes) {
  EXPECT_EQ(typed_member(R"("eventVersion":1)"), R"({"eventVersion":"1"})");
  EXPECT_EQ(typed_member(R"("requestId":555834926765284212345)"), R"({"requestId":"555834926765284212345"})");
  EXPECT_EQ(typed_member(R"("requestId":-1.50E+2)"), R"({"requestId":"-1.50E+2"})");
}

TEST(transform_typed, text_column_puts_a_boolean_in_quotes) {
  EXPECT_EQ(typed_member(R"("eventRW":true)"), R"({"eventRW":"true"})");
  EXPECT_EQ(typed_member(R"("eventRW":false)"), R"({"eventRW":"false"})");
}

TEST(transform_typed, text_column_makes_a_string_of_an_objects_text) {
  EXPECT_EQ(typed_member(R"("resourceName":{"b":1, "a":"x\"y"})"), R"({"resourceName":"{\"b\":1, \"a\":\"x\\\"y\"}"})");
}

TEST(transform_typed, text_column_makes_a_string_of_an_arrays_text) {
  EXPECT_EQ(typed_member("\"resourceName\":[\"a\",\n\t1]"), R"({"resourceName":"[\"a\",\n\t1]"})");
}

TEST(transform_typed, text_column_leaves_out_null) { EXPECT_EQ(typed_member(R"("errorMessage":null)"), "{}"); }

TEST(transform_typed, absent_columns_are_left_out) {
  EXPECT_EQ(typed_member(R"("eventName":"A")"), R"({"eventName":"A"})");
}

TEST(transform_typed, dynamic_column_keeps_objects_and_arrays_untouched) {
  EXPECT_EQ(typed_member(R"("requestParameters":{ "z":5558349267652842,"a":[1.0,{}] })"),
            R"({"requestParameters":{ "z":5558349267652842,"a":[1.0,{}] }})");
}

TEST(transform_typed, dynamic_column_keeps_a_string_a_string) {
  EXPECT_EQ(typed_member(R"("userIdentity":"{\"a\":1}")"), R"({"userIdentity":"{\"a\":1}"})");
}

TEST(transform_typed, dynamic_column_keeps_other_scalars) {
  EXPECT_EQ(typed_member(R"("userIdentity":12)"), R"({"userIdentity":12})");
  EXPECT_EQ(typed_member(R"("userIdentity":false)"), R"({"userIdentity":false})");
  EXPECT_EQ(typed_member(R"("userIdentity":null)"), R"({"userIdentity":null})");
}

TEST(transform_typed, is_global_keeps_a_boolean) {
  EXPECT_EQ(typed_member(R"("isGlobal":true)"), R"({"isGlobal":true})");
  EXPECT_EQ(typed_member(R"("isGlobal":false)"), R"({"isGlobal":false})");
}

TEST(transform_typed, is_global_takes_the_texts_true_and_false) {
  EXPECT_EQ(typed_member(R"("isGlobal":"true")"), R"({"isGlobal":true})");
  EXPECT_EQ(typed_member(R"("isGlobal":"\u0066alse")"), R"({"isGlobal":false})");
}

TEST(transform_typed, is_global_of_another_kind_is_left_out_and_counted) {
  for (const std::string token : {"1", "\"True\"", "\"\"", "{}", "[true]", "\"truest\""}) {
    const made result = typed("{" + std::string(good_time) + R"(,"isGlobal":)" + token + "}");
    EXPECT_EQ(result.row.find("isGlobal"), std::string::npos) << token;
    EXPECT_EQ(result.counts.bad_booleans, 1U) << token;
  }
}

TEST(transform_typed, is_global_null_is_left_out_as_if_absent) {
  const made result = typed("{" + std::string(good_time) + R"(,"isGlobal":null})");
  EXPECT_EQ(result.row.find("isGlobal"), std::string::npos);
  EXPECT_EQ(result.counts.bad_booleans, 0U);
}

TEST(transform_typed, members_that_are_no_columns_are_left_out) {
  EXPECT_EQ(typed_member(R"("vpcId":"vpc-1","eventname":"x","recipientAccountId":"5","eventId":"1")"),
            R"({"eventId":"1"})");
}

TEST(transform_typed, columns_come_after_the_time_and_in_one_order_whatever_the_events) {
  std::string event = "{";
  std::string row = "{" + std::string(time_column);
  for (std::size_t c = column_count; c-- > 0;) {
    const std::string name(row_columns[c].name);
    event += '"' + name + "\":" +
             (name == "eventTime"  ? R"("2022-04-12T10:23:43Z")"
              : name == "isGlobal" ? "true"
                                   : R"("v")");
    event += c == 0 ? "}" : ",";
  }
  for (const column one : columns_in_row) {
    const std::string name(row_columns[index_of(one)].name);
    row += ",\"" + name + "\":" +
           (name == "eventTime"  ? R"("2022-04-12T10:23:43Z")"
            : name == "isGlobal" ? "true"
                                 : R"("v")");
  }
  EXPECT_EQ(typed(event).row, row + "}");
}

// --- TimeGenerated ---------------------------------------------------------------------------------------------------

std::string time_of(const std::string& token) { return typed(R"({"eventTime":)" + token + "}").row; }

TEST(transform_typed, time_generated_is_a_good_event_time_as_it_is) {
  EXPECT_EQ(time_of(R"("2022-04-12T10:23:43.25Z")"),
            R"({"TimeGenerated":"2022-04-12T10:23:43.25Z","eventTime":"2022-04-12T10:23:43.25Z"})");
  EXPECT_EQ(typed("{" + std::string(good_time) + "}").counts.bad_event_times, 0U);
}

TEST(transform_typed, time_generated_of_an_offset_time_is_in_utc_and_event_time_stays) {
  EXPECT_EQ(time_of(R"("2020-12-01T11:54:59.366+0800")"),
            R"({"TimeGenerated":"2020-12-01T03:54:59.366Z","eventTime":"2020-12-01T11:54:59.366+0800"})");
}

TEST(transform_typed, time_generated_reads_escapes_in_event_time) {
  EXPECT_EQ(time_of(R"("2022-04-12T10:23:43\u005a")"),
            R"({"TimeGenerated":"2022-04-12T10:23:43Z","eventTime":"2022-04-12T10:23:43\u005a"})");
}

TEST(transform_typed, time_generated_of_a_bad_event_time_is_the_log_time_and_counted) {
  EXPECT_EQ(time_of(R"("yesterday")"), R"({"TimeGenerated":"2023-11-14T22:13:20Z","eventTime":"yesterday"})");
  EXPECT_EQ(time_of("1649758869"), R"({"TimeGenerated":"2023-11-14T22:13:20Z","eventTime":"1649758869"})");
  EXPECT_EQ(time_of("\"\""), R"({"TimeGenerated":"2023-11-14T22:13:20Z","eventTime":""})");
  EXPECT_EQ(time_of("null"), R"({"TimeGenerated":"2023-11-14T22:13:20Z"})");
  EXPECT_EQ(typed("{}").row, R"({"TimeGenerated":"2023-11-14T22:13:20Z"})");
  EXPECT_EQ(typed("{}").counts.bad_event_times, 1U);
}

TEST(transform_typed, time_generated_of_the_log_has_ticks_when_the_log_has_nanoseconds) {
  event_block block;
  block.add(R"({"eventId":"1"})").time_ns = 250'000'000;
  rows out;
  transform{{.format = row_format::typed}}(block.get(), out);
  EXPECT_EQ(out.row(0), R"({"TimeGenerated":"2023-11-14T22:13:20.2500000Z","eventId":"1"})");
}

TEST(transform_typed, without_any_time_there_is_no_time_generated) {
  event_block block;
  block.add(R"({"eventId":"1"})").time_s = 0;
  block.add("{}").time_s = 0;
  block.add(R"({"isGlobal":3})").time_s = 0;
  rows out;
  transform{{.format = row_format::typed, .order = row_order::arrival}}(block.get(), out);
  EXPECT_EQ(rows_of(out), (std::vector<std::string>{R"({"eventId":"1"})", "{}", "{}"}));
  EXPECT_EQ(out.counts.bad_event_times, 3U);
}

// --- repair
// -----------------------------------------------------------------------------------------------------------

TEST(transform_typed, repairs_lone_surrogates_and_numbers_beyond_a_double) {
  EXPECT_EQ(typed_member(R"("userAgent":"a\ud800b")", true), R"({"userAgent":"a\ufffdb"})");
  EXPECT_EQ(typed_member(R"("requestParameters":{"n":1e999,"m":[-2E400],"s":"\udc00"})", true),
            R"({"requestParameters":{"n":"1e999","m":["-2E400"],"s":"\ufffd"}})");
  EXPECT_EQ(typed_member(R"("eventVersion":1e999)", true), R"({"eventVersion":"1e999"})");
  EXPECT_EQ(typed("{" + std::string(good_time) + R"(,"userIdentity":["\ud800",1e999]})", true).counts.repaired, 2U);
}

TEST(transform_value, leaves_the_event_text_untouched_where_typed_rows_repair) {
  const made result = make_row({.format = row_format::value}, R"({"a":"\ud800","b":1e999})", true);
  EXPECT_EQ(result.row, R"({"value":"{\"a\":\"\\ud800\",\"b\":1e999}"})");
  EXPECT_EQ(result.counts.repaired, 0U);
}

// --- value rows
// --------------------------------------------------------------------------------------------------------

TEST(transform_value, escapes_the_event_text_once_and_keeps_all_members) {
  const made result = make_row({}, "{\"eventId\":\"1\", \"unknown\":\"a\\\"b\\\\c\",\n\"\\u00e9\":\"\xe4\xb8\xad\"}");
  EXPECT_EQ(result.row,
            "{\"value\":\"{\\\"eventId\\\":\\\"1\\\", \\\"unknown\\\":\\\"a\\\\\\\"b\\\\\\\\c\\\",\\n\\\"\\\\u00e9\\\":"
            "\\\"\xe4\xb8\xad\\\"}\"}");
}

TEST(transform_value, every_kernel_makes_the_same_rows) {
  std::vector<std::string> first;
  for (const kernel kind : kernels_here()) {
    event_block block;
    for (int i = 0; i < 50; ++i) {
      block.add(R"({"eventName":")" + std::string(static_cast<std::size_t>(i), '"' - 1) + R"(\"","n":)" +
                std::to_string(i) + "}");
    }
    rows out;
    transform{{}, kind}(block.get(), out);
    if (first.empty()) first = rows_of(out);
    EXPECT_EQ(rows_of(out), first);
  }
}

// --- over-long fields
// --------------------------------------------------------------------------------------------------

std::string string_of(std::size_t bytes, char c = 'x') { return '"' + std::string(bytes, c) + '"'; }

TEST(transform_typed, cuts_a_dynamic_column_by_its_raw_size) {
  const std::string fits = "[" + std::string(65'534, ' ') + "]";
  const std::string over = "[" + std::string(65'535, ' ') + "]";
  EXPECT_EQ(typed_member(R"("responseElements":)" + fits), R"({"responseElements":)" + fits + "}");
  EXPECT_EQ(typed_member(R"("responseElements":)" + over), R"({"responseElements":)" + mark_of(over) + "}");
}

TEST(transform_typed, cuts_a_text_column_by_its_decoded_size_with_the_mark_as_text) {
  EXPECT_EQ(typed_member(R"("userAgent":)" + string_of(65'536)), R"({"userAgent":)" + string_of(65'536) + "}");
  const std::string over = string_of(65'537);
  EXPECT_EQ(typed_member(R"("userAgent":)" + over), R"({"userAgent":)" + in_text(mark_of(over)) + "}");
  std::string escapes = "\"";
  for (int i = 0; i < 40'000; ++i) escapes += "\\n";
  escapes += '"';
  EXPECT_EQ(typed_member(R"("userAgent":)" + escapes), R"({"userAgent":)" + escapes + "}");
}

TEST(transform_typed, cuts_an_object_in_a_text_column_by_its_text) {
  const std::string over = R"({"a":)" + string_of(65'530) + "}";
  EXPECT_EQ(typed_member(R"("requestParameterJson":)" + over),
            R"({"requestParameterJson":)" + in_text(mark_of(over)) + "}");
}

TEST(transform_typed, counts_every_cut_field_and_hands_out_the_event_once) {
  const std::string event = "{" + std::string(good_time) + R"(,"additionalEventData":)" + string_of(70'000, 'a') +
                            R"(,"responseElements":)" + string_of(80'000, 'r') + "}";
  event_block block;
  block.add(R"({"eventId":"1"})");
  block.add(event);
  rows out;
  transform{{.format = row_format::typed, .order = row_order::arrival}}(block.get(), out);
  EXPECT_EQ(out.counts.cut_fields, 2U);
  ASSERT_EQ(out.cut.size(), 1U);
  EXPECT_EQ(out.cut[0].index, 1U);
  EXPECT_EQ(out.cut[0].field, column::additionalEventData);
  EXPECT_EQ(out.cut[0].original, event);
  EXPECT_EQ(out.refs.size(), 2U);
}

TEST(transform_value, cuts_an_event_over_the_limit_and_keeps_the_original) {
  const std::string answer = string_of(65'000);
  const std::string event = R"({"eventId":"1","requestParameterJson":)" + string_of(3'000, 'p') +
                            R"(,"responseElements":)" + answer + R"(,"userAgent":"u"})";
  const made result = make_row({}, event);
  EXPECT_EQ(result.counts.cut_fields, 1U);
  EXPECT_EQ(result.cut, 1U);
  EXPECT_EQ(result.cut_column, column::responseElements);
  const std::string cut = R"({"eventId":"1","requestParameterJson":)" + string_of(3'000, 'p') +
                          R"(,"responseElements":)" + mark_of(answer) + R"(,"userAgent":"u"})";
  EXPECT_EQ(result.row, R"({"value":)" + in_text(cut) + "}");
}

TEST(transform_value, leaves_an_event_of_exactly_the_limit_alone) {
  const std::string frame = R"({"responseElements":""})";
  const std::string event = R"({"responseElements":)" + string_of(65'536 - frame.size()) + "}";
  ASSERT_EQ(event.size(), 65'536U);
  EXPECT_EQ(make_row({}, event).row, R"({"value":)" + in_text(event) + "}");
  EXPECT_EQ(make_row({}, event).cut, 0U);
}

TEST(transform_value, sets_aside_an_event_that_no_cut_makes_fit) {
  std::string event = "{";
  for (int i = 0; i < 10'000; ++i) event += "\"k" + std::to_string(i) + "\":1,";
  event.back() = '}';
  const made result = make_row({}, event);
  EXPECT_EQ(result.row, "");
  EXPECT_EQ(result.bad, 1U);
  EXPECT_EQ(result.cut, 0U);
  EXPECT_EQ(result.counts.cut_fields, 0U);
}

TEST(transform, sets_aside_a_row_over_the_row_limit_and_goes_on) {
  event_block block;
  block.add(R"({"eventId":"1"})");
  block.add(R"({"eventId":")" + std::string(200, '2') + R"("})");
  block.add(R"({"eventId":"3"})");
  rows out;
  transform{{.order = row_order::arrival, .row_bytes_max = 100}}(block.get(), out);
  EXPECT_EQ(rows_of(out),
            (std::vector<std::string>{R"({"value":"{\"eventId\":\"1\"}"})", R"({"value":"{\"eventId\":\"3\"}"})"}));
  ASSERT_EQ(out.bad.size(), 1U);
  EXPECT_EQ(out.bad[0].index, 1U);
  EXPECT_EQ(out.bad[0].reason, set_aside_reason::too_large);
  EXPECT_EQ(out.bad[0].original, block.get().events[1].text);
}

TEST(transform, a_row_of_exactly_the_row_limit_passes) {
  const std::string row = R"({"value":"{}"})";
  EXPECT_EQ(make_row({.row_bytes_max = row.size()}, "{}").row, row);
  EXPECT_EQ(make_row({.row_bytes_max = row.size() - 1}, "{}").bad, 1U);
}

// --- order and form of the text
// ------------------------------------------------------------------------------------------

TEST(transform, puts_rows_of_one_event_name_together_and_keeps_the_order_of_arrival_otherwise) {
  event_block block;
  const std::uint32_t hashes[] = {7, 3, 7, 0xffffffff, 3, 0};
  for (std::size_t i = 0; i < 6; ++i) block.add(R"({"n":)" + std::to_string(i) + "}").name_hash = hashes[i];
  rows out;
  transform{{}}(block.get(), out);
  std::vector<std::uint32_t> indices;
  for (const row_ref& ref : out.refs) indices.push_back(ref.index);
  EXPECT_EQ(indices, (std::vector<std::uint32_t>{0, 2, 1, 4, 3, 5}));
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(out.row(i), R"({"value":"{\"n\":)" + std::to_string(indices[i]) + R"(}"})");
  }
}

TEST(transform, keeps_the_order_of_arrival_when_asked) {
  event_block block;
  for (std::uint32_t i = 0; i < 5; ++i) block.add(R"({"n":)" + std::to_string(i) + "}").name_hash = 9 - i;
  rows out;
  transform{{.order = row_order::arrival}}(block.get(), out);
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(out.refs[i].index, i);
}

TEST(transform, puts_one_comma_before_each_row_and_nothing_else_between) {
  event_block block;
  for (int i = 0; i < 3; ++i) block.add(R"({"eventName":"N)" + std::to_string(i) + "\"}");
  rows out;
  transform{{.order = row_order::arrival}}(block.get(), out);
  EXPECT_EQ(out.text, "," + std::string(out.row(0)) + "," + std::string(out.row(1)) + "," + std::string(out.row(2)));
  EXPECT_EQ(out.run(1, 3), "," + std::string(out.row(1)) + "," + std::string(out.row(2)));
}

TEST(transform, forgets_the_block_before) {
  event_block first;
  first.add(R"({"eventTime":"bad","responseElements":)" + string_of(70'000) + "}");
  event_block second;
  second.add("{" + std::string(good_time) + "}");
  rows out;
  transform stage{{.format = row_format::typed}};
  stage(first.get(), out);
  EXPECT_EQ(out.cut.size(), 1U);
  stage(second.get(), out);
  EXPECT_EQ(rows_of(out),
            (std::vector<std::string>{"{" + std::string(time_column) + "," + std::string(good_time) + "}"}));
  EXPECT_EQ(out.cut.size(), 0U);
  EXPECT_EQ(out.counts.cut_fields + out.counts.bad_event_times, 0U);
  stage(records{}, out);
  EXPECT_EQ(out.text, "");
}

TEST(transform, reads_nothing_beyond_an_events_text) {
  // Texts of just their size on the heap, so that ASan sees it.
  for (const auto format : {row_format::value, row_format::typed}) {
    for (std::size_t size = 0; size < 130; ++size) {
      const std::string event = R"({"userAgent":")" + std::string(size, 'u') + R"("})";
      const std::vector<char> exact(event.begin(), event.end());
      records in;
      record one;
      one.text = {exact.data(), exact.size()};
      one.slices[index_of(column::userAgent)] = one.text.substr(13, size + 2);
      one.time_s = 1;
      in.events.push_back(one);
      rows out;
      transform{{.format = format}}(in, out);
      ASSERT_EQ(out.refs.size(), 1U);
      if (format == row_format::typed) {
        ASSERT_EQ(out.row(0), R"({"TimeGenerated":"1970-01-01T00:00:01Z",)" + event.substr(1));
      }
    }
  }
}

}  // namespace
}  // namespace stages
