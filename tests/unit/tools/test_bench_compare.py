"""The benchmark's gate decides as agreed, from statistics that give known values. Run by ctest; needs no build."""
import importlib.machinery
import importlib.util
import json
import pathlib
import random
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

TOOLS = pathlib.Path(__file__).resolve().parents[3] / "tools"
sys.path.insert(0, str(TOOLS))
sys.dont_write_bytecode = True
import bench_comparison  # noqa: E402
import bench_counts  # noqa: E402
import bench_gate as gate  # noqa: E402
import bench_history  # noqa: E402
import bench_page  # noqa: E402
import bench_statistics as statistics  # noqa: E402
import bench_times  # noqa: E402
import bench_toolchain  # noqa: E402
import bench_trees  # noqa: E402


def command(name):
    """A command without an ending, as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(TOOLS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


baseline_command = command("bench-baseline")

TOOLCHAIN = {"machine": "x86_64", "compiler": "Debian clang version 19.1.7 (3~deb12u1)", "flags": "-O2 -g1",
             "packages": {"liblz4-dev": "1.9.4-1", "valgrind": "1:3.19.0-1"}}


def count(instructions, allocations=0.0, events=100):
    return {"instructions": instructions, "allocations": allocations, "events": events}


def times(*cpu_ns):
    return {"cpu_ns": list(cpu_ns), "wall_ns": [2 * value for value in cpu_ns]}


def compared(before, after, timed=None):
    rows = {"base": list(before), "head": list(after)}
    if timed:
        rows = {side: list(dict.fromkeys(rows[side] + list(timed[side]))) for side in rows}
    return bench_comparison.compare({"base": "1111111 before", "head": "2222222 <after> & more"}, rows,
                                    {"base": before, "head": after}, timed)


def verdicts(result):
    return {one["row"]: one["verdict"] for one in result["rows"]}


class Statistics(unittest.TestCase):
    def test_median_and_quartiles_lie_between_the_nearest_values(self):
        self.assertEqual(statistics.median([3, 1, 2]), 2)
        self.assertEqual(statistics.median([4, 1, 2, 3]), 2.5)
        self.assertEqual([statistics.quantile([10, 20, 30, 40, 50], share) for share in (0, 0.25, 0.75, 1)], [10, 20, 40, 50])
        self.assertEqual(statistics.median([7]), 7)

    def test_mann_whitney_gives_the_p_of_the_example_in_scipys_manual(self):
        u, p = statistics.mann_whitney([19, 22, 16, 29, 24], [20, 11, 17, 12])
        self.assertEqual(u, 17)
        self.assertAlmostEqual(p, 0.11134688653314041, places=12)

    def test_mann_whitney_corrects_for_ties(self):
        # By hand: ranks of the first side 1, 3, 3, 5.5; U = 2.5; groups of 1, 3, 2 and 2 equal values, so that the variance is
        # 16 / 12 * (9 - 36 / 56) = 11.1429 and z = (8 - 2.5 - 0.5) / 3.33809 = 1.49786.
        u, p = statistics.mann_whitney([1, 2, 2, 3], [2, 3, 4, 4])
        self.assertEqual(u, 2.5)
        self.assertAlmostEqual(p, 0.134169, places=5)

    def test_mann_whitney_is_the_same_from_both_sides(self):
        one, other = [5.1, 3.3, 4.7, 6.0], [4.7, 7.2, 8.8]
        self.assertEqual(statistics.mann_whitney(one, other)[1], statistics.mann_whitney(other, one)[1])
        self.assertEqual(statistics.mann_whitney(one, other)[0] + statistics.mann_whitney(other, one)[0], 12)

    def test_equal_values_are_no_difference(self):
        self.assertEqual(statistics.mann_whitney([4] * 10, [4] * 10)[1], 1.0)

    def test_a_side_without_values_is_refused(self):
        with self.assertRaises(ValueError):
            statistics.mann_whitney([], [1.0])

    def test_p_below_one_in_a_hundred_comes_by_chance_about_that_often(self):
        seed = 20_261_121
        print(f"seed {seed}")
        chance = random.Random(seed)
        low = sum(statistics.mann_whitney([chance.gauss(100, 9) for _ in range(10)], [chance.gauss(100, 9) for _ in range(10)])[1]
                  < 0.01 for _ in range(4000))
        self.assertGreater(low, 10)
        self.assertLess(low, 60)


class Counts(unittest.TestCase):
    def test_one_per_cent_more_warns_and_three_fail(self):
        self.assertEqual([gate.judge_count(1000, after) for after in (1000, 1010, 1011, 1030, 1031)],
                         [gate.FINE, gate.FINE, gate.WARNING, gate.WARNING, gate.FAILED])

    def test_less_is_better_from_one_per_cent_on(self):
        self.assertEqual([gate.judge_count(1000, after) for after in (990, 989, 500)], [gate.FINE, gate.BETTER, gate.BETTER])

    def test_where_nothing_was_allocated_the_first_allocation_fails(self):
        self.assertEqual(gate.judge_count(0, 0), gate.FINE)
        self.assertEqual(gate.judge_count(0, 0.0001), gate.FAILED)

    def test_what_got_better_does_not_make_up_for_what_got_worse(self):
        found = compared({"a": count(100), "b": count(100)}, {"a": count(50), "b": count(104)})
        self.assertEqual(verdicts(found), {"a": gate.BETTER, "b": gate.FAILED})
        self.assertEqual(found["verdict"], gate.FAILED)

    def test_more_allocations_fail_although_instructions_fell(self):
        found = compared({"a": count(100, 1.0)}, {"a": count(90, 1.04)})
        self.assertEqual(found["verdict"], gate.FAILED)

    def test_a_new_row_is_fine_and_a_row_that_is_gone_warns(self):
        found = compared({"gone": count(1)}, {"new": count(1)})
        self.assertEqual([(one["row"], one["presence"], one["verdict"]) for one in found["rows"]],
                         [("gone", "gone", gate.WARNING), ("new", "new", gate.FINE)])

    def test_counts_of_another_input_are_pointed_out(self):
        found = compared({"a": count(100, events=100)}, {"a": count(100, events=90)})
        self.assertEqual(found["rows"][0]["other_input"], "other input: 100 events before, 90 after")

    def test_what_does_not_repeat_within_a_thousandth_is_found(self):
        once = {"a": count(1000), "b": count(1000), "c": count(10)}
        again = {"a": count(1001), "b": count(1002), "c": count(10, 0.1)}
        self.assertEqual(bench_counts.differences(once, again), ["b", "c"])

    def test_a_callgrind_file_without_instructions_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "callgrind.out"
            file.write_text("events: Ir\nsummary: 0\ntotals: 4711\n")
            self.assertEqual(bench_counts.total_of(file), 4711)
            file.write_text("events: Ir\nsummary: 0\ntotals: 0\n")
            with self.assertRaises(bench_counts.CountError):
                bench_counts.total_of(file)

    def test_rows_with_threads_or_instructions_that_valgrind_lacks_are_not_counted(self):
        rows = ["stage/upload_tls/small", "kernel/escape_avx512/typical", "kernel/escape_avx2/typical", "primitive/cpu_pool"]
        self.assertEqual(bench_counts.countable(rows), ["kernel/escape_avx2/typical"])

    def test_without_a_pattern_the_rows_that_matter_are_chosen(self):
        have = ["stage/parse/large", "stage/parse/typical", "chain/typed/typical"]
        self.assertEqual(bench_counts.chosen_rows(have), ["stage/parse/typical", "chain/typed/typical"])
        self.assertEqual(bench_counts.chosen_rows(have, "parse"), ["stage/parse/large", "stage/parse/typical"])


class Times(unittest.TestCase):
    steady = [100.0, 101, 102, 103, 104, 105, 106, 107, 108, 109]

    def test_a_change_fails_when_it_is_large_and_not_by_chance(self):
        verdict, share, p = gate.judge_times(self.steady, [value * 1.1 for value in self.steady])
        self.assertEqual(verdict, gate.FAILED)
        self.assertAlmostEqual(share, 0.1)
        self.assertLess(p, 0.01)

    def test_a_small_change_is_none_however_sure_it_is(self):
        verdict, _, p = gate.judge_times([100.0 + i / 100 for i in range(10)], [104.0 + i / 100 for i in range(10)])
        self.assertLess(p, 0.01)
        self.assertEqual(verdict, gate.FINE)

    def test_a_large_change_is_none_when_chance_explains_it(self):
        wild = [60.0, 80, 100, 100, 100, 120, 140, 160, 180, 200]
        verdict, share, p = gate.judge_times(wild, [value * 1.1 for value in wild])
        self.assertEqual((verdict, round(share, 3)), (gate.FINE, 0.1))
        self.assertGreater(p, 0.01)

    def test_a_third_more_of_a_row_of_one_nanosecond_does_not_fail(self):
        tiny = [1.2 + i / 1000 for i in range(10)]
        verdict, share, p = gate.judge_times(tiny, [value + 0.4 for value in tiny])
        self.assertEqual(verdict, gate.FINE)
        self.assertGreater(share, 0.3)
        self.assertLess(p, 0.01)
        self.assertEqual(gate.judge_times(tiny, [value + 1.1 for value in tiny])[0], gate.FAILED)

    def test_the_same_code_somewhere_else_warns_and_fails_only_when_it_is_far_slower(self):
        def verdict(factor, instructions):
            after = times(*(value * factor for value in self.steady))
            found = compared({"a": count(24686)}, {"a": count(instructions)},
                             {"base": {"a": times(*self.steady)}, "head": {"a": after}})
            return found["verdict"]

        same, touched = 24686.5, 24700
        self.assertEqual([verdict(factor, same) for factor in (0.9, 1, 1.1, 1.2)],
                         [gate.FINE, gate.FINE, gate.WARNING, gate.FAILED])
        self.assertEqual([verdict(factor, touched) for factor in (0.9, 1, 1.1, 1.2)],
                         [gate.BETTER, gate.FINE, gate.FAILED, gate.FAILED])

    def test_another_number_of_allocations_is_other_code(self):
        found = compared({"a": count(1000, 0.0)}, {"a": count(1000, 0.001)},
                         {"base": {"a": times(*self.steady)}, "head": {"a": times(*(1.1 * value for value in self.steady))}})
        self.assertEqual(found["rows"][0]["cpu"]["verdict"], gate.FAILED)

    def test_where_the_twin_was_put_does_not_fail_the_kernel(self):
        portable = [10 * value for value in self.steady]
        before = {"kernel/escape_portable/t": times(*portable), "kernel/escape_avx512/t": times(*self.steady)}
        moved = before | {"kernel/escape_portable/t": times(*(0.9 * value for value in portable))}
        counts = {"kernel/escape_portable/t": count(100)}
        self.assertEqual(compared(counts, counts, {"base": before, "head": moved})["verdict"], gate.FINE)

    def test_less_time_is_better(self):
        self.assertEqual(gate.judge_times(self.steady, [value * 0.9 for value in self.steady])[0], gate.BETTER)

    def test_a_kernel_is_judged_by_its_advantage_over_its_twin_of_the_same_run(self):
        # The whole machine slows down by half: no regression. Then the kernel alone by a third.
        slow = [10 * value for value in self.steady]
        before = {"kernel/escape_portable/t": times(*slow), "kernel/escape_avx512/t": times(*self.steady)}
        machine = {row: times(*(1.5 * value for value in one["cpu_ns"])) for row, one in before.items()}
        ratios = [bench_times.times_faster(side, "kernel/escape_avx512/t") for side in (before, machine)]
        self.assertEqual(gate.judge_kernel(*ratios)[0], gate.FINE)
        worse = before | {"kernel/escape_avx512/t": times(*(1.33 * value for value in self.steady))}
        found = compared({}, {}, {"base": before, "head": worse})
        row = found["rows"][1]
        self.assertEqual((row["row"], row["times_portable"]["verdict"]), ("kernel/escape_avx512/t", gate.FAILED))
        self.assertEqual(found["verdict"], gate.FAILED)

    def test_the_twin_of_a_kernel_is_its_portable_row(self):
        self.assertEqual(bench_times.twin_of("kernel/escape_avx512/typical"), "kernel/escape_portable/typical")
        self.assertIsNone(bench_times.twin_of("kernel/escape_portable/typical"))
        self.assertIsNone(bench_times.twin_of("stage/parse/typical"))

    def test_times_are_per_event_of_the_quickest_try_and_wall_time_keeps_its_ratio(self):
        tries = [("iteration", "a", 1e6), ("iteration", "a", 2e6), ("aggregate", "a_mean", 1.5e6)]
        results = [{"run_type": kind, "name": name, "events_per_second": rate, "real_time": 30, "cpu_time": 10}
                   for kind, name, rate in tries]
        self.assertEqual(bench_times.times_of("noise\n" + json.dumps({"benchmarks": results})), {"a": (500.0, 1500.0)})


class Baseline(unittest.TestCase):
    def setUp(self):
        self.baseline = {"toolchain": TOOLCHAIN, "processor": "X 1 2", "rows": {"stage/parse/typical": count(1000)},
                         "kernels": {"kernel/escape_avx512/typical": 4.0}}

    def judged(self, instructions=1000, allocations=0.0, ratio=4.0, processor="X 1 2", **toolchain):
        found = {"toolchain": TOOLCHAIN | toolchain, "processor": processor,
                 "rows": {"stage/parse/typical": count(instructions, allocations)},
                 "kernels": {"kernel/escape_avx512/typical": ratio} if ratio else {}}
        return baseline_command.judged(self.baseline, found)[0]

    def test_the_same_counts_are_fine_and_four_per_cent_more_fail(self):
        self.assertEqual([self.judged(after)["verdict"] for after in (1000, 1020, 1040)], [gate.FINE, gate.WARNING, gate.FAILED])

    def test_with_another_compiler_instructions_are_not_judged_and_the_table_says_so(self):
        found = self.judged(1500, compiler="Debian clang version 20.1.0")
        self.assertEqual(found["verdict"], gate.WARNING)
        self.assertIn("instructions are NOT judged", bench_comparison.table(found))
        self.assertIn("compiler: Debian clang version 19.1.7", bench_comparison.table(found))

    def test_with_another_compiler_allocations_are_still_judged(self):
        self.assertEqual(self.judged(1000, 0.5, compiler="Debian clang version 20.1.0")["verdict"], gate.FAILED)

    def test_another_library_version_is_another_toolchain_and_a_debian_revision_is_not(self):
        other = {"liblz4-dev": "1.10.0-1", "valgrind": "1:3.19.0-1"}
        self.assertEqual(self.judged(1500, packages=other)["verdict"], gate.WARNING)
        fixed = {"liblz4-dev": "1.9.4-1+deb12u1", "valgrind": "1:3.19.0-2"}
        self.assertEqual(self.judged(1500, packages=fixed)["verdict"], gate.FAILED)

    def test_what_is_not_as_it_was_gets_a_line_that_tools_check_shows(self):
        found = self.judged(1020)
        lines = baseline_command.summary(found, [])
        self.assertEqual(lines, ["figure: bench-baseline: 1 rows, 0 kernels: warning",
                                 "figure: warning: stage/parse/typical: instructions +2.00 %, allocations +0.00 %"])

    def test_a_row_that_is_no_longer_there_fails(self):
        self.baseline["rows"]["stage/decode/typical"] = count(5)
        self.assertEqual(self.judged()["verdict"], gate.FAILED)

    def test_a_kernel_that_lost_a_quarter_of_its_advantage_fails(self):
        self.assertEqual([self.judged(ratio=ratio)["verdict"] for ratio in (3.01, 2.99)], [gate.FINE, gate.FAILED])

    def test_on_another_processor_a_kernel_needs_only_to_be_worth_having(self):
        elsewhere = [self.judged(ratio=ratio, processor="Y 3 4")["verdict"] for ratio in (1.6, 1.4)]
        self.assertEqual(elsewhere, [gate.FINE, gate.FAILED])

    def test_a_kernel_that_the_processor_lacks_is_not_judged(self):
        self.assertEqual(self.judged(ratio=None, processor="Y 3 4")["verdict"], gate.FINE)

    def test_the_recorded_baseline_has_the_rows_that_matter_and_what_they_were_built_with(self):
        recorded = json.loads(baseline_command.BASELINE.read_text())
        self.assertLessEqual(set(recorded["rows"]), set(bench_counts.ROWS))
        self.assertIn("chain/typed/typical", recorded["rows"])
        self.assertTrue(all(one["instructions"] > 0 and one["allocations"] >= 0 for one in recorded["rows"].values()))
        self.assertEqual(bench_toolchain.toolchain_differences(recorded["toolchain"], recorded["toolchain"]), [])


class Output(unittest.TestCase):
    def setUp(self):
        row = "chain/typed/typical"
        self.result = compared({row: count(33_000), "stage/batch/typical": count(20)}, {row: count(34_500), "new": count(1)},
                               {"base": {row: times(*range(100, 110))}, "head": {row: times(*range(110, 120))}})
        self.result |= {"toolchain": TOOLCHAIN, "date": "2026-11-21"}

    def test_the_table_names_each_row_with_its_figures(self):
        lines = bench_comparison.table(self.result).splitlines()
        row = next(line for line in lines if line.startswith("chain/typed/typical"))
        for word in ("33,000 34,500", "+4.55 %", "104.5 114.5", "+9.57 %", "0.000", "FAILED"):
            self.assertIn(word, row)
        self.assertTrue(any(line.startswith("stage/batch/typical") and line.endswith("gone row: warning") for line in lines))

    def test_without_times_the_table_has_no_columns_for_them(self):
        self.assertNotIn("CPU", bench_comparison.table(compared({"a": count(1)}, {"a": count(1)})))

    def test_the_page_is_well_formed_and_has_a_plot_for_each_row(self):
        text = bench_page.page(self.result, [])
        root = xml.fromstring(text.removeprefix("<!DOCTYPE html>"))
        cards = root.findall(".//section")
        self.assertEqual([card.find("header/h3").text for card in cards], ["chain/typed/typical", "stage/batch/typical", "new"])
        self.assertEqual(len(cards[0].findall(".//circle")), 20)
        self.assertIn("<after> & more", "".join(root.itertext()))

    def test_the_page_loads_nothing(self):
        text = bench_page.page(self.result, [])
        for word in ("<script", "src=", "http:", "https:", "url(", "@import"):
            self.assertNotIn(word, text)

    def test_history_is_appended_line_by_line_and_plotted(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "history.jsonl"
            self.assertEqual(bench_history.read(file), [])
            older = bench_history.entry_of(self.result) | {"revision": "0000000 older"}
            bench_history.append(file, older)
            bench_history.append(file, bench_history.entry_of(self.result))
            entries = bench_history.read(file)
        self.assertEqual(bench_history.series(entries, "chain/typed/typical"),
                         [("0000000 older", 34_500), ("2222222 <after> & more", 34_500)])
        self.assertEqual(bench_history.series(entries, "chain/typed/typical", "cpu_ns")[0][1], 114.5)
        self.assertIn("over 2 revisions", bench_page.page(self.result, entries))


class Trees(unittest.TestCase):
    def test_a_tree_holds_just_the_files_given_and_equal_ones_keep_their_times(self):
        with tempfile.TemporaryDirectory() as made:
            folder = pathlib.Path(made) / "source"
            bench_trees.write_tree({"a/x.cpp": (b"one", 0o644), "b.sh": (b"two", 0o755)}, folder)
            before = (folder / "a/x.cpp").stat().st_mtime_ns
            bench_trees.write_tree({"a/x.cpp": (b"one", 0o644), "c": (b"three", 0o644)}, folder)
            self.assertEqual((folder / "a/x.cpp").stat().st_mtime_ns, before)
            self.assertEqual(bench_trees.files_of_folder(folder), {"a/x.cpp": (b"one", 0o644), "c": (b"three", 0o644)})

    def test_a_folder_without_sources_cannot_be_built(self):
        with tempfile.TemporaryDirectory() as made:
            with self.assertRaises(bench_trees.BuildError):
                bench_trees.built(made, pathlib.Path(made) / "base")


if __name__ == "__main__":
    unittest.main()
