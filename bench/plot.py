"""Line charts as SVG, and a page around them that needs nothing from anywhere else."""
import html
import math

WIDTH, HEIGHT = 520, 320
LEFT, RIGHT, TOP, BOTTOM = 72, 16, 40, 52
INSET = 24  # room for the labels of the first and the last point
COLOURS = ("#1565c0", "#c62828", "#2e7d32", "#6a1b9a")


def short(value):
    """1200 → 1.2k; three digits are enough on an axis."""
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.3g}"


class Axis:
    """Values to 0..1, and the values worth a mark."""

    def __init__(self, values, log):
        self.log = log and min(values) > 0
        if self.log:
            self.low = 10 ** math.floor(math.log10(min(values)) + 1e-9)
            self.high = 10 ** math.ceil(math.log10(max(values)) - 1e-9)
            if self.low == self.high:
                self.high *= 10
        else:
            self.low = min(0, *values) if len(values) > 1 else min(0, values[0])
            self.high = self.round_up(max(max(values), self.low + 1e-12))

    @staticmethod
    def round_up(value):
        if value <= 0:
            return 1.0
        step = 10 ** math.floor(math.log10(value))
        return next(step * factor for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * factor >= value * (1 - 1e-12))

    def place(self, value):
        if self.log:
            return (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def marks(self):
        if self.log:
            count = round(math.log10(self.high / self.low))
            return [self.low * 10**i for i in range(count + 1)]
        return [self.low + (self.high - self.low) * i / 4 for i in range(5)]


def chart(title, x_label, y_label, series, log_x=True, log_y=False, y_line=None):
    """`series`: [(name, [(x, y), ...])]; `y_line`: (value, what it is), drawn across. One <svg> element."""
    points = [point for _, part in series for point in part]
    if not points:
        raise ValueError(f"{title}: nothing to draw")
    extra = [y_line[0]] if y_line else []
    x_axis = Axis([x for x, _ in points], log_x)
    y_axis = Axis([y for _, y in points] + extra, log_y)

    def at(x, y):
        across = LEFT + INSET + x_axis.place(x) * (WIDTH - LEFT - RIGHT - 2 * INSET)
        return (across, HEIGHT - BOTTOM - y_axis.place(y) * (HEIGHT - TOP - BOTTOM))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
           f'aria-label="{html.escape(title)}" font-family="sans-serif" font-size="12" fill="#222">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
           f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{html.escape(title)}</text>']
    for value in y_axis.marks():
        y = at(x_axis.low, value)[1]
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{short(value)}</text>')
    for value in x_axis.marks():
        x = at(value, y_axis.low)[0]
        out.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{short(value)}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{html.escape(x_label)}</text>')
    out.append(f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
               f'{html.escape(y_label)}</text>')
    if y_line:
        y = at(x_axis.low, y_line[0])[1]
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#777" stroke-dasharray="5 4"/>')
        out.append(f'<text x="{LEFT + 6}" y="{y - 4:.1f}" fill="#555">{html.escape(y_line[1])}</text>')
    for number, (name, part) in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        places = [at(x, y) for x, y in part]
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
                   + " ".join(f"{x:.1f},{y:.1f}" for x, y in places) + '"/>')
        for (x, y), (_, value) in zip(places, part):
            out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>')
            out.append(f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle" font-size="11" fill="{colour}">'
                       f'{short(value)}</text>')
        if len(series) > 1:
            out.append(f'<text x="{WIDTH - RIGHT}" y="{20 + 14 * number}" text-anchor="end" fill="{colour}">'
                       f'{html.escape(name)}</text>')
    return "\n".join(out) + "\n</svg>"


def table(head, rows):
    cells = "".join(f"<th>{html.escape(word)}</th>" for word in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(word)}</td>" for word in row) + "</tr>\n" for row in rows)
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>\n{body}</tbody></table></div>'


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 sans-serif; color: #222; background: #fff; margin: 0 auto; padding: 1rem; max-width: 1120px; }}
.charts {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 1rem; }}
svg {{ width: 100%; height: auto; border: 1px solid #ddd; border-radius: 4px; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }}
th, td {{ border-bottom: 1px solid #ddd; padding: .25rem .75rem; text-align: right; white-space: nowrap; }}
</style></head><body>
<h1>{title}</h1>
<p>{facts}</p>
{body}
</body></html>
"""


def page(title, facts, parts):
    """`parts`: pieces of HTML, as chart(), charts() and table() make them."""
    return PAGE.format(title=html.escape(title), facts=html.escape(facts), body="\n".join(parts))


def charts(drawn):
    return '<div class="charts">\n' + "\n".join(drawn) + "\n</div>"
