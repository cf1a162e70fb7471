"""Every tuning flag changes what it says, told from outside: thread names, metrics, and the emulator's ledger.

Never by the clock: what is compared are counts, sizes and peaks. Which test shows which flag:

    --io-threads            Threads.test_io_threads_...
    --cpu-threads           Threads.test_cpu_threads_...
    --memory-limit          Peaks.test_memory_limit_...; tests/flow/bounds_test.cpp leased_bytes_stay_within_the_budget;
                            test_endurance.py Memory (as the system sees it)
    --connections-max       Peaks.test_connections_max_...
    --fetch-concurrency     tests/flow/bounds_test.cpp pulls_in_flight_stay_within_fetch_concurrency;
                            Peaks.test_fetch_concurrency_... (that the flag reaches it)
    --fetch-per-host        Peaks.test_fetch_per_host_...
    --poll-interval         Requests.test_poll_interval_...
    --pull-groups           Requests.test_pull_groups_...
    --queue-blocks          Requests.test_queue_blocks_...; tests/flow/bounds_test.cpp
                            blocks_of_a_route_that_wait_for_the_cpu_fit_its_queue
    --order                 Bodies.test_order_...
    --batch-bytes           Bodies.test_batch_bytes_...
    --batch-raw-bytes       Bodies.test_batch_raw_bytes_...
    --linger                Bodies.test_linger_...; tests/flow/fairness_test.cpp linger
    --compression           Bodies.test_compression_...
    --upload-concurrency    tests/flow/bounds_test.cpp uploads_in_flight_stay_within_upload_concurrency;
                            Peaks.test_upload_concurrency_... (that the flag reaches it)
    --drain-timeout         Ending.test_drain_timeout_...; tests/flow/ending_test.cpp drain
    --log-level             Watching.test_log_level_...
    --log-format            Watching.test_log_format_...
    --admin-listen          Watching.test_admin_listen_...
    --admin-port-file       every test with metrics; Watching.test_admin_listen_...
"""
import json
import os
import re
import subprocess
import unittest
import urllib.request

from cloud import BIN, SOURCE, Cloud, CloudTest, Penstock, wait_for

LONG_S = 60  # a stall that outlasts every test


def stalled(role, op, seconds=LONG_S):
    return [{"role": role, "op": op, "kind": "stall", "seconds": seconds}]


UPLOADS_STALL = stalled("ingest", "upload")
PULLS_STALL = stalled("sls", "pull_logs")


class Watched(Penstock):
    """A run with its admin pages open, on a port of the system's choice."""

    def __init__(self, cloud, *arguments, listen="127.0.0.1:0"):
        self.cloud = cloud
        self.summary_file = os.path.join(cloud.folder, "summary.json")
        self.port_file = os.path.join(cloud.folder, "admin-port")
        self.log_file = os.path.join(cloud.folder, "watched.log")
        for stale in (self.port_file, self.log_file):
            if os.path.exists(stale):
                os.remove(stale)
        self.log = open(self.log_file, "ab")
        command = [os.path.join(BIN, "penstock"), "run", "--config", cloud.config, "--summary", self.summary_file,
                   "--admin-listen", listen, "--admin-port-file", self.port_file, *arguments]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        if listen != "off":
            wait_for(lambda: os.path.exists(self.port_file) or self.process.poll() is not None, 30)

    def page(self, path):
        with open(self.port_file) as file:
            port = int(file.read())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def metric(self, name):
        """The sum over the series of that name; 0 before the first."""
        found = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", self.page("/metrics"), re.M)
        return sum(float(value) for value in found)

    def settled(self, what, quiet_looks=40):
        """The value of `what` once it is above 0 and has stayed the same for about a second; for what only grows."""
        seen = {"value": None, "times": 0}

        def is_settled():
            value = what()
            seen["times"] = seen["times"] + 1 if value == seen["value"] and value > 0 else 0
            seen["value"] = value
            return seen["times"] >= quiet_looks

        wait_for(is_settled, 30)
        return seen["value"]

    def threads(self):
        folder = f"/proc/{self.process.pid}/task"
        names = []
        for task in os.listdir(folder):
            with open(f"{folder}/{task}/comm") as file:
                names.append(file.read().strip())
        return names


