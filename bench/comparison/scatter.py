"""The picture of a comparison: what each method reaches over how far it went from where it
started, as an SVG that reads on light and on dark pages. KL goes by its square root (Gao et al.
2022, section 3.1), which spreads the methods that stay near."""

import math
from html import escape

from comparison.methods import FAMILIES

WIDTH, HEIGHT = 960, 600
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 76, 56
TEXT = 12          # pixels, of labels
LETTER = 0.56 * TEXT  # mean advance

# Colours that keep their distance on white and on black, and shapes for those who see fewer.
LOOKS = dict(zip(FAMILIES, [
    ("#888888", "square"), ("#d55e00", "circle"), ("#0083c9", "circle"), ("#009e73", "triangle"),
    ("#b38600", "triangle"), ("#cc5fa0", "diamond"), ("#7a6ff0", "diamond")]))

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: 600; }
.quiet { fill: #57606a; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.front { stroke: #57606a; stroke-width: 1.5; stroke-dasharray: 5 4; fill: none; }
.leader { stroke: #8c959f; stroke-width: 0.8; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .quiet { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .front { stroke: #9198a1; }
}
"""


def pareto_front(points):
    """Those that no other point beats: gold that nobody reaches with as little KL."""
    best, front = -math.inf, []
    for point in sorted(points, key=lambda p: (p["kl"], -p["gold"])):
        if point["gold"] > best:
            best = point["gold"]
            front.append(point)
    return front


class Axes:
    def __init__(self, points):
        self.most = max([p["kl"] for p in points] + [1.0]) * 1.08
        golds = [p["gold"] for p in points]
        self.low = math.floor(min(golds) * 10) / 10
        self.high = max(math.ceil(max(golds) * 10) / 10, self.low + 0.1)

    def x(self, kl):
        return LEFT + 8 + (WIDTH - LEFT - RIGHT - 8) * math.sqrt(max(kl, 0) / self.most)

    def y(self, gold):
        share = (gold - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def svg(self, gold_title):
        out = []
        for kl in (0, 0.5, 1, 2, 4, 6, 8, 10, 15, 20, 30, 40, 60, 80, 120):
            if kl <= self.most:
                x = self.x(kl)
                out.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" '
                           f'y2="{HEIGHT - BOTTOM}"/><text class="quiet" x="{x:.1f}" '
                           f'y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{kl:g}</text>')
        for tenth in range(round(self.low * 10), round(self.high * 10) + 1):
            y = self.y(tenth / 10)
            out.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" '
                       f'y2="{y:.1f}"/><text class="quiet" x="{LEFT - 8}" y="{y + 4:.1f}" '
                       f'text-anchor="end">{tenth / 10:.1f}</text>')
        out.append(f'<text class="quiet" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" '
                   'text-anchor="middle">KL to the model that all start from, nats a response '
                   '(square-root scale)</text>')
        out.append(f'<text class="quiet" transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) '
                   f'rotate(-90)" text-anchor="middle">share {escape(gold_title)}</text>')
        return out


def mark(colour, shape, x, y):
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
    path = {"square": "M-5-5H5V5H-5Z", "triangle": "M0-6L6 5H-6Z", "diamond": "M0-6L6 0L0 6L-6 0Z"}
    return f'<path transform="translate({x:.1f} {y:.1f})" d="{path[shape]}" fill="{colour}"/>'


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0


def place_labels(points):
    """Where each label stands, the crowded ones last: of places around its point the one that
    covers least of what is drawn already, near ones first."""
    taken = [(p["x"] - 7, p["y"] - 7, p["x"] + 7, p["y"] + 7) for p in points]
    crowd = {p["name"]: sum(math.hypot(p["x"] - q["x"], p["y"] - q["y"]) < 60 for q in points)
             for p in points}
    places = []
    for p in sorted(points, key=lambda p: crowd[p["name"]]):
        width = LETTER * len(p["name"])
        best = None
        for distance in (10, 18, 28, 40, 54, 70, 90):
            for step in range(16):
                angle = 2 * math.pi * step / 16
                x = p["x"] + distance * math.cos(angle)
                y = p["y"] + distance * math.sin(angle)
                left = x - width * (1 - math.cos(angle)) / 2
                box = (left, y - TEXT * 0.7, left + width, y + TEXT * 0.5)
                if box[0] < LEFT or box[2] > WIDTH - 4 or box[1] < TOP or box[3] > HEIGHT - BOTTOM:
                    continue
                cost = sum(overlap(box, other) for other in taken) + distance / 4
                if best is None or cost < best[0]:
                    best = (cost, box, distance)
        places.append((p, best[1], best[2]))
        taken.append(best[1])
    return places


def legend(families):
    """The families in rows below the title."""
    lines, x, y = [], LEFT, 38
    for family in families:
        width = 32 + 1.05 * LETTER * len(family)
        if x + width > WIDTH - RIGHT:
            x, y = LEFT, y + 18
        lines.append(mark(*LOOKS[family], x + 6, y))
        lines.append(f'<text class="quiet" x="{x + 16}" y="{y + 4}">{escape(family)}</text>')
        x += width
    return lines


def labels(points):
    """Names beside their points, with a line to those that had to stand apart."""
    lines = []
    for p, box, distance in place_labels(points):
        if distance > 18:
            x = min(max(p["x"], box[0]), box[2])
            y = min(max(p["y"], box[1]), box[3])
            lines.append(f'<line class="leader" x1="{p["x"]:.1f}" y1="{p["y"]:.1f}" '
                         f'x2="{x:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{box[0]:.1f}" y="{box[3] - 2:.1f}">{escape(p["name"])}</text>')
    return lines


def svg(out):
    """The picture of tables.summary."""
    points = [{"name": e["name"], "family": e["family"], "kl": e["figures"]["kl"]["mean"],
               "gold": e["figures"]["gold"]["mean"]} for e in out["methods"] if e["figures"]]
    seeds = "one seed" if len(out["seeds"]) == 1 else f"means over {len(out['seeds'])} seeds"
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
             f"<title>{escape(out['title'])}: {escape(out['gold_title'])} over KL</title>",
             f"<style>{STYLE}</style>",
             f'<text class="title" x="{LEFT}" y="18">What each method reaches, and how far it '
             f"went: {escape(out['title'])}, {seeds}</text>"]
    if points:
        axes = Axes(points)
        for p in points:
            p["x"], p["y"] = axes.x(p["kl"]), axes.y(p["gold"])
        lines += legend([f for f in FAMILIES if any(p["family"] == f for p in points)])
        lines += axes.svg(out["gold_title"])
        front = " ".join(f"{p['x']:.1f},{p['y']:.1f}" for p in pareto_front(points))
        lines.append(f'<polyline class="front" points="{front}"/>')
        lines += labels(points)
        lines += [mark(*LOOKS[p["family"]], p["x"], p["y"]) for p in points]
    return "\n".join(lines + ["</svg>"]) + "\n"
