"""Inline SVG. Places along the width are percentages and text is never scaled, so the same plot serves a phone and a screen."""
from html import escape

from bench_gate import COUNT_FAIL, COUNT_WARN
from bench_statistics import median, quantile

LEFT, RIGHT = 12.0, 97.0  # per cent; the names of the strips stand left of it
HISTORY_HEIGHT = 78


def svg(height, title, parts):
    return (f'<svg width="100%" height="{height}" role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>'
            + "".join(parts) + "</svg>")


def text(x, y, words, anchor="start", kind="small"):
    return f'<text x="{x:.2f}%" y="{y}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.2f}%" y1="{y1}" x2="{x2:.2f}%" y2="{y2}" class="{kind}"/>'


def scaled(value, low, high, begin=LEFT, end=RIGHT):
    return begin + (end - begin) * (value - low) / (high - low)


def figure(value):
    """Three digits that matter."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def change_bar(share, widest):
    """Left is less, right is more; the thin lines are where a count warns and fails."""
    share = 0.0 if share is None else share
    end = scaled(max(-widest, min(widest, share)), -widest, widest, 0, 100)
    marks = [line(scaled(at, -widest, widest, 0, 100), 2, scaled(at, -widest, widest, 0, 100), 18, "limit")
             for at in (COUNT_WARN, COUNT_FAIL) if at < widest]
    bar = f'<rect x="{min(50, end):.2f}%" y="5" width="{max(abs(end - 50), 0.4):.2f}%" height="10" class="bar"/>'
    return svg(20, f"instructions {share * 100:+.2f} %", [*marks, line(50, 0, 50, 20, "axis"), bar])


def strip(values, y, low, high, kind):
    """Each repetition a dot, the middle half a box, the median a bar."""
    box = [scaled(quantile(values, share), low, high) for share in (0.25, 0.75)]
    middle = scaled(median(values), low, high)
    out = [f'<rect x="{box[0]:.2f}%" y="{y - 9}" width="{max(box[1] - box[0], 0.3):.2f}%" height="18" class="{kind} box"/>']
    out += [f'<circle cx="{scaled(value, low, high):.2f}%" cy="{y}" r="3" class="{kind} dot"/>' for value in values]
    return out + [line(middle, y - 11, middle, y + 11, kind + " median")]


def before_after(before, after, unit):
    low, high = min(before + after), max(before + after)
    margin = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
    low, high = low - margin, high + margin
    parts = [text(0, 20, "base"), *strip(before, 16, low, high, "base"),
             text(0, 50, "head"), *strip(after, 46, low, high, "head"),
             line(LEFT, 64, RIGHT, 64, "axis"), text(LEFT, 79, figure(low)), text(RIGHT, 79, f"{figure(high)} {unit}", "end")]
    return svg(84, f"{unit}: base {figure(median(before))}, head {figure(median(after))}", parts)


def history(points, unit):
    """points: [(revision, value)] in their order. The axis begins at nothing, so that a small change looks small."""
    high = max(value for _, value in points) * 1.1 or 1.0
    places = [(scaled(i, 0, max(1, len(points) - 1), 2, 98), 8 + (HISTORY_HEIGHT - 28) * (1 - value / high))
              for i, (_, value) in enumerate(points)]
    parts = [line(0, HISTORY_HEIGHT - 20, 100, HISTORY_HEIGHT - 20, "axis")]
    parts += [line(x1, f"{y1:.1f}", x2, f"{y2:.1f}", "trend") for (x1, y1), (x2, y2) in zip(places, places[1:])]
    for (x, y), (revision, value) in zip(places, points):
        said = escape(f"{revision}: {figure(value)}")
        parts.append(f'<circle cx="{x:.2f}%" cy="{y:.1f}" r="3.5" class="head dot"><title>{said}</title></circle>')
    first, last = points[0], points[-1]
    parts += [text(0, HISTORY_HEIGHT - 5, f"{first[0].split()[0]}: {figure(first[1])}"),
              text(100, HISTORY_HEIGHT - 5, f"{last[0].split()[0]}: {figure(last[1])}", "end")]
    return svg(HISTORY_HEIGHT, f"{unit} over {len(points)} revisions", parts)
