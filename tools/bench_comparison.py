"""Counts and times of two programs, judged row by row: the data behind the table, the JSON and the page."""
import bench_gate as gate
from bench_statistics import median
from bench_times import times_faster, twin_of


def judged_counts(before, after):
    """Two of {"instructions", "allocations"}; what only one side has is no change but a new or a gone row."""
    if before is None or after is None:
        return {}
    out = {}
    for what in ("instructions", "allocations"):
        out[what] = {"before": before[what], "after": after[what], "change": gate.change(before[what], after[what]),
                     "verdict": gate.judge_count(before[what], after[what])}
    return out


def judged_times(times, row, same_code):
    before, after = times["base"].get(row), times["head"].get(row)
    if before is None or after is None:
        return {}
    verdict, share, p = gate.judge_times(before["cpu_ns"], after["cpu_ns"], same_code)
    out = {"cpu": {"before": before["cpu_ns"], "after": after["cpu_ns"], "change": share, "p": p, "verdict": verdict}}
    # Shown only: what else ran on the machine is in it.
    out["wall"] = {"before": before["wall_ns"], "after": after["wall_ns"],
                   "change": gate.change(median(before["wall_ns"]), median(after["wall_ns"]))}
    if twin_of(row) in times["base"] and twin_of(row) in times["head"]:
        base, head = times_faster(times["base"], row), times_faster(times["head"], row)
        verdict, share, p = gate.judge_kernel(base, head)
        out["times_portable"] = {"before": base, "after": head, "change": share, "p": p, "verdict": verdict}
    return out


def other_input(before, after):
    """Says so when the corpus has changed: then a change of counts is not the code's alone."""
    if before is None or after is None or before["events"] == after["events"]:
        return ""
    return f"other input: {before['events']} events before, {after['events']} after"


def presence(row, rows):
    if row not in rows["base"]:
        return "new"
    return "gone" if row not in rows["head"] else "both"


def compare(names, rows, counts, times, note=""):
    """names {"base", "head"}; rows {side: [...]}; counts {side: {row: ...}}; times likewise, or None. One dictionary."""
    everything = list(dict.fromkeys(rows["base"] + rows["head"]))
    judged = []
    for row in everything:
        found = judged_counts(counts["base"].get(row), counts["head"].get(row))
        if times:
            found |= judged_times(times, row, gate.same_code(found))
        verdicts = [part["verdict"] for part in found.values() if "verdict" in part]
        # A row that is gone is no longer guarded: to be seen, yet no slowdown.
        if presence(row, rows) == "gone":
            verdicts.append(gate.WARNING)
        judged.append({"row": row, "presence": presence(row, rows), "verdict": gate.decisive(verdicts),
                       "other_input": other_input(counts["base"].get(row), counts["head"].get(row)), **found})
    return {"base": names["base"], "head": names["head"], "note": note, "rows": judged,
            "verdict": gate.decisive(one["verdict"] for one in judged)}


def table(result):
    """For the terminal; without columns for times when nothing was timed."""
    timed = any("cpu" in one for one in result["rows"])
    head = f"{'row':<34}{'instructions/event':>22}{'change':>10}{'allocations':>13}"
    if timed:
        head += f"{'CPU ns/event':>20}{'change':>10}{'p':>7}"
    lines = [f"base  {result['base']}", f"head  {result['head']}", result["note"], head + "  verdict"]
    return "\n".join(lines + [table_line(one, timed) for one in result["rows"]])


def table_line(one, timed):
    def pair(part, digits):
        return f"{median_of(part['before']):,.{digits}f} {median_of(part['after']):,.{digits}f}" if part else "-"

    instructions, cpu, allocations = (one.get(key) for key in ("instructions", "cpu", "allocations"))
    text = f"{one['row']:<34}{pair(instructions, 0):>22}{percent_of(instructions):>10}{percent_of(allocations):>13}"
    if timed:
        p = f"{cpu['p']:.3f}" if cpu else "-"
        text += f"{pair(cpu, 1):>20}{percent_of(cpu):>10}{p:>7}"
    text += "  " + (one["verdict"] if one["presence"] == "both" else f"{one['presence']} row: {one['verdict']}")
    if one["other_input"]:
        text += f" ({one['other_input']})"
    if "times_portable" in one:
        ratio = one["times_portable"]
        text += f" ({median(ratio['before']):.1f}x, {median(ratio['after']):.1f}x its portable twin, p {ratio['p']:.3f})"
    return text


def median_of(value):
    return median(value) if isinstance(value, list) else value


def percent_of(part):
    return gate.percent(part["change"]) if part else "-"
