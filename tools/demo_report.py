#!/usr/bin/env python3
"""The demo's verdict, from the emulator's ledger. What penstock says of itself is used for its costs only."""
import argparse
import json
import ssl
import sys
import urllib.request


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--ready", required=True, help="the emulator's ready file")
    arguments.add_argument("--summary", required=True, help="penstock's summary")
    arguments.add_argument("--seconds", nargs=2, type=float, required=True, metavar=("BEGIN", "END"))
    arguments.add_argument("--exit-code", type=int, required=True)
    arguments.add_argument("--report", help="write the report as JSON to this file")
    given = arguments.parse_args()

    with open(given.ready) as file:
        ready = json.load(file)
    context = ssl.create_default_context(cafile=ready["ca_file"]) if ready["ca_file"] else None
    with urllib.request.urlopen(ready["url"] + "/emulator/ledger", context=context, timeout=600) as answer:
        ledger = json.load(answer)
    try:
        with open(given.summary) as file:
            summary = json.load(file)
    except OSError:
        summary = {}

    events = ledger["events"]
    seconds = max(1e-3, given.seconds[1] - given.seconds[0])
    rows = {key: sum(rule[key] for rule in ledger["rules"]) for key in ("requests", "wire_bytes", "raw_bytes")}
    report = {
        "events_in": events["stored"],
        "delivered_unique": events["delivered_unique"],
        "lost": events["missing"],
        "duplicated": events["duplicates"],
        "altered": events["altered"] + events["unknown"],
        "seconds": round(seconds, 3),
        "events_per_s": round(events["delivered_unique"] / seconds),
        "raw_mb_per_s": round(rows["raw_bytes"] / seconds / 1e6, 1),
        "wire_mb_per_s": round(rows["wire_bytes"] / seconds / 1e6, 1),
        "requests": rows["requests"],
        "cpu_us_per_event": summary.get("cpu_us_per_event"),
        "peak_rss_mib": round(summary.get("peak_rss_bytes", 0) / 2**20, 1),
        "latency_ms_p50": summary.get("latency_ms", {}).get("p50"),
        "latency_ms_p99": summary.get("latency_ms", {}).get("p99"),
        "penstock_exit_code": given.exit_code,
    }
    width = max(map(len, report))
    print("\nreport (events, rows and bytes counted by the emulated cloud)")
    for name, value in report.items():
        print(f"  {name:<{width}}  {value:,}" if isinstance(value, int) else f"  {name:<{width}}  {value}")
    if given.report:
        with open(given.report, "w") as file:
            json.dump(report, file, indent=1)
            file.write("\n")
    good = report["lost"] == report["duplicated"] == report["altered"] == 0 and given.exit_code == 0 and report["events_in"] > 0
    print("demo: every event arrived once and unchanged" if good else "demo: FAILED: see lost, duplicated, altered")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
