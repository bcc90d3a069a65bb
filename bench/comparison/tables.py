"""What the runs of a comparison say together: means and deviations over seeds, as data and as a
table in Markdown."""

import shlex
import statistics

from comparison.methods import FAMILIES, scaled


def spread(values):
    """Mean and deviation (n - 1); of one value there is none."""
    return {"mean": statistics.fmean(values),
            "sd": statistics.stdev(values) if len(values) > 1 else None}


def summary(rows, task, about):
    """Everything that tables and pictures show."""
    out = dict(about, title=task.title, gold_title=task.gold_title, methods=[])
    for row in sorted(rows, key=lambda row: FAMILIES.index(row["method"].family)):
        method, outcomes = row["method"], list(row["outcomes"].values())
        entry = {"name": method.name, "family": method.family,
                 "command": shlex.join([method.command] + scaled(method.flags, task.rate)) if method.command else "",
                 "seeds": sorted(row["outcomes"]), "missing": row["missing"], "figures": {}}
        for name in outcomes[0]["figures"] if outcomes else ():
            entry["figures"][name] = spread([o["figures"][name] for o in outcomes])
        if outcomes and method.command:
            entry["figures"]["seconds"] = spread([o["seconds"] for o in outcomes])
        out["methods"].append(entry)
    return out


def cell(entry, name, digits):
    figure = entry["figures"].get(name)
    if figure is None:
        return ""
    mean = f"{figure['mean']:.{digits}f}"
    return mean if figure["sd"] is None else f"{mean} ± {figure['sd']:.{digits}f}"


def markdown(out):
    """Two tables: the figures, and the settings behind them."""
    columns = [("gold", out["gold_title"].capitalize(), 3), ("kl", "KL, nats a response", 2),
               ("score", "Reward model", 2), ("length", "Tokens", 1),
               ("distinct_2", "Distinct-2", 3)]
    if not out["busy_machine"]:
        columns.append(("seconds", "Seconds, one thread", 0))
    lines = ["| Method | " + " | ".join(title for _, title, _ in columns) + " |",
             "|---" * (len(columns) + 1) + "|"]
    family = None
    for entry in out["methods"]:
        if entry["family"] != family:
            family = entry["family"]
            lines.append(f"| **{family}**" + " |" * (len(columns) + 1))
        name = entry["name"]
        if entry["figures"] and entry["missing"]:
            name += f" ({len(entry['seeds'])} of {len(out['seeds'])} seeds: {entry['missing']})"
        cells = [cell(entry, figure, digits) for figure, _, digits in columns]
        if not entry["figures"]:
            cells[0] = f"missing: {entry['missing']}"
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "| Method | Command |", "|---|---|"]
    for entry in out["methods"]:
        if entry["command"]:
            command = entry["command"].replace("|", "\\|")
            lines.append(f"| {entry['name']} | `{command}` |")
    return "\n".join(lines) + "\n"
