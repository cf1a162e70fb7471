// What holds for every pure stage: nothing in, nothing out; one huge input; its limit is kept.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "stages/batch.hpp"
#include "stages/compress.hpp"
#include "stages/decode.hpp"
#include "stages/decompress.hpp"
#include "stages/parse.hpp"
#include "stages/telemetry.hpp"
#include "stages/transform.hpp"
#include "tests/contract/tiny_cloud.hpp"
#include "tests/unit/stages/wire_text.hpp"

namespace {

using engine::kib;
using engine::mib;
using stages::test::make_rows;
using stages::test::text_of;

// --- decompress ----------------------------------------------------------------------------------------------------

stages::fetched_block compressed_block(const std::string& plain) {
  stages::fetched_block out;
  out.coding = stages::codec::lz4;
  out.plain_bytes = plain.size();
  const std::string wire = tests::lz4_of(plain);
  out.bytes = engine::buffer(wire.size());
  out.bytes.append(wire);
  return out;
}

void decompress_takes_nothing() {
  engine::buffer_pool pool(0);
  stages::decompress decompress(pool);
  engine::buffer storage;
  const auto plain = decompress({}, storage);
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->size, 0U);
  EXPECT_EQ(storage.view(), std::string(stages::padding_bytes, ' '));
}

void decompress_takes_one_huge_input() {
  engine::buffer_pool pool(0);
  stages::decompress decompress(pool);
  engine::buffer storage;
  const std::string whole(32 * mib, 'x');
  const auto plain = decompress(compressed_block(whole), storage);
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->view(), whole);
}

void decompress_keeps_its_limit() {
  engine::buffer_pool pool(0);
  stages::decompress decompress(pool);
  engine::buffer storage;
  auto block = compressed_block("small");
  block.plain_bytes = stages::plain_bytes_max + 1;
  EXPECT_EQ(decompress(block, storage).error(), stages::decompress_errc::too_large);
  EXPECT_EQ(storage.capacity(), 0U);  // nothing was allocated for what was announced
}

// --- decode --------------------------------------------------------------------------------------------------------

void decode_takes_nothing() {
  tests::padded_block bytes("");
  stages::log_groups groups;
  ASSERT_TRUE(stages::decode(bytes.block(), 0, groups).has_value());
  EXPECT_TRUE(groups.logs.empty() && groups.groups.empty());
}

void decode_takes_one_huge_input() {
  const std::string text(24 * mib, 'e');
  tests::padded_block bytes(tests::group_list({tests::log_group_builder().event(text)}));
  stages::log_groups groups;
  ASSERT_TRUE(stages::decode(bytes.block(), 1, groups).has_value());
  ASSERT_EQ(groups.logs.size(), 1U);
  EXPECT_EQ(groups.logs[0].event, text);
}

void decode_keeps_its_limit() {
  tests::log_group_builder group;
  for (std::size_t i = 0; i < stages::logs_max; ++i) group.raw(std::string_view("\x0a\x00", 2));
  stages::log_groups groups;
  tests::padded_block most(tests::group_list({group}));
  ASSERT_TRUE(stages::decode(most.block(), 1, groups).has_value());
  EXPECT_EQ(groups.logs.size(), stages::logs_max);
  group.raw(std::string_view("\x0a\x00", 2));
  tests::padded_block too_many(tests::group_list({group}));
  EXPECT_EQ(stages::decode(too_many.block(), 1, groups).error(), stages::decode_errc::malformed);
  EXPECT_TRUE(groups.logs.empty());
}

// --- parse ---------------------------------------------------------------------------------------------------------

// Events, decoded and parsed; the records view the block.
struct parsed {
  explicit parsed(const std::vector<std::string>& events) : bytes(list_of(events)) {
    EXPECT_TRUE(stages::decode(bytes.block(), std::nullopt, groups).has_value());
    parse(groups, records);
  }
  static std::string list_of(const std::vector<std::string>& events) {
    tests::log_group_builder group;
    for (const std::string& event : events) group.event(event);
    return events.empty() ? "" : tests::group_list({group});
  }
  tests::padded_block bytes;
  stages::log_groups groups;
  stages::parse parse;
  stages::records records;
};

std::string event_of(std::size_t bytes) {
  const std::string head = R"({"eventId":"huge","a":")";
  return head + std::string(bytes - head.size() - 2, 'a') + "\"}";
}

void parse_takes_nothing() {
  const parsed none({});
  EXPECT_TRUE(none.records.events.empty() && none.records.bad.empty());
}

void parse_takes_one_huge_input() {
  const std::string text = event_of(stages::parse_options{}.event_bytes_max);
  const parsed one({text});
  ASSERT_EQ(one.records.events.size(), 1U);
  EXPECT_EQ(one.records.events[0].text, text);
  EXPECT_EQ(one.records.events[0].slices[static_cast<std::size_t>(stages::column::eventId)], "\"huge\"");
}

