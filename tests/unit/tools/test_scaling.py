"""The judging, the arithmetic and the drawing behind bench/end_to_end and bench/scaling. Needs no build."""
import json
import pathlib
import random
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "bench"))

import idle_run  # noqa: E402
import measured_run  # noqa: E402
import plot  # noqa: E402
import sized_events  # noqa: E402

SEED = 20261120
COLUMN_BYTES_MAX = 64 * 1024


def ledger(**changed):
    counts = {"stored": 100, "delivered_unique": 100, "duplicates": 0, "missing": 0, "altered": 0, "unknown": 0, **changed}
    return {"events": counts, "rules": [{"wire_bytes": 900, "requests": 2}, {"wire_bytes": 100, "requests": 1}]}


def summary(**changed):
    return {"events_delivered": 100, "cpu_us_per_event": 5.0, "latency_ms": {"p50": 1.0, "p99": 2.0}, "bytes_in": 500,
            "bytes_raw": 2000, **changed}


class Usage:
    ru_utime, ru_stime, ru_maxrss = 0.0003, 0.0001, 2048


class Judging(unittest.TestCase):
    def test_a_run_with_every_event_once_and_unchanged_counts(self):
        self.assertEqual(measured_run.judge(ledger(), summary(), 0, 100), "")

    def test_one_lost_doubled_altered_or_unknown_row_spoils_a_run(self):
        for name in ("missing", "duplicates", "altered", "unknown"):
            self.assertEqual(measured_run.judge(ledger(**{name: 1}), summary(), 0, 100), f"{name} 1")

    def test_a_failed_process_spoils_a_run(self):
        self.assertEqual(measured_run.judge(ledger(), summary(), 1, 100), "exit code 1")

    def test_fewer_events_than_were_asked_for_spoil_a_run(self):
        self.assertEqual(measured_run.judge(ledger(), summary(), 0, 101), "stored 100 instead of 101")

    def test_a_summary_that_contradicts_the_ledger_spoils_a_run(self):
        self.assertIn("the summary says 99", measured_run.judge(ledger(), summary(events_delivered=99), 0, 100))


class Figures(unittest.TestCase):
    def test_costs_are_divided_by_the_events_of_the_ledger(self):
        found = measured_run.figures(ledger(), summary(), Usage, 2.0, {"io": 0.0001, "cpu": 0.0002})
        self.assertAlmostEqual(found["cpu_us_per_event"], 4.0)
        self.assertAlmostEqual(found["cpu_us_per_event_user"], 3.0)
        self.assertAlmostEqual(found["cpu_us_per_event_thread_io"], 1.0)
        self.assertEqual(found["events_per_s"], 50.0)
        self.assertEqual(found["peak_rss_bytes"], 2 * 2**20)
        self.assertEqual((found["bytes_wire"], found["requests"], found["bytes_raw_per_event"]), (1000, 3, 20.0))

    def test_threads_of_one_kind_are_one_group(self):
        self.assertEqual([measured_run.group_of(name) for name in ("io-0", "cpu-11", "store", "penstock")],
                         ["io", "cpu", "store", "penstock"])

    def test_the_middle_of_runs_is_the_median_with_the_range(self):
        self.assertEqual(measured_run.middle([{"a": 3}, {"a": 1}, {"a": 7}]), {"a": {"median": 3, "min": 1, "max": 7}})

    def test_memory_of_an_idle_logstore_is_what_each_after_the_first_adds(self):
        idle = [{"logstores": 1, "rss_bytes": 1000}, {"logstores": 11, "rss_bytes": 1500}]
        idle_run.add_memory_per_logstore(idle)
        self.assertEqual(idle[1]["bytes_per_logstore"], 50)
        self.assertNotIn("bytes_per_logstore", idle[0])

    def test_without_a_run_with_one_logstore_nothing_is_said_of_each(self):
        idle = [{"logstores": 10, "rss_bytes": 1000}, {"logstores": 20, "rss_bytes": 1500}]
        idle_run.add_memory_per_logstore(idle)
        self.assertNotIn("bytes_per_logstore", idle[1])


class SizedEvents(unittest.TestCase):
    def test_events_have_the_wished_size_and_no_column_the_destination_would_cut(self):
        for size in (300, 1_000, 3_000, 10_000, 30_000, 100_000):
            with self.subTest(size=size, seed=SEED):
                text = sized_events.event(random.Random(SEED), 5, size)
                self.assertEqual(len(text.encode()), size)
                columns = [json.dumps(value) for value in json.loads(text).values()]
                self.assertLess(max(map(len, columns)), COLUMN_BYTES_MAX)

    def test_an_equal_seed_gives_an_equal_file_and_another_seed_another(self):
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for seed in (SEED, SEED, SEED + 1):
                path = pathlib.Path(folder) / str(len(files))
                count = sized_events.write_corpus(path, 30_000, seed)
                files.append(path.read_bytes())
            self.assertEqual(files[0], files[1])
            self.assertNotEqual(files[0], files[2])
            ids = {json.loads(line)["eventId"] for line in files[0].splitlines()}
            self.assertEqual((len(ids), len(files[0].splitlines())), (count, count))
            self.assertGreater(len(files[0]), 64 * 1024 * 50)


class Plots(unittest.TestCase):
    def points(self, svg):
        tree = xml.etree.ElementTree.fromstring(svg)
        return [(float(c.get("cx")), float(c.get("cy"))) for c in tree.iter("{http://www.w3.org/2000/svg}circle")]

    def test_a_chart_is_well_formed_and_has_a_mark_for_each_point_in_its_place(self):
        svg = plot.chart("a < b & c", "x", "y", [("one", [(1, 10), (10, 20), (100, 5)])])
        (x1, y1), (x2, y2), (x3, y3) = self.points(svg)
        self.assertAlmostEqual(x2 - x1, x3 - x2, delta=0.2)  # decades are equally far apart
        self.assertLess(y2, y1)  # upwards is more
        self.assertLess(y1, y3)

    def test_points_stay_within_the_frame_for_any_kind_of_axis(self):
        for log_x in (False, True):
            for log_y in (False, True):
                series = [("a", [(1, 0.3), (10_000, 7_777)]), ("b", [(3, 12)])]
                for x, y in self.points(plot.chart("t", "x", "y", series, log_x, log_y, (16, "target"))):
                    self.assertTrue(plot.LEFT <= x <= plot.WIDTH - plot.RIGHT, x)
                    self.assertTrue(plot.TOP <= y <= plot.HEIGHT - plot.BOTTOM, y)

    def test_nothing_to_draw_is_said_not_drawn(self):
        with self.assertRaises(ValueError):
            plot.chart("t", "x", "y", [("a", [])])

    def test_a_page_stands_alone(self):
        drawn = plot.charts([plot.chart("t", "x", "y", [("a", [(1, 1)])])])
        page = plot.page("T", "facts <1>", [drawn, plot.table(["h"], [["<c>"]])])
        self.assertIn("&lt;c&gt;", page)
        self.assertIn("facts &lt;1&gt;", page)
        for outside in ("src=", "href=", "url(", "@import"):
            self.assertNotIn(outside, page)


if __name__ == "__main__":
    unittest.main()
