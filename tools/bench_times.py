"""CPU and wall time per event of rows in two programs, in turns, so that both see the same disturbances.

A repetition is a process of its own, and its time the least of three in it: what disturbs (other programs, a virtual machine's
host) only ever adds time, and comes in bursts.
"""
import json
import re

from bench_counts import CountError, run

SECONDS_PER_ROW = 0.02
TRIES = 3


def times_of(printed):
    """{row: (cpu_ns, wall_ns)} per event of the quickest try, from the benchmark's JSON."""
    out = {}
    for result in json.loads(printed[printed.index("{"):])["benchmarks"]:
        if result["run_type"] != "iteration":
            continue  # the library's own mean and the like
        cpu_ns = 1e9 / result["events_per_second"]
        found = (cpu_ns, cpu_ns * result["real_time"] / result["cpu_time"])
        out[result["name"]] = min(found, out.get(result["name"], found))
    return out


def one_run(program, rows):
    pattern = "^(" + "|".join(re.escape(row).replace("\\-", "-") for row in rows) + ")$"
    return times_of(run([str(program), f"--benchmark_filter={pattern}", f"--benchmark_min_time={SECONDS_PER_ROW}",
                         f"--benchmark_repetitions={TRIES}", "--benchmark_format=json"]))


def interleaved(programs, rows, repetitions, progress=lambda number: None):
    """{side: {row: {"cpu_ns": [...], "wall_ns": [...]}}} for programs {side: path}; who goes first changes each time."""
    out = {side: {row: {"cpu_ns": [], "wall_ns": []} for row in rows} for side in programs}
    for number in range(repetitions):
        progress(number)
        for side in list(programs) if number % 2 == 0 else reversed(list(programs)):
            found = one_run(programs[side], rows)
            for row in rows:
                if row not in found:
                    raise CountError(f"{programs[side]} did not run {row}")
                cpu_ns, wall_ns = found[row]
                out[side][row]["cpu_ns"].append(cpu_ns)
                out[side][row]["wall_ns"].append(wall_ns)
    return out


def twin_of(row):
    """The portable row that a kernel's row is held to; None for other rows and for the twin itself."""
    found = re.fullmatch(r"(kernel/\w+)_(?:avx2|avx512|neon|sve)(/\w+)", row)
    return f"{found[1]}_portable{found[2]}" if found else None


def times_faster(times, row):
    """How many times as fast as its twin, once per repetition, each within one process."""
    return [slow / fast for slow, fast in zip(times[twin_of(row)]["cpu_ns"], times[row]["cpu_ns"])]
