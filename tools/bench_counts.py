#!/usr/bin/env python3
"""Instructions and allocations per event of the benchmark's rows: figures that repeat on a busy machine.

    tools/bench_counts.py [--bin DIR] [--rows REGEX] [--iterations N] [--twice] [--json FILE]

Callgrind counts the loop that is otherwise timed, and nothing else. Made equal from run to run: the addresses (setarch -R), the
environment, symbols bound before the loop, the processor (valgrind always shows the same one with AVX2, and so the same kernels
are chosen everywhere), the memory allocator's layout (one row per process). Debug information is stripped from a copy first:
valgrind 3.19 cannot read clang-19's. Ends with 1 when --twice finds a difference above 0.1 %, with 2 when nothing can be counted.
"""
import argparse
import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "build/release/bin"
ITERATIONS = 16  # two walks over a corpus of eight blocks
SECONDS_MAX = 600  # of one row; usual are 1 to 8
REPEATS_WITHIN = 0.001

# What the program lives from, each counted in 1 to 8 seconds.
ROWS = (
    "stage/decompress/typical", "stage/decode/typical", "stage/parse/typical", "stage/transform/typical",
    "stage/transform_value/typical", "stage/batch/typical", "stage/compress/typical", "stage/compress_small/typical",
    "chain/typed/small", "chain/typed/typical", "chain/typed/hostile", "chain/value/typical", "chain/plain/typical",
    "kernel/escape_portable/typical", "kernel/escape_avx2/typical", "kernel/escape_avx512/typical",
    "kernel/escape_check_portable/typical", "kernel/escape_check_avx2/typical")
# Threads of their own, or instructions that valgrind does not know: timed only.
UNCOUNTABLE = re.compile(r"_tls/|cpu_pool|_avx512/")

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "LD_BIND_NOW": "1"}


class CountError(Exception):
    """The reason why something could not be measured, for the user."""


def run(command, **options):
    """What the command printed, or CountError with the end of its complaints."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=SECONDS_MAX, **options)
    except FileNotFoundError as failure:
        raise CountError(f"{failure.filename} is missing: tools/install-deps") from failure
    except subprocess.TimeoutExpired as failure:
        raise CountError(f"{command[-1]} took longer than {SECONDS_MAX} s") from failure
    if done.returncode != 0:
        raise CountError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr.strip()[-800:]}")
    return done.stdout


def program_of(bin_folder):
    program = pathlib.Path(bin_folder) / "penstock-bench"
    if not program.is_file():
        raise CountError(f"{program} is missing: cmake --build --preset release --target penstock-bench")
    return program


def rows_of(program):
    return run([str(program), "--benchmark_list_tests"]).split()


def chosen_rows(have, pattern=None):
    """Without a pattern the rows that matter; with one every row of the program that it is found in."""
    return [row for row in have if (re.search(pattern, row) if pattern else row in ROWS)]


def countable(rows):
    return [row for row in rows if not UNCOUNTABLE.search(row)]


def iterations_of(row, iterations):
    """The yardstick takes ten times the instructions of the rest: one walk over its corpus is enough."""
    return max(1, iterations // 2) if row.startswith("chain/plain/") else iterations


def only(row, iterations=None):
    """The argument that selects this row and no other."""
    ending = f"/iterations:{iterations}" if iterations else ""
    return f"--benchmark_filter=^{re.escape(row)}{ending}$".replace("\\-", "-")


def total_of(callgrind_file):
    totals = re.findall(r"^totals: (\d+)", pathlib.Path(callgrind_file).read_text(errors="replace"), re.M)
    if not totals or int(totals[-1]) == 0:
        raise CountError("callgrind saw no instruction between start and stop (was valgrind's header there at build time?)")
    return int(totals[-1])


def count_row(program, row, iterations, folder):
    out = pathlib.Path(folder) / (re.sub(r"\W", "_", row) + ".callgrind")
    printed = run(["setarch", "-R", "valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no",
                   f"--callgrind-out-file={out}", str(program), f"--count-iterations={iterations}",
                   "--benchmark_format=json", only(row, iterations)])
    result = json.loads(printed[printed.index("{"):])["benchmarks"][0]
    return {"instructions": total_of(out) / result["events"], "allocations": result["allocations_per_event"],
            "events": round(result["events"])}


def count_rows(program, rows, iterations=ITERATIONS, jobs=2):
    """{row: {"instructions", "allocations", "events"}}, the first two per event."""
    with tempfile.TemporaryDirectory(prefix="penstock-counts-") as folder:
        stripped = pathlib.Path(folder) / "penstock-bench"
        if shutil.which("objcopy") is None:
            raise CountError("objcopy is missing: tools/install-deps")
        run(["objcopy", "--strip-debug", str(program), str(stripped)])
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            counts = pool.map(lambda row: count_row(stripped, row, iterations_of(row, iterations), folder), rows)
            return dict(zip(rows, counts))


def differences(first, second):
    """Rows whose counts do not repeat."""
    return [row for row in first for what in ("instructions", "allocations")
            if abs(first[row][what] - second[row][what]) > REPEATS_WITHIN * first[row][what]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=BIN, help="the folder of penstock-bench (build/release/bin)")
    parser.add_argument("--rows", metavar="REGEX", help="every row in which it is found (a chosen set)")
    parser.add_argument("--iterations", type=int, default=ITERATIONS, help=f"of the loop, of one block each ({ITERATIONS})")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (2)")
    parser.add_argument("--twice", action="store_true", help="count again and compare")
    parser.add_argument("--json", metavar="FILE", help="write the counts there")
    given = parser.parse_args()
    try:
        program = program_of(given.bin)
        rows = countable(chosen_rows(rows_of(program), given.rows))
        if not rows:
            raise CountError("no row to count")
        counts = count_rows(program, rows, given.iterations, given.jobs)
        again = count_rows(program, rows, given.iterations, given.jobs) if given.twice else counts
    except CountError as failure:
        print(f"bench_counts: {failure}", file=sys.stderr)
        return 2
    for row, count in counts.items():
        print(f"{row:<34} {count['instructions']:12,.1f} instructions/event  {count['allocations']:.6f} allocations/event")
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(counts, indent=1) + "\n")
    unsteady = differences(counts, again)
    if unsteady:
        print(f"bench_counts: not the same twice: {', '.join(unsteady)}", file=sys.stderr)
    return 1 if unsteady else 0


if __name__ == "__main__":
    sys.exit(main())