void parse_keeps_its_limit() {
  const auto nested = [](std::size_t depth) {
    return R"({"a":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  const parsed some({event_of(stages::parse_options{}.event_bytes_max + 1), nested(stages::nesting_max + 1),
                     nested(stages::nesting_max)});
  ASSERT_EQ(some.records.bad.size(), 2U);
  EXPECT_EQ(some.records.bad[0].reason, stages::set_aside_reason::too_large);
  EXPECT_EQ(some.records.bad[1].reason, stages::set_aside_reason::too_deep);
  ASSERT_EQ(some.records.events.size(), 1U);
  EXPECT_EQ(some.records.events[0].index, 2U);
}

// --- transform -----------------------------------------------------------------------------------------------------

void transform_takes_nothing() {
  stages::transform transform({.format = stages::row_format::typed});
  stages::rows rows;
  transform({}, rows);
  EXPECT_TRUE(rows.text.empty() && rows.refs.empty() && rows.bad.empty() && rows.cut.empty());
}

void transform_takes_one_huge_input() {
  const std::string field(8 * mib, 'f');
  const parsed one({R"({"eventId":"huge","requestParameters":{"a":")" + field + "\"}}"});
  stages::transform transform({.format = stages::row_format::typed});
  stages::rows rows;
  transform(one.records, rows);
  ASSERT_EQ(rows.refs.size(), 1U);
  EXPECT_EQ(rows.counts.cut_fields, 1U);
  ASSERT_EQ(rows.cut.size(), 1U);
  EXPECT_EQ(rows.cut[0].original, one.records.events[0].text);
  EXPECT_NE(rows.row(0).find(R"("penstock_cut":{"bytes":)"), std::string_view::npos);
  EXPECT_LT(rows.row(0).size(), kib);
}

void transform_keeps_its_limit() {
  const std::string filler(900, 'f');
  const parsed two({R"({"eventId":"fits","a":1})", R"({"eventId":"large","errorMessage":")" + filler + "\"}"});
  stages::transform transform({.format = stages::row_format::typed, .row_bytes_max = 500});
  stages::rows rows;
  transform(two.records, rows);
  ASSERT_EQ(rows.refs.size(), 1U);
  EXPECT_NE(rows.row(0).find("fits"), std::string_view::npos);
  ASSERT_EQ(rows.bad.size(), 1U);
  EXPECT_EQ(rows.bad[0].reason, stages::set_aside_reason::too_large);
  EXPECT_EQ(rows.bad[0].index, 1U);
}

// --- batch ---------------------------------------------------------------------------------------------------------

struct filled {
  explicit filled(stages::compression_level level, std::size_t wire_bytes_max)
      : encoder(stages::make_encoder(level, {.wire_bytes_max = wire_bytes_max}, pool)),
        batch({.wire_bytes_max = wire_bytes_max}, *encoder) {}
  engine::buffer_pool pool{0};
  std::unique_ptr<stages::encoder> encoder;
  stages::batch batch;
};

void batch_takes_nothing() {
  filled open(stages::compression_level::fast, mib);
  const auto added = open.batch.add({}, 0, engine::time_point{});
  EXPECT_EQ(added.rows, 0U);
  EXPECT_FALSE(added.next_fits_nowhere);
  EXPECT_TRUE(open.batch.empty());
  EXPECT_EQ(open.batch.deadline(), std::nullopt);
}

void batch_takes_one_huge_input() {
  filled open(stages::compression_level::fast, mib);
  open.batch.set_raw_bytes_max(1'000'000);
  const stages::rows rows = make_rows({"{\"a\":\"" + std::string(4 * mib, 'a') + "\"}", "{}"});
  EXPECT_EQ(open.batch.add(rows, 0, engine::time_point{}).rows, 1U);  // larger than the raw limit: alone
  const stages::body body = open.batch.close();
  EXPECT_EQ(text_of(body), "[" + std::string(rows.row(0)) + "]");
}