def requests_of(cloud, role, op):
    return sum(cloud.ledger()["requests"].get(role, {}).get(op, {}).values())


class Threads(CloudTest):
    def thread_counts(self, name, *settings):
        """For each setting: threads of that name in a process that works."""
        counts = []
        with Cloud(tls=False, events=10, accounts=1, logstores=1) as cloud:
            for setting in settings:
                pulls = requests_of(cloud, "sls", "pull_logs")
                with Watched(cloud, *setting) as run:
                    wait_for(lambda: requests_of(cloud, "sls", "pull_logs") > pulls, 30)
                    counts.append(sum(re.fullmatch(name + r"-\d+", thread) is not None for thread in run.threads()))
                    self.assertEqual(run.stop(), 0, run.text()[-2000:])
        return counts

    def test_io_threads_is_the_number_of_network_threads(self):
        self.assertEqual(self.thread_counts("io", ("--io-threads", "1"), ("--io-threads", "3")), [1, 3])

    def test_cpu_threads_is_the_number_of_workers(self):
        self.assertEqual(self.thread_counts("cpu", ("--cpu-threads", "1"), ("--cpu-threads", "5")), [1, 5])


class Peaks(CloudTest):
    """What is under way at once, while one side of the cloud never answers."""

    def standing(self, gauge, faults, settings, **options):
        """For each setting: the gauge when it no longer moves. Nothing is delivered, so each run begins alike."""
        found = []
        with Cloud(tls=False, faults=faults, **options) as cloud:
            for setting in settings:
                with Watched(cloud, *setting) as run:
                    found.append(run.settled(lambda: run.metric(gauge)))
        return found

    def open_connections(self, *settings):
        return self.standing("penstock_http_connections_open", PULLS_STALL, settings, events=64, accounts=2, logstores=8)

    def test_fetch_concurrency_is_the_most_pulls_at_once(self):
        self.assertEqual(self.open_connections(("--fetch-concurrency", "2"), ("--fetch-concurrency", "9")), [2, 9])

    def test_fetch_per_host_is_the_most_pulls_at_once_from_one_address(self):
        self.assertEqual(self.open_connections(("--fetch-per-host", "3"), ("--fetch-per-host", "12")), [3, 12])

    def test_connections_max_bounds_the_open_connections(self):
        few, many = self.open_connections(("--connections-max", "8"), ("--connections-max", "64"))
        self.assertLessEqual(few, 8)
        self.assertEqual(many, 16)  # as many as there are shards

    def test_upload_concurrency_is_the_most_requests_under_way_to_a_destination(self):
        small = ("--batch-raw-bytes", "256KiB", "--linger", "0s", "--upload-concurrency")
        found = self.standing("penstock_destination_in_flight", UPLOADS_STALL, [(*small, "1"), (*small, "5")], events=6000,
                              accounts=1, logstores=4)
        self.assertEqual(found, [1, 5])

    def test_memory_limit_bounds_the_budget_and_more_of_it_is_used_when_there_is_more(self):
        mib = 2**20
        limits = [("--connections-max", "32", "--memory-limit", f"{limit}MiB") for limit in (64, 256)]
        little, much = self.standing("penstock_memory_budget_used_bytes", UPLOADS_STALL, limits, events=120_000, accounts=4,
                                     logstores=8)
        self.figure(f"of 64 MiB {little / mib:.0f} MiB are used, of 256 MiB {much / mib:.0f} MiB")
        self.assertLessEqual(little, 64 * mib)
        self.assertGreater(little, 32 * mib)
        self.assertLessEqual(much, 256 * mib)
        self.assertGreater(much, 1.3 * little)


