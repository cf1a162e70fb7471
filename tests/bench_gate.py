#!/usr/bin/env python3
"""Plants a slowdown in a copy of the sources and proves that tools/bench-compare fails on it, and passes an equal copy.

    tests/bench_gate.py [--folder DIR]    DIR keeps the builds, so that a second run is quick

Two builds of penstock-bench, the second mostly from ccache; some minutes.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True
from bench_trees import built, files_of_folder, write_tree  # noqa: E402

SLOWED = "stage/transform/typical"
UNTOUCHED = "stage/decode/typical"
FILE = "stages/transform.cpp"
ANCHOR = "void transform::add_row(const record& event, rows& out) {\n"
TURN_INSTRUCTIONS = 4  # of a loop over a volatile counter: load, add, store, compare and branch, some fused
SHARE = 0.05


def slowed(text, instructions):
    """The source with about so many instructions more for every event."""
    if text.count(ANCHOR) != 1:
        raise ValueError(f"{FILE} has no single place for the loop any more")
    turns = round(instructions * SHARE / TURN_INSTRUCTIONS)
    loop = f"  for (volatile int planted = 0; planted < {turns};) planted = planted + 1;\n"
    return text.replace(ANCHOR, ANCHOR + loop)


class Gate(unittest.TestCase):
    folder = None

    @classmethod
    def setUpClass(cls):
        cls.files = files_of_folder(ROOT)
        cls.copy = cls.folder / "copy"
        write_tree(cls.files, cls.copy)

    def compare(self, base, head):
        report = self.folder / "report.json"
        done = subprocess.run([str(ROOT / "tools/bench-compare"), str(base), str(head), "--counts-only", "--folder",
                               str(self.folder / "trees"), "--rows", f"^({SLOWED}|{UNTOUCHED})$", "--json", str(report)])
        self.assertIn(done.returncode, (0, 1), "the comparison did not come about")
        return done.returncode, {one["row"]: one for one in json.loads(report.read_text())["rows"]}

    def test_an_equal_tree_passes_and_five_per_cent_more_instructions_fail(self):
        equal = self.folder / "equal"
        write_tree(self.files, equal)
        code, rows = self.compare(self.copy, equal)
        self.assertEqual(code, 0)
        self.assertEqual({row: one["verdict"] for row, one in rows.items()}, {SLOWED: "same", UNTOUCHED: "same"})
        self.assertLess(abs(rows[SLOWED]["instructions"]["change"]), 0.001)

        content, mode = self.files[FILE]
        planted = slowed(content.decode(), rows[SLOWED]["instructions"]["before"]).encode()
        write_tree(self.files | {FILE: (planted, mode)}, equal)
        code, rows = self.compare(self.copy, equal)
        self.assertEqual(code, 1)
        self.assertEqual({row: one["verdict"] for row, one in rows.items()}, {SLOWED: "FAILED", UNTOUCHED: "same"})
        change = rows[SLOWED]["instructions"]["change"]
        print(f"figure: planted slowdown {change * 100:.2f} % more instructions per event in {SLOWED}")
        self.assertGreater(change, 0.03)
        self.assertLess(change, 0.08)

    def test_counting_is_for_one_row_and_a_whole_number_of_iterations(self):
        program = built(self.copy, self.folder / "trees/base") / "penstock-bench"

        def code(iterations, row):
            filtered = f"--benchmark_filter=^{row}/iterations:3$"
            done = subprocess.run([str(program), f"--count-iterations={iterations}", filtered, "--benchmark_format=json"],
                                  capture_output=True, text=True)
            return done.returncode, done.stdout

        done, printed = code(3, UNTOUCHED)
        self.assertEqual(done, 0)
        self.assertEqual(json.loads(printed[printed.index("{"):])["benchmarks"][0]["iterations"], 3)
        self.assertEqual([code(*wrong)[0] for wrong in ((0, UNTOUCHED), ("many", UNTOUCHED), (3, "stage/none"),
                                                        (3, "stage/(decode|parse)/small"))], [2, 2, 2, 2])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", metavar="DIR")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-gate-") as fresh:
        Gate.folder = pathlib.Path(given.folder or fresh).resolve()
        unittest.main(argv=sys.argv[:1])
