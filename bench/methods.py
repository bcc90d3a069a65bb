#!/usr/bin/env python3
"""What each alignment method buys: all of them from the same fine-tuned model, judged by the same
evaluator outside of training.

    bench/methods.py --rlhf build/release/bin/rlhf --task demo --seeds 11,12,13 --output DIR
    bench/methods.py --rlhf build/release/bin/rlhf --task sst2 --seeds 42 --output DIR

Writes DIR/<task>/methods.json, methods.md (a table) and methods.svg (gold over KL). A run that is
there already is not repeated. Page: docs/comparison.md. Needs nothing but Python 3.8.
"""

import argparse
import concurrent.futures
import datetime
import pathlib
import platform
import re
import shutil
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from comparison import runs, scatter, tables
from comparison.methods import METHODS
from comparison.tasks import TASKS


class Progress:
    """A line for each run that ends, with the time that the others will take."""

    def __init__(self, total, jobs):
        self.total, self.jobs, self.done, self.spent = total, jobs, 0, 0.0
        self.lock = threading.Lock()

    def tell(self, what, seconds):
        with self.lock:
            self.done += 1
            self.spent += seconds
            left = (self.total - self.done) * self.spent / self.done / self.jobs
            print(f"[{self.done}/{self.total}] {what}, {seconds:.0f} s; {left / 60:.1f} min left",
                  file=sys.stderr, flush=True)


def in_parallel(jobs, function, items):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda item: function(*item), items))


def machine():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def compare(options, task, methods, seeds):
    """The rows of the table: a method, its outcomes by seed, and why others are missing."""
    program = runs.Program(options.rlhf)
    root = pathlib.Path(options.output) / options.task
    folders = [root / f"seed{seed}" for seed in seeds]
    print(f"models and data of {len(seeds)} seed(s) ...", file=sys.stderr, flush=True)
    settings = in_parallel(options.jobs, lambda folder, seed: runs.prepare(
        program, task, folder, seed, options.data), list(zip(folders, seeds)))
    commands = {method.command for method in methods if method.command}
    present = {command for command in commands if program.has(command)}
    rows = {method.name: {"method": method, "outcomes": {}, "missing": ""} for method in methods}
    for row in rows.values():
        if row["method"].command and row["method"].command not in present:
            row["missing"] = f"this program has no `{row['method'].command}`"
    pending = [(method, seed, folder, setting) for seed, folder, setting
            in zip(seeds, folders, settings) for method in methods
            if not rows[method.name]["missing"]]
    progress = Progress(len(pending), options.jobs)

    def one(method, seed, folder, setting):
        start = time.monotonic()
        try:
            outcome = runs.run_method(program, method, task, setting, seed, folder,
                                      options.time_limit)
            rows[method.name]["outcomes"][seed] = outcome
            figures = outcome["figures"]
            said = f"{task.gold_title} {figures['gold']:.3f} at {figures['kl']:.2f} nats"
        except runs.Failure as failure:
            rows[method.name]["missing"] = said = str(failure)
        progress.tell(f"seed {seed} {method.name}: {said}", time.monotonic() - start)

    in_parallel(options.jobs, one, pending)
    return root, [rows[method.name] for method in methods]


def listed(text, known, what):
    names = text.split(",") if text else list(known)
    for name in names:
        if name not in known:
            sys.exit(f"methods.py: [{what}] expected some of {','.join(known)}, got {name}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rlhf", required=True, help="the program")
    parser.add_argument("--task", choices=list(TASKS), default="demo")
    parser.add_argument("--seeds", default="11,12,13", help="of everything random (%(default)s)")
    parser.add_argument("--methods", default="", help="names, comma-separated; all without it")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side, a thread each")
    parser.add_argument("--time_limit", type=float, default=60, help="seconds a run may train")
    parser.add_argument("--data", default="data/sst2", help="folder of SST-2's train.tsv, dev.tsv")
    parser.add_argument("--output", required=True, help="folder; runs in it are not repeated")
    parser.add_argument("--busy_machine", action="store_true",
                        help="leave times out of the table: other work disturbs them")
    options = parser.parse_args()
    if not shutil.which(options.rlhf):
        sys.exit(f"methods.py: [--rlhf] expected a program, got {options.rlhf}")
    if not re.fullmatch(r"\d+(,\d+)*", options.seeds):
        sys.exit(f"methods.py: [--seeds] expected numbers such as 11,12, got {options.seeds}")
    seeds = [int(seed) for seed in options.seeds.split(",")]
    by_name = {method.name: method for method in METHODS}
    methods = [by_name[name] for name in listed(options.methods, list(by_name), "--methods")]
    task = TASKS[options.task]
    try:
        root, rows = compare(options, task, methods, seeds)
    except runs.Failure as failure:
        sys.exit(f"methods.py: models and data: {failure}")
    summary = tables.summary(rows, task, {
        "task": options.task, "seeds": seeds, "machine": machine(), "jobs": options.jobs,
        "busy_machine": options.busy_machine, "date": datetime.date.today().isoformat()})
    runs.write_json(root / "methods.json", summary)
    (root / "methods.md").write_text(tables.markdown(summary), encoding="utf-8")
    (root / "methods.svg").write_text(scatter.svg(summary), encoding="utf-8")
    print(tables.markdown(summary), end="")
    print(f"methods.json, methods.md and methods.svg are in {root}", file=sys.stderr)


if __name__ == "__main__":
    main()
