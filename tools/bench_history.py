"""One line per recorded comparison, in bench/history.jsonl: how the counts went over time."""
import json

from bench_statistics import median


def entry_of(result):
    """Of what bench-compare found out about HEAD."""
    rows = {}
    for one in result["rows"]:
        if "instructions" not in one:
            continue
        rows[one["row"]] = {key: round(one[key]["after"], 6) for key in ("instructions", "allocations")}
        if "cpu" in one:
            rows[one["row"]]["cpu_ns"] = round(median(one["cpu"]["after"]), 2)
    return {"date": result["date"], "revision": result["head"], "compiler": result["toolchain"]["compiler"], "rows": rows}


def append(file, entry):
    with open(file, "a", encoding="utf-8") as out:
        out.write(json.dumps(entry) + "\n")


def read(file):
    """Entries in their order; none when nothing was recorded."""
    if not file.is_file():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def series(entries, row, what="instructions"):
    """[(revision, value)] of the entries that have the row."""
    return [(entry["revision"], entry["rows"][row][what]) for entry in entries if what in entry["rows"].get(row, {})]