class Requests(CloudTest):
    """How often the cloud is asked."""

    def test_pull_groups_is_the_most_groups_of_a_reply(self):
        pulls = {}
        for groups in ("2", "1000"):
            with Cloud(tls=False, events=4000, accounts=1, logstores=1) as cloud:
                self.run_once(cloud, "--pull-groups", groups)
                pulls[groups] = requests_of(cloud, "sls", "pull_logs")
                self.assert_all_delivered(cloud.ledger())
        self.assertGreater(pulls["2"], 4 * pulls["1000"])

    def test_poll_interval_is_the_pause_of_a_quiet_shard(self):
        # A shard that was found quiet is asked again after 20 ms, over and over; and after an hour, so never here.
        with Cloud(tls=False, events=0, accounts=1, logstores=1) as cloud:
            with Watched(cloud, "--poll-interval", "20ms") as run:
                wait_for(lambda: requests_of(cloud, "sls", "pull_logs") >= 25, 30)
                run.stop()
            before = requests_of(cloud, "sls", "pull_logs")
            with Watched(cloud, "--poll-interval", "1h") as run:
                wait_for(lambda: requests_of(cloud, "sls", "pull_logs") > before, 30)
                after = run.settled(lambda: requests_of(cloud, "sls", "pull_logs"))
                run.stop()
            self.assertEqual(after, before + 1)

    def test_queue_blocks_is_how_far_pulling_runs_ahead_of_a_sink_that_stands_still(self):
        pulls = {}
        for blocks in (1, 12):
            with Cloud(tls=False, events=20_000, accounts=1, logstores=1, faults=UPLOADS_STALL) as cloud:
                with Watched(cloud, "--queue-blocks", str(blocks), "--pull-groups", "1", "--batch-raw-bytes", "256KiB",
                             "--upload-concurrency", "1", "--cpu-threads", "1") as run:
                    pulls[blocks] = run.settled(lambda: requests_of(cloud, "sls", "pull_logs"))
        self.assertEqual(pulls[12] - pulls[1], 11)


class Bodies(CloudTest):
    """What is sent, by the ledger of one cloud: its state is forgotten between runs, so each sends the same events."""

    def sent(self, settings, events=12_000, **options):
        """For each setting of a flag: requests, wire and raw bytes of its run."""
        found = []
        with Cloud(tls=False, format="typed", events=events, accounts=1, logstores=2, **options) as cloud:
            before = {"requests": 0, "wire_bytes": 0, "raw_bytes": 0, "rows": 0}
            for setting in settings:
                for name in os.listdir(cloud.folder):
                    if name.startswith("state.db"):
                        os.remove(os.path.join(cloud.folder, name))
                self.run_once(cloud, *setting)
                rule = cloud.ledger()["rules"][0]
                found.append({key: rule[key] - before[key] for key in before})
                before = {key: rule[key] for key in before}
                self.assertEqual(found[-1]["rows"], events)
        return found

    def test_batch_bytes_is_the_most_a_body_has_on_the_wire(self):
        large, small = self.sent([("--batch-bytes", "1044480B"), ("--batch-bytes", "64KiB")])
        self.assertLessEqual(small["wire_bytes"] / small["requests"], 64 * 1024)
        self.assertGreater(small["wire_bytes"] / small["requests"], 48 * 1024)
        self.assertGreater(small["requests"], 10 * large["requests"])

    def test_batch_raw_bytes_is_the_most_a_body_has_before_compression(self):
        large, small = self.sent([("--batch-raw-bytes", "8MiB"), ("--batch-raw-bytes", "512KiB")])
        self.assertLessEqual(small["raw_bytes"] / small["requests"], 512 * 1024)
        self.assertGreater(small["raw_bytes"] / small["requests"], 384 * 1024)
        self.assertGreater(small["requests"], 4 * large["requests"])

    def test_compression_decides_what_an_event_weighs_on_the_wire(self):
        fast, small, none = self.sent([("--compression", kind) for kind in ("fast", "small", "none")])
        self.assertLess(small["wire_bytes"], 0.9 * fast["wire_bytes"])
        self.assertLess(fast["wire_bytes"], 0.35 * none["wire_bytes"])
        self.assertEqual(none["wire_bytes"], none["raw_bytes"])

    def test_order_by_event_name_compresses_better_than_arrival(self):
        named, arrival = self.sent([("--order", "event-name"), ("--order", "arrival")])
        self.assertLess(named["wire_bytes"], 0.95 * arrival["wire_bytes"])

    def test_linger_gathers_rows_of_many_pulls_in_one_body(self):
        requests = {}
        for linger in ("0s", "3s"):
            with Cloud(tls=False, events=1200, event_rate=400, accounts=1, logstores=1) as cloud:
                with Watched(cloud, "--linger", linger, "--poll-interval", "50ms") as run:
                    wait_for(lambda: cloud.ledger()["events"]["delivered_unique"] == 1200, 60)
                    self.assertEqual(run.stop(), 0)
                requests[linger] = cloud.ledger()["rules"][0]["requests"]
        self.assertLessEqual(requests["3s"], 3)
        self.assertGreater(requests["0s"], 3 * requests["3s"])


