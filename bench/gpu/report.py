#!/usr/bin/env python3
"""Writes gpu.md and gpu.json from what the parts of bench/gpu.sh left in a folder: ours beside the
peers, and every figure's share of what the GPU was seen to do at best in the same run.

    python3 bench/gpu/report.py --results results --output results
"""

import argparse
import json
import os

OURS = "rlhf.cpp"


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip()]


def kernels(path):
    """Google Benchmark's file as entries like those of the peers."""
    if not os.path.exists(path):
        return []
    with open(path) as file:
        benchmarks = json.load(file)["benchmarks"]
    unit = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}
    entries = []
    for b in benchmarks:
        if b.get("run_type") == "aggregate" and b.get("aggregate_name") != "median":
            continue
        seconds = b["real_time"] * unit[b["time_unit"]]
        what = "/".join(b["name"].split("/")[:3])
        entries.append({"part": "kernels", "what": what, "engine": OURS, "seconds": seconds,
                        "bytes": b.get("GB/s", 0) * 1e9 * seconds,
                        "flops": b.get("GFLOP/s", 0) * 1e9 * seconds})
    return entries


def table(header, rows):
    line = lambda cells: "| " + " | ".join(cells) + " |"
    return "\n".join([line(header), line(["---"] * len(header)), *map(line, rows)]) + "\n"


def duration(seconds):
    return f"{seconds * 1e6:,.1f} us" if seconds < 1e-3 else f"{seconds * 1e3:,.3f} ms"


def grouped(entries):
    groups = {}
    for entry in entries:
        groups.setdefault(entry["what"], {})[entry["engine"]] = entry
    return groups


def ceiling(entries, what, quantity):
    found = [e[quantity] / e["seconds"] for e in entries
             if e["part"] == "ceilings" and e["what"] == what]
    return max(found, default=0)


def kernel_rows(entries):
    copy = ceiling(entries, "copy", "bytes")
    product = ceiling(entries, "bf16 matrix product", "flops")
    for what, engines in grouped(e for e in entries if e["part"] == "kernels").items():
        ours = engines.pop(OURS, None)
        if not ours:
            continue
        bandwidth, rate = ours["bytes"] / ours["seconds"], ours["flops"] / ours["seconds"]
        peers = ", ".join(f"{name} {duration(e['seconds'])} ({e['seconds'] / ours['seconds']:.2f}x)"
                          for name, e in engines.items())
        yield [what, duration(ours["seconds"]), f"{bandwidth / 1e9:,.0f}",
               f"{100 * bandwidth / copy:.0f} %" if copy else "?", f"{rate / 1e12:,.1f}",
               f"{100 * rate / product:.0f} %" if product else "?", peers or "none"]


def ladder_rows(entries):
    copy = ceiling(entries, "copy", "bytes")
    for what, rungs in grouped(e for e in entries if e["part"] == "ladder").items():
        first = next(iter(rungs.values()))["seconds"]
        for name, e in rungs.items():
            share = e["bytes"] / e["seconds"] / copy if copy else 0
            yield [what, name, duration(e["seconds"]), f"{first / e['seconds']:.1f}",
                   f"{100 * share:.0f} %" if copy else "?",
                   f"{e['flops'] / e['seconds'] / 1e12:.1f}"]


def run_rows(entries, part):
    for what, engines in grouped(e for e in entries if e["part"] == part).items():
        ours = engines.get(OURS)
        for name, e in engines.items():
            rate = e.get("tokens_per_s")
            ratio = f"{e['seconds'] / ours['seconds']:.2f}" if ours else "?"
            yield [what, name, duration(e["seconds"]), f"{rate:,.0f}" if rate else "", ratio]


def markdown(info, entries, checks):
    text = "# GPU report\n\n"
    text += "".join(f"- {key}: {value}\n" for key, value in info.items()) + "\n"
    for check in checks:
        text += f"- {check['what']}: {check['result']}\n"
    copy = ceiling(entries, "copy", "bytes")
    if copy:
        product = ceiling(entries, "bf16 matrix product", "flops")
        text += (f"\nCeilings of this run: copy {copy / 1e9:,.0f} GB/s (read + written), "
                 f"bf16 matrix product {product / 1e12:,.0f} TFLOP/s.\n")
    rows = list(kernel_rows(entries))
    if rows:
        text += "\n## Kernels\n\nA peer's factor is its time over ours: above 1, ours is faster.\n\n"
        text += table(["kernel/shape/type", "time", "GB/s", "of copy", "TFLOP/s", "of product",
                       "peers"], rows)
    rows = list(ladder_rows(entries))
    if rows:
        text += "\n## Ladders\n\n"
        text += table(["problem", "rung", "time", "faster than the first", "of copy", "TFLOP/s"], rows)
    for part, title in (("train", "Training step"), ("decode", "Decoding"), ("ppo", "PPO")):
        rows = list(run_rows(entries, part))
        if rows:
            text += f"\n## {title}\n\n"
            text += table(["what", "engine", "time", "tokens/s", "time over ours"], rows)
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", required=True, help="folder with the parts' files")
    parser.add_argument("--output", required=True, help="folder for gpu.md and gpu.json")
    a = parser.parse_args()
    at = lambda name: os.path.join(a.results, name)
    entries = lines(at("results.jsonl")) + kernels(at("kernels.json"))
    checks = lines(at("checks.jsonl"))
    info = {}
    if os.path.exists(at("info.json")):
        with open(at("info.json")) as file:
            info = json.load(file)
    with open(os.path.join(a.output, "gpu.json"), "w") as file:
        json.dump({"info": info, "checks": checks, "results": entries}, file, indent=1)
    with open(os.path.join(a.output, "gpu.md"), "w") as file:
        file.write(markdown(info, entries, checks))


if __name__ == "__main__":
    main()
