// What `penstock bench` is made of: its figures from slices, its input, its TLS connection, and its report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tools/penstock/bench_report.hpp"
#include "tools/penstock/bench_stages.hpp"
#include "tools/penstock/bench_tls.hpp"

namespace penstock {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(bench_figure, is_the_median_and_half_the_distance_of_the_quartiles) {
  const auto one = figure_of("x", {400, 100, 300, 200, 500});
  EXPECT_EQ(one.name, "x");
  EXPECT_DOUBLE_EQ(one.ns_per_unit, 300);
  EXPECT_DOUBLE_EQ(one.spread, (400.0 - 200.0) / 2 / 300);
}

TEST(bench_figure, of_a_single_slice_has_no_spread) {
  const auto one = figure_of("x", {250});
  EXPECT_DOUBLE_EQ(one.ns_per_unit, 250);
  EXPECT_DOUBLE_EQ(one.spread, 0);
}

TEST(bench_figure, does_not_move_with_one_disturbed_slice) {
  EXPECT_DOUBLE_EQ(figure_of("x", {100, 100, 100, 100, 9'000}).ns_per_unit, 100);
  EXPECT_DOUBLE_EQ(figure_of("x", {100, 100, 100, 100, 9'000}).spread, 0);
}

// A machine on which each pass takes a known time, and half of that as CPU time.
struct told_time {
  double wall = 0;
  double cpu = 0;
  bench_clocks clocks() {
    return {.wall_s = [this] { return wall; }, .cpu_s = [this] { return cpu; }};
  }
  bench_task task(std::string name, std::uint64_t units, double pass_s) {
    return {.name = std::move(name), .units = units, .pass = [this, pass_s] {
              wall += pass_s;
              cpu += pass_s / 2;
            }};
  }
};

TEST(bench_measure, counts_cpu_time_for_each_unit) {
  told_time time;
  const auto found = measure({time.task("slow", 10, 0.002), time.task("fast", 1'000, 0.001)}, 1.0, 5, time.clocks());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "slow");
  EXPECT_NEAR(found[0].ns_per_unit, 0.001 * 1e9 / 10, 1e-3);
  EXPECT_EQ(found[1].name, "fast");
  EXPECT_NEAR(found[1].ns_per_unit, 0.0005 * 1e9 / 1'000, 1e-3);
}

TEST(bench_measure, takes_about_the_seconds_it_was_given_and_never_less_than_a_pass_a_round) {
  told_time time;
  measure({time.task("a", 1, 0.01), time.task("b", 1, 0.01)}, 2.0, 10, time.clocks());
  EXPECT_NEAR(time.wall, 2.0, 0.25);  // the untimed passes, and passes that were begun in time
  told_time slow;
  measure({slow.task("a", 1, 5)}, 1.0, 3, slow.clocks());
  EXPECT_DOUBLE_EQ(slow.wall, 4 * 5);
}

TEST(bench_blocks, are_equal_for_equal_seeds_and_others_for_others) {
  const auto one = make_bench_blocks(7, 2, 100'000);
  const auto same = make_bench_blocks(7, 2, 100'000);
  const auto other = make_bench_blocks(8, 2, 100'000);
  ASSERT_EQ(one.blocks.size(), 2U);
  EXPECT_EQ(one.blocks[1].fetched.bytes.view(), same.blocks[1].fetched.bytes.view());
  EXPECT_NE(one.blocks[1].fetched.bytes.view(), other.blocks[1].fetched.bytes.view());
  EXPECT_NE(one.blocks[0].fetched.bytes.view(), one.blocks[1].fetched.bytes.view());
}

TEST(bench_blocks, hold_events_of_about_1_8_kb_and_say_how_many) {
  const auto made = make_bench_blocks(7, 3, 400'000);
  EXPECT_EQ(made.events, made.blocks[0].events + made.blocks[1].events + made.blocks[2].events);
  EXPECT_GE(made.plain_bytes, 3 * 400'000U);
  EXPECT_NEAR(static_cast<double>(made.text_bytes) / static_cast<double>(made.events), 1'800, 180);
}

TEST(bench_stages, a_pass_of_each_task_carries_every_event_through) {
  const auto blocks = make_bench_blocks(7, 2, 200'000);
  bench_stages all(blocks);
  std::vector<std::string> names;
  for (const bench_task& task : all.tasks()) {
    EXPECT_EQ(task.units, blocks.events) << task.name;
    EXPECT_NO_THROW(task.pass()) << task.name;
    names.push_back(task.name);
  }
  EXPECT_THAT(names, ElementsAre("decompress", "decode", "parse", "transform/typed", "transform/value", "compress",
                                 "chain/typed", "chain/value"));
  EXPECT_GT(all.typed_wire_bytes_per_event(), 100);
  EXPECT_GT(all.value_wire_bytes_per_event(), all.typed_wire_bytes_per_event());
}

TEST(bench_stages, refuse_a_block_that_is_broken) {
  auto blocks = make_bench_blocks(7, 1, 50'000);
  blocks.blocks[0].fetched.plain_bytes -= 1;
  EXPECT_THROW(bench_stages{blocks}, std::runtime_error);
}

TEST(bench_tls, sends_and_receives_over_tls_1_3_on_loopback) {
  const auto connection = tls_loopback::open();
  ASSERT_TRUE(connection.has_value()) << connection.error();
  EXPECT_EQ((*connection)->protocol(), "TLSv1.3 TLS_AES_128_GCM_SHA256");
  const auto tasks = (*connection)->tasks();
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[0].name, "tls/send");
  EXPECT_EQ(tasks[1].name, "tls/receive");
  for (const bench_task& task : tasks) {
    EXPECT_GT(task.units, 1'000'000U);
    EXPECT_NO_THROW(task.pass());
    EXPECT_NO_THROW(task.pass());
  }
}

TEST(processor_name, is_the_model_of_the_first_core_where_linux_tells_it) {
  EXPECT_EQ(processor_name("processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9R14\n\n"
                           "processor\t: 1\nmodel name\t: another\n",
                           "x86_64"),
            "AMD EPYC 9R14");
}

TEST(processor_name, on_arm_is_the_numbers_of_maker_and_design) {
  EXPECT_EQ(processor_name("processor\t: 0\nBogoMIPS\t: 2100.00\nFeatures\t: fp asimd aes\nCPU implementer\t: 0x41\n"
                           "CPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: 0xd40\nCPU revision\t: 1\n",
                           "aarch64"),
            "aarch64, implementer 0x41, part 0xd40");
}

TEST(processor_name, is_the_architecture_when_linux_tells_nothing_more) {
  EXPECT_EQ(processor_name("", "riscv64"), "riscv64");
  EXPECT_EQ(processor_name("processor\t: 0\nmodel name", "aarch64"), "aarch64");
}

TEST(aes_instructions, are_read_from_what_openssl_says_of_the_processor) {
  EXPECT_EQ(aes_instructions("OPENSSL_ia32cap=0xfffa3203078bffff:0x405fc6f1bf07ab"), "AES-NI, VAES");
  EXPECT_EQ(aes_instructions("OPENSSL_ia32cap=0xfffa3203078bffff:0x0"), "AES-NI");
  EXPECT_EQ(aes_instructions("OPENSSL_ia32cap=0xfdfa3203078bffff:0x405fc6f1bf07ab"), "");
  EXPECT_EQ(aes_instructions("OPENSSL_armcap=0xbd"), "ARMv8 AES");
  EXPECT_EQ(aes_instructions("OPENSSL_armcap=0x1"), "");
  EXPECT_EQ(aes_instructions(""), "");
}

constexpr reference_figure references[] = {{.name = "parse", .ns_per_unit = 400},
                                           {.name = "chain/typed", .ns_per_unit = 3'000},
                                           {.name = "tls/send", .ns_per_unit = 1},
                                           {.name = "tls/receive", .ns_per_unit = 0.5}};

bench_result sample() {
  return {.version = "1.2.3",
          .processor = "Some CPU \"fast\"",
          .cores = 4,
          .seed = 5,
          .events = 8'000,
          .event_bytes = 1'800,
          .received_bytes = 600,
          .typed_wire_bytes = 400,
          .value_wire_bytes = 440,
          .kernels = {{.family = "escape", .active = "avx2", .available = {"avx2", "portable"}},
                      {.family = "gzip fast", .active = "some gzip", .available = {}}},
          .stages = {{.name = "parse", .ns_per_unit = 200, .spread = 0.012},
                     {.name = "decode", .ns_per_unit = 25, .spread = 0},
                     {.name = "chain/typed", .ns_per_unit = 2'000, .spread = 0.03}},
          .tls = {{.name = "tls/send", .ns_per_unit = 2, .spread = 0},
                  {.name = "tls/receive", .ns_per_unit = 1, .spread = 0}},
          .tls_protocol = "TLSv1.3 SOME_CIPHER"};
}

TEST(bench_report, adds_the_bytes_of_an_event_both_ways_to_the_chain) {
  const auto one = sample();
  const auto sums = with_tls(one.stages, one.tls, one.received_bytes, one.typed_wire_bytes, one.value_wire_bytes);
  ASSERT_EQ(sums.size(), 1U);  // chain/value was not measured
  EXPECT_EQ(sums[0].name, "chain/typed");
  EXPECT_DOUBLE_EQ(sums[0].ns_per_event, 2'000 + 600 * 1 + 400 * 2);
  EXPECT_THAT(with_tls(one.stages, {}, 600, 400, 440), IsEmpty());
}

TEST(bench_report, compares_with_the_reference_so_that_faster_is_above_1) {
  EXPECT_DOUBLE_EQ(times_reference("parse", 200, references), 2);
  EXPECT_DOUBLE_EQ(times_reference("parse", 800, references), 0.5);
  EXPECT_DOUBLE_EQ(times_reference("decode", 25, references), 0);  // there is none
}

TEST(bench_report, text_shows_kernels_rates_and_ratios) {
  const std::string text = bench_text(sample(), references);
  EXPECT_THAT(text, HasSubstr("penstock 1.2.3 bench: Some CPU \"fast\", 4 cores\n"));
  EXPECT_THAT(text, HasSubstr("8,000 generated events of 1800 bytes (seed 5), one thread, CPU time\n"));
  EXPECT_THAT(text, HasSubstr("  escape       avx2  (this machine has avx2, portable)\n"));
  EXPECT_THAT(text, HasSubstr("  gzip fast    some gzip\n"));
  EXPECT_THAT(text, HasSubstr("stage                  events/s   ns/event   spread  reference\n"));
  EXPECT_THAT(text, HasSubstr("parse                 5,000,000        200    ±1.2%       2.00\n"));
  EXPECT_THAT(text, HasSubstr("decode               40,000,000         25    ±0.0%          -\n"));
  EXPECT_THAT(text, HasSubstr("chain/typed             500,000       2000    ±3.0%       1.50\n"));
  // 3,400 ns here; there 3,000 + 600 * 0.5 + 400 * 1 = 3,700.
  EXPECT_THAT(text, HasSubstr("chain/typed + TLS       294,118       3400                1.09\n"));
}

TEST(bench_report, text_says_when_the_machine_was_too_busy_to_measure) {
  auto one = sample();
  EXPECT_THAT(bench_text(one, references), Not(HasSubstr("busy")));
  one.stages[1].spread = 0.11;
  EXPECT_THAT(bench_text(one, references),
              HasSubstr("The machine was busy: figures with a spread above ±10% are to be"));
}

TEST(bench_report, text_says_why_tls_was_not_measured) {
  auto one = sample();
  one.tls.clear();
  one.tls_protocol = "TLS over loopback: no listener";
  const std::string text = bench_text(one, references);
  EXPECT_THAT(text, HasSubstr("TLS was not measured: TLS over loopback: no listener\n"));
  EXPECT_THAT(text, Not(HasSubstr("+ TLS")));
  EXPECT_THAT(bench_json(one, references),
              HasSubstr(R"("tls":{"measured":false,"reason":"TLS over loopback: no listener"})"));
}

TEST(bench_report, json_has_the_same_figures) {
  const std::string json = bench_json(sample(), references);
  EXPECT_THAT(json, HasSubstr(R"("version":"1.2.3","processor":"Some CPU \"fast\"","cores":4,"seed":5,"events":8000)"));
  EXPECT_THAT(json, HasSubstr(R"({"family":"escape","active":"avx2","available":["avx2","portable"]})"));
  EXPECT_THAT(json, HasSubstr(R"({"name":"parse","events_per_second":5000000,"ns_per_event":200,)"
                              R"("times_reference":2,"spread":0.012})"));
  EXPECT_THAT(json, HasSubstr(R"("ns_per_event":25,"times_reference":null,"spread":0})"));
  EXPECT_THAT(json, HasSubstr(R"("with_tls":[{"name":"chain/typed","events_per_second":294118,"ns_per_event":3400,)"));
  EXPECT_THAT(json, HasSubstr(R"("tls":{"measured":true,"protocol":"TLSv1.3 SOME_CIPHER","send_ns_per_byte":2,)"));
}

TEST(bench_report, has_a_published_figure_for_every_row) {
  const auto blocks = make_bench_blocks(7, 1, 20'000);
  bench_stages all(blocks);
  for (const bench_task& task : all.tasks())
    EXPECT_GT(times_reference(task.name, 1, reference_figures()), 10) << task.name;
  for (const auto* name : {"tls/send", "tls/receive"})
    EXPECT_GT(times_reference(name, 0.01, reference_figures()), 1) << name;
}

}  // namespace
}  // namespace penstock
