"""tools/bench-table with real and hostile files of events. Run by ctest: test_bench_corpus.py FOLDER_OF_PENSTOCK_BENCH."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BIN = sys.argv.pop(1)
ROOT = pathlib.Path(__file__).resolve().parents[3]
SAMPLES = pathlib.Path(os.environ.get("PENSTOCK_SAMPLES", ROOT / "../shared/data/actiontrail-samples.ndjson"))
CHECKED_ROWS = "^(stage/(parse|transform|transform_value|batch|compress|upload)|chain/.*)/file$"


def table(corpus):
    return subprocess.run([sys.executable, str(ROOT / "tools/bench-table"), "--bin", BIN, "--filter", CHECKED_ROWS,
                           "--repetitions", "1", "--min-time", "0.001", "--corpus", str(corpus)],
                          capture_output=True, text=True, timeout=200, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


def event(number, **members):
    return json.dumps({"eventId": f"id-{number}", "eventName": "RunInstances", **members})


class BenchCorpus(unittest.TestCase):
    def measured(self, corpus):
        """What is said about the file, without the lines of the benchmark library and the name of the program."""
        done = table(corpus)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sum("/file " in line for line in done.stdout.splitlines()), 9, done.stdout)
        said = [line.removeprefix("penstock-bench: ") for line in done.stderr.splitlines() if line.startswith("penstock-bench: ")]
        return said, done.stdout.splitlines()[-1]

    def test_every_oddity_is_measured_and_comes_out_unchanged(self):
        said, _ = self.measured(ROOT / "tests/data/oddities.ndjson")
        self.assertRegex(said[0], r"^corpus file: \d+ events, \d+ bytes in mean: 42 lines, repeated [\d.]+ times")

    def test_every_public_sample_is_measured_and_comes_out_unchanged(self):
        if not SAMPLES.exists():
            self.skipTest("the public samples are not here (PENSTOCK_SAMPLES names their file)")
        said, multiple = self.measured(SAMPLES)
        self.assertRegex(said[0], r"^corpus file: \d+ events, \d+ bytes in mean: 70 lines, repeated [\d.]+ times")
        self.assertEqual(len(said), 1)
        self.assertRegex(multiple, r"^file: typed = [\d.]+x plain, value = [\d.]+x plain \(each event comes [\d.]+ times, ")

    def test_a_hostile_file_is_measured_without_what_is_no_event_and_says_so(self):
        lines = [event(1), "no event", "", event(2, responseElements={"a": "x" * 70_000}), event(3, userAgent="y" * 3_000_000),
                 event(4, eventTime="yesterday", requestParameters=["z"] * 500_000), r'{"a\ud83d":"\udc00","requestParameters":1.0}',
                 '{"eventId":"a","eventId":"b","isGlobal":"maybe"}', '{"a":' + "[" * 200 + "]" * 200 + "}", event(5) + "\0"]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "hostile.ndjson"
            path.write_text("\r\n".join(lines), newline="")
            said, multiple = self.measured(path)
        self.assertEqual(said[0], f"{path}: 5 of 10 lines are left out: empty 1 (line 3), bad_json 2 (first: line 2), "
                                  "too_deep 1 (line 9), too large for a value row 1 (line 5)")
        self.assertEqual(said[1], f"{path}: rows with a value above 64 KiB, which is cut: typed 2 (first: line 4), "
                                  "value 2 (first: line 4)")
        self.assertRegex(said[2], r"^corpus file: \d+ events, \d+ bytes in mean: 5 lines, repeated [\d.]+ times")
        self.assertRegex(said[3], r"^chain/plain leaves out \d+ of \d+ events: above 64 KiB, or beyond a DOM$")
        self.assertRegex(multiple, r"x plain \(which leaves out [\d.]+% of the events; each event comes ")

    def test_a_file_without_events_ends_with_2_and_one_sentence(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "x.ndjson"
            for text, problem in ((None, "cannot be read: No such file or directory"), ("", "has no events, it is empty"),
                                  ("x\n", "no line of it can be measured: bad_json 1 (line 1)")):
                with self.subTest(text=text):
                    if text is not None:
                        path.write_text(text)
                    done = table(path)
                    self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", f"penstock-bench: {path}: {problem}\n"))

    def test_no_file_at_all_is_bad_use(self):
        done = table("")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", "penstock-bench: --corpus needs a value\n"))


if __name__ == "__main__":
    unittest.main()
