#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "ledger_world.hpp"
#include "tools/emulator/event_source.hpp"
#include "tools/emulator/json_value.hpp"
#include "tools/emulator/typed_row.hpp"

namespace {

using namespace emulator;

constexpr std::int64_t first_time_s = 1'763'683'200;
constexpr std::uint64_t sample = 20'000;
constexpr std::string_view account = "1234500000000001";

const std::vector<event_record>& events() {
  static const auto made = [] {
    std::vector<event_record> all;
    const auto source = make_generator(7, first_time_s);
    for (std::uint64_t i = 0; i < sample; ++i) all.push_back(source->make(account, i));
    return all;
  }();
  return made;
}

std::uint64_t events_with(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      events(), [&](const event_record& one) { return one.text.find(text) != std::string::npos; }));
}

TEST(generator, gives_equal_events_for_equal_seeds_in_any_order) {
  const auto source = make_generator(7, first_time_s);
  for (const std::uint64_t i : {19'999U, 0U, 123U, 5U}) {
    EXPECT_EQ(source->make(account, i).text, events()[i].text);
    EXPECT_EQ(source->make(account, i).time_s, events()[i].time_s);
  }
  EXPECT_NE(make_generator(8, first_time_s)->make(account, 0).text, events()[0].text);
  EXPECT_NE(source->make("1234500000000002", 0).text, events()[0].text);
}

TEST(generator, gives_equal_events_on_every_thread) {
  const auto source = make_generator(7, first_time_s);
  std::vector<std::string> other;
  std::thread([&] {
    for (std::uint64_t i = 0; i < 100; ++i) other.push_back(source->make(account, i).text);
  }).join();
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(other[i], events()[i].text);
}

TEST(generator, makes_texts_of_1800_bytes_on_average) {
  double bytes = 0;
  for (const event_record& one : events()) bytes += static_cast<double>(one.text.size());
  EXPECT_NEAR(bytes / sample, 1800, 180);
}

TEST(generator, makes_no_event_the_destination_would_cut) {
  const auto longest = std::ranges::max_element(events(), {}, [](const event_record& one) { return one.text.size(); });
  EXPECT_LT(longest->text.size(), field_bytes_max);
  EXPECT_GT(longest->text.size(), 10'000U);
}

TEST(generator, makes_valid_events_with_ids_of_their_own) {
  std::set<std::string> ids;
  std::set<std::string> names;
  event_reader reader;
  for (const event_record& one : events()) {
    ASSERT_TRUE(reader.read(one.text, 0)) << one.text;
    ids.emplace(reader.row().event_id());
    names.insert(reader.row().values[column_number("eventName")]);
  }
  EXPECT_EQ(ids.size(), sample);
  EXPECT_FALSE(ids.contains(""));
  EXPECT_GE(names.size(), 40U);
}

TEST(generator, keeps_ids_of_accounts_apart) {
  const auto source = make_generator(7, first_time_s);
  std::set<std::string> ids;
  event_reader reader;
  for (int account_number = 0; account_number < 50; ++account_number) {
    for (std::uint64_t i = 0; i < 50; ++i) {
      reader.read(source->make(std::to_string(1000 + account_number), i).text, 0);
      ids.emplace(reader.row().event_id());
    }
  }
  EXPECT_EQ(ids.size(), 2500U);
}

TEST(generator, makes_event_time_the_log_time_as_a_rule) {
  event_reader reader;
  std::uint64_t equal = 0;
  for (const event_record& one : events()) {
    reader.read(one.text, 0);
    equal += reader.row().values[time_column] == canonical_instant(one.time_s, 0) ? 1U : 0U;
  }
  EXPECT_GT(equal, sample * 99 / 100);
  EXPECT_LT(equal, sample);
  EXPECT_EQ(events().front().time_s, first_time_s);
  EXPECT_GT(events().back().time_s, first_time_s + 600);
}

TEST(generator, shows_every_oddity) {
  for (const std::string_view oddity : {R"("SystemDisk.Size")",
                                        R"("LookupAttribute.1.Key")",
                                        R"(" charset")",
                                        R"("X-Acs-Client-Tls-Version")",
                                        R"("__expanded")",
                                        R"("userClientIp")",
                                        R"("UserClientIp")",
                                        R"("errorCode":null)",
                                        R"("errorCode":"")",
                                        R"("errorCode":"null")",
                                        R"("errorCode":"202")",
                                        R"("eventVersion":1,)",
                                        R"("eventVersion":"1")",
                                        R"("ActionTrailInsight")",
                                        R"(\ud83d)",
                                        "+0000",
                                        R"("isGlobal":"true")",
                                        R"("resourceName":[)",
                                        R"(\u5f20\u4f1f)",
                                        "张伟",
                                        R"(\u0007)",
                                        R"("RoleSessionName":)",
                                        R"("https":"False")",
                                        R"([\\\")",
                                        R"("AliyunServiceEvent")",
                                        R"("userAgent":"")",
                                        R"("Internal")",
                                        R"("requestParameterJson")",
                                        R"("extend")",
                                        R"("eventAttributes")"}) {
    EXPECT_GT(events_with(oddity), 0U) << oddity;
  }
  // No eventName, no identity, no eventTime.
  EXPECT_LT(events_with(R"("eventName")"), sample);
  EXPECT_LT(events_with(R"("userIdentity")"), sample);
  EXPECT_LT(events_with(R"("eventTime")"), sample);
}

TEST(generator, shuffles_keys_in_three_of_ten_and_escapes_in_a_quarter) {
  const auto in_order = static_cast<double>(
      std::ranges::count_if(events(), [](const event_record& one) { return one.text.starts_with(R"({"eventId":)"); }));
  EXPECT_NEAR(in_order / sample, 0.72, 0.03);  // some shuffled ones begin so too
  const auto plain = [](const event_record& one) {
    return std::ranges::none_of(one.text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  };
  const double escaped = static_cast<double>(events_with(R"(\u5f20\u4f1f)"));
  EXPECT_NEAR(escaped / (escaped + static_cast<double>(events_with("张伟"))), 0.25, 0.04);
  EXPECT_LT(std::ranges::count_if(events(), plain), static_cast<std::ptrdiff_t>(sample));
}

TEST(generator, compresses_like_real_events) {
  std::string text;
  for (std::size_t i = 0; i < 1000; ++i) text += events()[i].text;
  const double ratio = static_cast<double>(text.size()) / static_cast<double>(emulator_tests::gzipped(text).size());
  EXPECT_GT(ratio, 3.5);
  EXPECT_LT(ratio, 5.5);
}

}  // namespace