void batch_keeps_its_limit() {
  constexpr std::size_t wire_bytes_max = 100'000;
  filled open(stages::compression_level::fast, wire_bytes_max);
  stages::test::text_source source(stages::test::texture::base64, 7);
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) texts.push_back("\"" + source.take(1 + source.below(3'000)) + "\"");
  texts.push_back("\"" + source.take(2 * wire_bytes_max) + "\"");
  const stages::rows rows = make_rows(texts);
  std::size_t row = 0;
  std::string all;
  bool fits_nowhere = false;
  while (row < rows.refs.size() && !fits_nowhere) {
    const auto added = open.batch.add(rows, row, engine::time_point{});
    row += added.rows;
    fits_nowhere = added.next_fits_nowhere;
    if (open.batch.empty()) continue;
    const stages::body body = open.batch.close();
    EXPECT_LE(body.wire.size(), wire_bytes_max);
    std::string text = text_of(body);
    text.front() = ',';
    text.pop_back();
    all += text;
  }
  EXPECT_TRUE(fits_nowhere);
  EXPECT_EQ(row, 500U);
  EXPECT_EQ(all, rows.run(0, 500));
}

// --- compress ------------------------------------------------------------------------------------------------------

constexpr std::array levels = {stages::compression_level::fast, stages::compression_level::small,
                               stages::compression_level::none};

void compress_takes_nothing() {
  engine::buffer_pool pool(0);
  for (const auto level : levels) {
    const auto encoder = stages::make_encoder(level, {}, pool);
    EXPECT_EQ(encoder->row_count(), 0U);
    EXPECT_EQ(encoder->raw_bytes(), 0U);
    encoder->flush();
    encoder->reset();
    EXPECT_EQ(encoder->row_count(), 0U);
    EXPECT_LE(encoder->wire_bytes_bound(), stages::encoder_limits{}.wire_bytes_max);
  }
}

void compress_takes_one_huge_input() {
  engine::buffer_pool pool(0);
  const std::string row = "{\"a\":\"" + std::string(7 * mib, 'a') + "\"}";
  for (const auto level : {stages::compression_level::fast, stages::compression_level::small}) {
    const auto encoder = stages::make_encoder(level, {}, pool);
    stages::test::append_all(*encoder, make_rows({row}));
    encoder->flush();
    ASSERT_LE(encoder->wire_bytes_bound(), stages::encoder_limits{}.wire_bytes_max);
    const stages::body body = encoder->finish();
    EXPECT_EQ(body.raw_bytes, row.size() + 2);
    EXPECT_TRUE(text_of(body) == "[" + row + "]");
  }
}

void compress_keeps_its_limit() {
  constexpr std::size_t wire_bytes_max = 300'000;
  engine::buffer_pool pool(0);
  for (const auto level : levels) {
    for (const auto texture : stages::test::textures) {
      const auto encoder = stages::make_encoder(level, {.wire_bytes_max = wire_bytes_max}, pool);
      stages::test::text_source source(texture, 11);
      std::vector<std::string> texts;
      for (int i = 0; i < 400; ++i) {
        texts.push_back(source.take(1'000));
        if (encoder->wire_bytes_bound_after(1'001) > wire_bytes_max) break;
        const auto promised = encoder->wire_bytes_bound_after(1'001);
        stages::test::append_all(*encoder, make_rows({texts.back()}));
        EXPECT_LE(encoder->wire_bytes_bound(), promised);
      }
      const auto bound = encoder->wire_bytes_bound();
      const stages::body body = encoder->finish();
      EXPECT_LE(body.wire.size(), bound);
      EXPECT_LE(body.wire.size(), wire_bytes_max);
      texts.resize(body.row_bytes.size());
      EXPECT_TRUE(text_of(body) == stages::test::joined(texts));
    }
  }
}

// --- the table -----------------------------------------------------------------------------------------------------

struct pure_stage {
  stages::stage_name stage;
  void (*takes_nothing)();
  void (*takes_one_huge_input)();
  void (*keeps_its_limit)();
};
void PrintTo(const pure_stage& one, std::ostream* out) { *out << name_of(one.stage); }

constexpr std::array table = {
    pure_stage{stages::stage_name::decompress, decompress_takes_nothing, decompress_takes_one_huge_input,
               decompress_keeps_its_limit},
    pure_stage{stages::stage_name::decode, decode_takes_nothing, decode_takes_one_huge_input, decode_keeps_its_limit},
    pure_stage{stages::stage_name::parse, parse_takes_nothing, parse_takes_one_huge_input, parse_keeps_its_limit},
    pure_stage{stages::stage_name::transform, transform_takes_nothing, transform_takes_one_huge_input,
               transform_keeps_its_limit},
    pure_stage{stages::stage_name::batch, batch_takes_nothing, batch_takes_one_huge_input, batch_keeps_its_limit},
    pure_stage{stages::stage_name::compress, compress_takes_nothing, compress_takes_one_huge_input,
               compress_keeps_its_limit},
};

class every_pure_stage : public testing::TestWithParam<pure_stage> {};
TEST_P(every_pure_stage, takes_nothing) { GetParam().takes_nothing(); }
TEST_P(every_pure_stage, takes_one_huge_input) { GetParam().takes_one_huge_input(); }
TEST_P(every_pure_stage, keeps_its_limit) { GetParam().keeps_its_limit(); }
INSTANTIATE_TEST_SUITE_P(contract, every_pure_stage, testing::ValuesIn(table),
                         [](const auto& one) { return std::string(stages::name_of(one.param.stage)); });

TEST(pure_stages, the_table_holds_all_between_the_two_that_talk) {
  ASSERT_EQ(table.size(), stages::stage_count - 2);
  for (std::size_t i = 0; i < table.size(); ++i) EXPECT_EQ(static_cast<std::size_t>(table[i].stage), i + 1);
}

}  // namespace