class Ending(CloudTest):
    def test_drain_timeout_decides_whether_a_slow_answer_is_waited_for(self):
        codes = {}
        for timeout in ("100ms", "30s"):
            with Cloud(tls=False, events=500, accounts=1, logstores=1, faults=stalled("ingest", "upload", 2)) as cloud:
                with Watched(cloud, "--drain-timeout", timeout, "--linger", "0s") as run:
                    wait_for(lambda: run.metric("penstock_destination_in_flight") > 0, 30)
                    codes[timeout] = run.stop()
                    self.assertEqual(run.summary()["drain_aborted"], timeout == "100ms")
                    self.assertEqual(run.summary()["events_delivered"], 0 if timeout == "100ms" else 500)
        self.assertEqual(codes, {"100ms": 1, "30s": 0})


class Watching(CloudTest):
    def log_of(self, *arguments):
        with Cloud(tls=False, events=50, accounts=1, logstores=1) as cloud:
            run = self.run_once(cloud, *arguments)
            return [line for line in run.text().splitlines() if line]

    def test_log_level_is_the_least_important_line_written(self):
        debug = self.log_of("--log-level", "debug")
        info = self.log_of("--log-level", "info")
        # Secrets stand in the emulator's configuration: that is what is warned about.
        warn = self.log_of("--log-level", "warn")
        error = self.log_of("--log-level", "error")
        self.assertTrue(any("setting" in line and "linger" in line for line in debug))
        self.assertFalse(any("setting" in line for line in info))
        self.assertTrue(any("started" in line for line in info))
        self.assertFalse(any("started" in line for line in warn))
        self.assertGreater(len(warn), 0)
        self.assertEqual(error, [])

    def test_log_format_json_writes_an_object_a_line(self):
        lines = self.log_of("--log-format", "json")
        self.assertGreaterEqual(len(lines), 2)
        for line in lines:
            self.assertIsInstance(json.loads(line), dict)
        with self.assertRaises(json.JSONDecodeError):
            json.loads(self.log_of("--log-format", "text")[0])

    def listening(self, run):
        """Ports on which the process listens, by its open sockets and the kernel's table."""
        sockets = set()
        for fd in os.listdir(f"/proc/{run.process.pid}/fd"):
            try:
                found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{run.process.pid}/fd/{fd}"))
            except OSError:
                continue
            if found:
                sockets.add(found[1])
        with open("/proc/net/tcp") as file:
            rows = [line.split() for line in file.readlines()[1:]]
        return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in sockets]

    def test_admin_listen_serves_the_pages_and_off_listens_nowhere(self):
        with Cloud(tls=False, events=20, accounts=1, logstores=1) as cloud:
            with Watched(cloud) as run:
                with open(run.port_file) as file:
                    self.assertEqual(self.listening(run), [int(file.read())])
                self.assertEqual(run.page("/healthz"), "ok\n")
                run.stop()
            with Watched(cloud, listen="off") as run:
                wait_for(lambda: "started" in run.text(), 30)
                self.assertEqual(self.listening(run), [])
                self.assertFalse(os.path.exists(run.port_file))
                run.stop()


class Documentation(CloudTest):
    def test_every_flag_of_the_program_has_its_effect_tested_here_and_its_section_in_the_guide(self):
        text = subprocess.run([os.path.join(BIN, "penstock"), "run", "--help"], capture_output=True, text=True, timeout=30).stdout
        not_tuning = {"config", "once", "once-probe-interval", "summary", "dry-run", "help"}
        flags = set(re.findall(r"--([a-z-]+)", text.split("Each flag from")[0])) - not_tuning
        self.assertGreaterEqual(len(flags), 20)
        with open(os.path.join(SOURCE, "docs/tuning.md")) as file:
            guide = file.read()
        for flag in sorted(flags):
            with self.subTest(flag=flag):
                self.assertRegex(guide, rf"\*\*`--{flag}`\*\*")
                self.assertRegex(__doc__, rf"--{flag} +\S")


if __name__ == "__main__":
    unittest.main()
