"""What one run of penstock against the emulated cloud cost, and whether every event arrived once and unchanged.

Used by bench/end_to_end and bench/scaling. The cloud and the program are those of the end-to-end tests. CPU time is the
kernel's account of the process (wait4) beside the program's own; time of threads is read from /proc while they live.
"""
import importlib
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUN_S_MAX = 600
SAMPLE_INTERVAL_S = 0.05
PROMISES = ("missing", "duplicates", "altered", "unknown")


class SpoiledRun(Exception):
    """The run ended badly or the ledger does not balance: its figures mean nothing."""


def load_cloud(bin_folder):
    """The module of the end-to-end tests, for the programs in that folder."""
    for name in ("penstock", "penstock-emulator"):
        if not os.access(os.path.join(bin_folder, name), os.X_OK):
            raise FileNotFoundError(f"{bin_folder}/{name} is not there (build it: cmake --build --preset release)")
    folder = str(ROOT / "tests/end_to_end")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    cloud = importlib.import_module("cloud")
    cloud.BIN = os.path.abspath(bin_folder)
    return cloud


def group_of(thread_name):
    """io-0 → io, cpu-1 → cpu; what has no number is its own group."""
    head, _, tail = thread_name.rpartition("-")
    return head if head and tail.isdigit() else thread_name


class ThreadTimes:
    """CPU time by group of threads, read until the process ends; the last moments of a thread are missed."""

    def __init__(self, pid):
        self.pid = pid
        self.seen = {}
        self.ended = threading.Event()
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()

    def watch(self):
        while not self.ended.wait(SAMPLE_INTERVAL_S):
            self.look()

    def look(self):
        try:
            for thread in os.listdir(f"/proc/{self.pid}/task"):
                folder = f"/proc/{self.pid}/task/{thread}/"
                with open(folder + "comm") as file:
                    name = file.read().strip()
                with open(folder + "schedstat") as file:
                    self.seen[thread] = (name, int(file.read().split()[0]) / 1e9)
        except (OSError, IndexError):
            return  # a thread, or all of them, just ended

    def by_group(self):
        self.ended.set()
        self.watcher.join()
        out = {}
        for name, seconds in self.seen.values():
            out[group_of(name)] = out.get(group_of(name), 0) + seconds
        return out


def wait_with_usage(run, seconds_max):
    """Ends with the process; returns the kernel's account of it. A process that takes too long is killed."""
    timer = threading.Timer(seconds_max, run.process.kill)
    timer.start()
    _, status, usage = os.wait4(run.process.pid, 0)
    timer.cancel()
    run.process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def judge(ledger, summary, exit_code, events):
    """Why a run does not count; empty when it does."""
    counts = ledger["events"]
    problems = [f"{name} {counts[name]}" for name in PROMISES if counts[name] != 0]
    if exit_code != 0:
        problems.append(f"exit code {exit_code}")
    if counts["stored"] != events:
        problems.append(f"stored {counts['stored']} instead of {events}")
    if counts["delivered_unique"] != counts["stored"]:
        problems.append(f"delivered {counts['delivered_unique']} of {counts['stored']}")
    if summary.get("events_delivered") != counts["delivered_unique"]:
        problems.append(f"the summary says {summary.get('events_delivered')} delivered, the ledger {counts['delivered_unique']}")
    return ", ".join(problems)


def figures(ledger, summary, usage, seconds, threads):
    """One run in numbers. Bytes in and raw are the program's; requests and wire bytes are counted by the cloud."""
    events = ledger["events"]["stored"]
    cpu_s = usage.ru_utime + usage.ru_stime
    wire_bytes = sum(rule["wire_bytes"] for rule in ledger["rules"])
    out = {
        "cpu_us_per_event": cpu_s * 1e6 / events,
        "cpu_us_per_event_user": usage.ru_utime * 1e6 / events,
        "cpu_us_per_event_system": usage.ru_stime * 1e6 / events,
        "cpu_us_per_event_own_count": summary["cpu_us_per_event"],
        "events_per_s": events / seconds,
        "events_per_cpu_s": events / cpu_s,
        "seconds": seconds,
        "peak_rss_bytes": usage.ru_maxrss * 1024,  # Linux counts KiB
        "latency_ms_p50": summary["latency_ms"]["p50"],
        "latency_ms_p99": summary["latency_ms"]["p99"],
        "bytes_in_per_event": summary["bytes_in"] / events,
        "bytes_raw_per_event": summary["bytes_raw"] / events,
        "bytes_wire_per_event": wire_bytes / events,
        "bytes_in": summary["bytes_in"],
        "bytes_raw": summary["bytes_raw"],
        "bytes_wire": wire_bytes,
        "requests": sum(rule["requests"] for rule in ledger["rules"]),
    }
    for group, used_s in sorted(threads.items()):
        out[f"cpu_us_per_event_thread_{group}"] = used_s * 1e6 / events
    return out


def measure(cloud_module, cloud_options, flags=(), seconds_max=RUN_S_MAX):
    """Starts a cloud, moves all of its events, and returns the figures; raises SpoiledRun when the ledger says no."""
    with cloud_module.Cloud(**cloud_options) as cloud:
        begun = time.monotonic()
        with cloud.penstock("--once", *flags) as run:
            threads = ThreadTimes(run.process.pid)
            usage = wait_with_usage(run, seconds_max)
            seconds = time.monotonic() - begun
            by_group = threads.by_group()
            exit_code = run.process.returncode
            log = run.text()
        try:
            summary = run.summary()
        except OSError:
            raise SpoiledRun(f"exit code {exit_code}, no summary\n{log[-2000:]}") from None
        ledger = cloud.ledger()
    problem = judge(ledger, summary, exit_code, cloud_options["events"])
    if problem:
        raise SpoiledRun(problem)
    return figures(ledger, summary, usage, seconds, by_group)


def middle(runs):
    """Of each figure the median and the range over the runs."""
    return {
        key: {
            "median": statistics.median(run[key] for run in runs if key in run),
            "min": min(run[key] for run in runs if key in run),
            "max": max(run[key] for run in runs if key in run),
        }
        for key in runs[0]
    }


def text_of(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def machine(bin_folder):
    """What a reader must know to repeat the figures."""
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "penstock": text_of([os.path.join(bin_folder, "penstock"), "version"]),
        "tree_revision": text_of(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]),
        "load_before": [round(x, 2) for x in os.getloadavg()],
    }


def write_json(path, report):
    with open(path, "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
