"""One self-contained page of a comparison: no script, nothing loaded, readable on a phone and on a wide screen."""
import re
from html import escape

from bench_gate import BETTER, FAILED, FINE, WARNING, percent
from bench_history import entry_of, series
from bench_plots import before_after, change_bar, figure, history
from bench_statistics import median

STYLE = """
:root { color-scheme: light dark; --page: #fcfcfb; --ink: #1c1d1f; --soft: #5c6066; --line: #d9dade; --card: #ffffff;
  --base: #8a8f98; --head: #2563c9; --bad: #b3261e; --warn: #8a5a00; --good: #1d7a3c; }
@media (prefers-color-scheme: dark) { :root { --page: #17181a; --ink: #ecedee; --soft: #a3a8b0; --line: #3a3d42; --card: #1f2124;
  --base: #8a8f98; --head: #7aa9f7; --bad: #ff8a80; --warn: #f0b952; --good: #74d190; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 88rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; } h2 { font-size: 1.1rem; margin: 1.8rem 0 .4rem; }
h3 { font-size: 1rem; margin: 0; flex: 1 1 auto; }
p { margin: .3rem 0; max-width: 72ch; } .soft { color: var(--soft); font-size: .9rem; }
.verdict { font-weight: 600; white-space: nowrap; } .failed { color: var(--bad); } .warning { color: var(--warn); }
.better { color: var(--good); } .same { color: var(--soft); }
.overview { display: grid; grid-template-columns: minmax(9rem, 18rem) 5.5rem 1fr; gap: .1rem .7rem; align-items: center; }
.overview .number { text-align: right; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)); gap: .8rem; }
.card { border: 1px solid var(--line); border-radius: 6px; background: var(--card); padding: .7rem .8rem; min-width: 0; }
.card header { display: flex; flex-wrap: wrap; gap: .2rem .6rem; align-items: baseline; margin-bottom: .3rem; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th { text-align: left; font-weight: 400; color: var(--soft); white-space: nowrap; overflow-wrap: normal; }
td { text-align: right; } td, th { padding: .1rem 0 .1rem .5rem; } th:first-child { padding-left: 0; }
figure { margin: .5rem 0 0; } figcaption { color: var(--soft); font-size: .8rem; }
svg { display: block; overflow: visible; } svg .small { font-size: 11px; fill: var(--soft); }
svg .axis { stroke: var(--line); } svg .limit { stroke: var(--warn); stroke-dasharray: 2 2; } svg .bar { fill: var(--soft); }
.failed svg .bar { fill: var(--bad); } .warning svg .bar { fill: var(--warn); } .better svg .bar { fill: var(--good); }
svg .box { opacity: .25; } svg .dot { opacity: .75; } svg .median { stroke-width: 2.5; }
svg .base { fill: var(--base); stroke: var(--base); } svg .head { fill: var(--head); stroke: var(--head); }
svg .dot, svg .box { stroke: none; } svg .trend { stroke: var(--head); stroke-width: 1.5; }
@media (max-width: 40rem) { .overview { grid-template-columns: 1fr auto; } .overview .plot { grid-column: 1 / 3; }
  table { font-size: .74rem; } td, th { padding-left: .25rem; } }
"""

WORDS = {FAILED: "regression", WARNING: "warning", FINE: "no change", BETTER: "better"}


def verdict(which):
    return f'<span class="verdict {which.lower()}">{WORDS[which]}</span>'


def row_verdict(one):
    if one["presence"] == "both":
        return verdict(one["verdict"])
    return f'<span class="verdict warning">{one["presence"]} row</span>'


def overview(result):
    counted = [one for one in result["rows"] if "instructions" in one]
    widest = max([0.04] + [min(0.5, abs(one["instructions"]["change"] or 0)) for one in counted])
    lines = []
    for one in counted:
        share = one["instructions"]["change"]
        kind = one["instructions"]["verdict"].lower()
        name = re.sub(r"([/_])", r"\1<wbr/>", escape(one["row"]))
        lines.append(f'<div>{name}</div><div class="number {kind}">{percent(share)}</div>'
                     f'<div class="plot {kind}">{change_bar(share, widest)}</div>')
    return f'<div class="overview">{"".join(lines)}</div>'


def figures_line(name, part, shown=figure):
    """One line of a card's table: before, after, change, and p where there is one."""
    before, after = (median(value) if isinstance(value, list) else value for value in (part["before"], part["after"]))
    chance = f'{part["p"]:.3f}' if "p" in part else ""
    kind = part.get("verdict", FINE).lower()
    return (f'<tr><th>{name}</th><td class="number">{shown(before)}</td><td class="number">{shown(after)}</td>'
            f'<td class="number {kind}">{percent(part["change"])}</td><td class="number">{chance}</td></tr>')


NAMES = {"instructions": "instructions", "allocations": "allocations", "cpu": "CPU ns", "wall": "wall ns",
         "times_portable": "× portable twin"}


def card(one, entries):
    lines = "".join(figures_line(name, one[key]) for key, name in NAMES.items() if key in one)
    head = "<tr><th>per event</th><td>base</td><td>head</td><td>change</td><td>p</td></tr>"
    body = f"<table>{head}{lines}</table>" if lines else ""
    if one["other_input"]:
        body += f'<p class="warning">{escape(one["other_input"])}</p>'
    if "cpu" in one:
        body += (f'<figure>{before_after(one["cpu"]["before"], one["cpu"]["after"], "ns of CPU per event")}'
                 f'<figcaption>{len(one["cpu"]["before"])} repetitions in turns; box: the middle half</figcaption></figure>')
    points = series(entries, one["row"])
    if len(points) > 1:
        body += (f'<figure>{history(points, "instructions per event")}<figcaption>instructions per event, recorded'
                 "</figcaption></figure>")
    return f'<section class="card"><header><h3>{escape(one["row"])}</h3>{row_verdict(one)}</header>{body}</section>'


def page(result, entries):
    """`entries` are those of bench/history.jsonl; the comparison itself is the last point."""
    if not entries or entries[-1]["revision"] != result["head"]:
        entries = entries + [entry_of(result)]
    tools = result["toolchain"]
    packages = ", ".join(f"{name} {version}" for name, version in tools["packages"].items())
    built_with = escape(" · ".join((result["date"], tools["compiler"], tools["flags"], tools["machine"])))
    note = f'<p class="warning">{escape(result["note"])}</p>' if result["note"] else ""
    cards = "".join(card(one, entries) for one in result["rows"])
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>Benchmark comparison: {WORDS[result["verdict"]]}</title><style>{STYLE}</style></head><body>
<h1>Benchmark comparison: {verdict(result["verdict"])}</h1>
<p>base <b>{escape(result["base"])}</b><br/>head <b>{escape(result["head"])}</b></p>
<p class="soft">{built_with}</p>{note}
<h2>Instructions per event</h2>
<p class="soft">Counted by callgrind over the timed loop alone; they repeat, and decide: above +1 % is a warning, above +3 % a
regression (dashed).</p>
{overview(result)}
<h2>Row by row</h2>
<p class="soft">CPU time decides only when the medians are more than 5 % and 1 ns apart and p (Mann-Whitney) is below 0.01. Where
the counts are the same the code is the same: up to 15 % are then a warning, for it may be where the linker put a loop. Wall time is
shown because it is what one waits for; other programs' load is in it.</p>
<div class="cards">{cards}</div>
<p class="soft">{escape(packages)}</p>
</body></html>
"""
