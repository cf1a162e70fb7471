"""tools/bench-table makes the right table of a report, and fails when the benchmark does. Run by ctest; needs no build."""
import importlib.machinery
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOL = ROOT / "tools/bench-table"
sys.dont_write_bytecode = True  # it would stand beside the tool
loader = importlib.machinery.SourceFileLoader("bench_table", str(TOOL))
bench_table = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_table", loader))
loader.exec_module(bench_table)


def run(name, events_per_second, **more):
    return {"run_name": name, "run_type": "iteration", "events_per_second": events_per_second,
            "bytes_per_second": 2_000_000.0, "allocations_per_event": 0.0, **more}


def report(*runs):
    return {"context": {}, "benchmarks": list(runs)}


class Rows(unittest.TestCase):
    def test_a_row_is_the_median_of_its_repetitions(self):
        rows = bench_table.rows_of(report(run("stage/parse/small", 1e6), run("stage/parse/small", 4e6),
                                          run("stage/parse/small", 2e6)))
        self.assertEqual(list(rows), ["stage/parse/small"])
        row = rows["stage/parse/small"]
        self.assertEqual(row["events_per_second"], 2e6)
        self.assertEqual(row["ns_per_event"], 500)
        self.assertEqual(row["mb_per_second"], 2)
        self.assertEqual(row["spread"], 1.5)
        self.assertIsNone(row["ratio"])

    def test_interleaved_repetitions_belong_to_their_rows(self):
        rows = bench_table.rows_of(report(run("a", 1e6), run("b", 5e6), run("a", 1e6), run("b", 7e6)))
        self.assertEqual([row["events_per_second"] for row in rows.values()], [1e6, 6e6])

    def test_rows_stand_in_the_order_of_the_data_path_and_others_by_name_after_them(self):
        names = ["primitive/queue", "chain/typed/large", "kernel/b/small", "chain/plain/hostile", "stage/compress/typical",
                 "stage/decode/hostile", "stage/compress/small"]
        rows = bench_table.rows_of(report(*(run(name, 1e6) for name in names)))
        self.assertEqual(list(rows), ["stage/decode/hostile", "stage/compress/small", "stage/compress/typical",
                                      "chain/plain/hostile", "chain/typed/large", "kernel/b/small", "primitive/queue"])

    def test_the_benchmarks_own_aggregates_are_not_counted_again(self):
        rows = bench_table.rows_of(report(run("a", 1e6), run("a", 9e9, run_type="aggregate", aggregate_name="mean")))
        self.assertEqual(rows["a"]["events_per_second"], 1e6)

    def test_a_row_that_failed_or_timed_nothing_fails_the_report(self):
        failed = run("a", 1e6, error_occurred=True, error_message="no route")
        with self.assertRaisesRegex(bench_table.BenchFailed, "a: no route"):
            bench_table.rows_of(report(failed))
        with self.assertRaisesRegex(bench_table.BenchFailed, "a: nothing was timed"):
            bench_table.rows_of(report(run("a", 0.0)))


class Table(unittest.TestCase):
    def test_columns_stand_below_their_heads(self):
        rows = bench_table.rows_of(report(run("chain/typed/small", 400_000, ratio=5.1234, allocations_per_event=0.00012),
                                          run("primitive/queue", 10_000_000, bytes_per_second=0.0)))
        self.assertEqual(bench_table.table(rows), [
            "row                ns/event    events/s  MB/s in  ratio  allocations/event  spread",
            "chain/typed/small   2,500.0     400,000      2.0   5.12            0.00012      0%",
            "primitive/queue       100.0  10,000,000        -      -                  0      0%",
        ])


