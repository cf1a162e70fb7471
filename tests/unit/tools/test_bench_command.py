"""`penstock bench`, run once as a user runs it, only shorter. Run by ctest: test_bench_command.py PENSTOCK."""
import json
import subprocess
import sys
import unittest

PENSTOCK = sys.argv.pop(1)
STAGES = ["decompress", "decode", "parse", "transform/typed", "transform/value", "compress", "chain/typed", "chain/value"]


def bench(*arguments):
    return subprocess.run([PENSTOCK, "bench", *arguments], capture_output=True, text=True, timeout=100)


class BenchCommand(unittest.TestCase):
    def test_json_has_every_stage_with_figures_that_fit_each_other(self):
        done = bench("--seconds", "1", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        report = json.loads(done.stdout)
        self.assertEqual([row["name"] for row in report["stages"]], STAGES)
        ns = {row["name"]: row["ns_per_event"] for row in report["stages"]}
        for row in report["stages"]:
            self.assertAlmostEqual(row["events_per_second"] * row["ns_per_event"], 1e9, delta=1e5)
            self.assertGreater(row["times_reference"], 0)
        # A chain costs more than its dearest stage and less than twice what its stages cost one by one.
        alone = ns["decompress"] + ns["decode"] + ns["parse"] + ns["transform/typed"] + ns["compress"]
        self.assertGreater(ns["chain/typed"], ns["compress"])
        self.assertLess(ns["chain/typed"], 2 * alone)
        if report["tls"]["measured"]:
            self.assertEqual([row["name"] for row in report["with_tls"]], ["chain/typed", "chain/value"])
            for row in report["with_tls"]:
                self.assertGreater(row["ns_per_event"], ns[row["name"]])

    def test_text_names_the_kernels_and_every_stage(self):
        done = bench("--seconds", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ["JSON escape", "JSON index", "gzip fast", *STAGES]:
            self.assertRegex(done.stdout, rf"(?m)^ *{word} ")

    def test_seconds_outside_its_range_are_a_usage_error(self):
        for wrong in ("0", "601", "-1", "x", ""):
            with self.subTest(seconds=wrong):
                done = bench("--seconds", wrong)
                self.assertEqual(done.returncode, 2)
                self.assertIn("--seconds", done.stderr)


if __name__ == "__main__":
    unittest.main()