class Multiples(unittest.TestCase):
    def test_each_corpus_is_compared_with_its_own_plain_chain(self):
        rows = bench_table.rows_of(report(
            run("chain/typed/small", 600_000), run("chain/typed/typical", 300_000), run("chain/value/typical", 250_000),
            run("chain/plain/small", 100_000), run("chain/plain/typical", 20_000)))
        self.assertEqual(bench_table.multiples(rows),
                         ["small: typed = 6.0x plain", "typical: typed = 15.0x plain, value = 12.5x plain"])

    def test_a_multiple_says_why_it_is_in_doubt(self):
        def told(**counters):
            rows = bench_table.rows_of(report(run("chain/typed/file", 600_000), run("chain/plain/file", 100_000, **counters)))
            return bench_table.multiples(rows)
        self.assertEqual(told(rows_per_event=1, repeats=1), ["file: typed = 6.0x plain"])
        self.assertEqual(told(rows_per_event=0.964), ["file: typed = 6.0x plain (which leaves out 3.6% of the events)"])
        self.assertEqual(told(rows_per_event=0.5, repeats=1234.5),
                         ["file: typed = 6.0x plain (which leaves out 50.0% of the events; each event comes 1,234.5 times, "
                          "which compresses too well)"])

    def test_without_a_plain_chain_there_is_none(self):
        self.assertEqual(bench_table.multiples(bench_table.rows_of(report(run("chain/typed/small", 1e6)))), [])
        self.assertEqual(bench_table.multiples(bench_table.rows_of(report(run("chain/plain/small", 1e6)))), [])


class Rooflines(unittest.TestCase):
    def test_a_stage_is_a_multiple_of_its_limit_and_of_both_ends_of_a_range(self):
        rows = bench_table.rows_of(report(run("stage/decompress/typical", 1e9 / 870), run("stage/compress/typical", 1e9 / 1950)))
        self.assertEqual(bench_table.rooflines(rows), [
            "stage/decompress: 870 ns/event = 2.00x of 435 (reference CPU)",
            "stage/compress: 1,950 ns/event = 1.00-1.30x of 1500-1950 (reference CPU)",
        ])

    def test_other_corpora_have_no_limit(self):
        self.assertEqual(bench_table.rooflines(bench_table.rows_of(report(run("stage/parse/large", 1e6)))), [])


class Program(unittest.TestCase):
    def ends(self, script):
        with tempfile.TemporaryDirectory() as folder:
            if script is not None:
                program = pathlib.Path(folder) / "penstock-bench"
                program.write_text("#!/bin/sh\n" + script)
                program.chmod(0o755)
            return subprocess.run([sys.executable, str(TOOL), "--bin", folder], capture_output=True, text=True,
                                  env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})

    def test_it_prints_the_table_of_what_the_benchmark_says(self):
        done = self.ends("""echo '{"benchmarks": [{"run_name": "stage/decode/typical", "events_per_second": 2e7,"""
                         """ "bytes_per_second": 0, "allocations_per_event": 0}]}'\n""")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines()[-1], "stage/decode: 50 ns/event = 1.72x of 29 (reference CPU)")

    def test_it_fails_with_the_benchmark(self):
        done = self.ends("echo 'chain: rows were altered' >&2\nexit 1\n")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "chain: rows were altered\nbench-table: penstock-bench ended with 1\n")

    def test_a_benchmark_that_was_asked_for_nonsense_has_said_so(self):
        done = self.ends("echo 'penstock-bench: x.ndjson: cannot be read' >&2\nexit 2\n")
        self.assertEqual((done.returncode, done.stderr), (2, "penstock-bench: x.ndjson: cannot be read\n"))

    def test_it_says_when_there_is_no_benchmark(self):
        done = self.ends(None)
        self.assertEqual(done.returncode, 2)
        self.assertIn("penstock-bench", done.stderr)

    def test_it_gives_the_filter_and_repetitions_to_the_benchmark(self):
        done = self.ends('echo "$@" >&2\nexit 1\n')
        self.assertIn("--benchmark_filter=^(stage|chain)/ --benchmark_repetitions=5", done.stderr)


if __name__ == "__main__":
    unittest.main()
