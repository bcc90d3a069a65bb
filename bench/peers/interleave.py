"""Comparing programs on a machine that is not ours alone: contestants take turns, one short sample
each a round, so that whatever slows the machine slows all of them. Told are the medians over rounds,
the bests, and the ratio of the medians.

A contestant has a name and sample() -> seconds of one repetition of the work; some know the most
memory that they have held (peak_mib, else 0)."""

import json
import os
import pathlib
import statistics
import subprocess
import sys


class Ours:
    """`rlhf bench`, a process a sample: the median of its repetitions. `is_equal` as a Worker's."""

    peak_mib = 0

    def __init__(self, binary, work, threads, repetitions, name="rlhf.cpp", is_equal=True):
        self.name, self.is_equal = name, is_equal
        self.command = [binary, "bench", "--device", "cpu", "--output_format", "json",
                        "--threads", threads, "--repetitions", repetitions, *work]
        self.row = None

    def sample(self):
        done = subprocess.run([str(word) for word in self.command], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{self.command[0]}: {done.stderr.strip()}")
        self.row = json.loads(done.stdout)[0]
        self.peak_mib = max(self.peak_mib, self.row["peak_mib"] or 0)
        return statistics.median(self.row["seconds"])


class Worker:
    """A Python program that stays alive, so that it imports and warms up once: it is told how many
    repetitions to make and answers with a line of JSON. See worker.py. `is_equal`: false for other
    work than ours, which is shown but is not the best peer."""

    def __init__(self, name, python, script, job, environment, repetitions, is_equal=True):
        self.name, self.repetitions, self.peak_mib = name, repetitions, 0
        self.is_equal = is_equal
        self.process = subprocess.Popen(
            [python, str(pathlib.Path(__file__).parent / script), json.dumps(job)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, OMP_NUM_THREADS=str(job["threads"]), **environment))

    def sample(self):
        self.process.stdin.write(f"{self.repetitions}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name}: expected a line of JSON, got the end of its output")
        answer = json.loads(line)
        self.peak_mib = answer["peak_mib"]
        return statistics.median(answer["seconds"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def take_turns(contestants, rounds):
    """Seconds by name. The first sample of each warms up and does not count."""
    seconds = {contestant.name: [] for contestant in contestants}
    for turn in range(rounds + 1):
        # Nobody always follows the same neighbour.
        order = contestants[turn % len(contestants):] + contestants[:turn % len(contestants)]
        for contestant in order:
            value = contestant.sample()
            if turn > 0:
                seconds[contestant.name].append(value)
        print(f"  round {turn} of {rounds}", file=sys.stderr, flush=True)
    for contestant in contestants:
        if hasattr(contestant, "close"):
            contestant.close()
    return seconds


HEADER = ("| work | contestant | ms, median (best) | units/s | ours is faster by | peak MiB |\n"
          "|---|---|---:|---:|---:|---:|")


def rows(work, contestants, seconds, units):
    """Markdown rows of one work, ours first. `units`: tokens, steps, ... of a repetition."""
    ours = statistics.median(seconds[contestants[0].name])
    text = []
    for contestant in contestants:
        times = seconds[contestant.name]
        median = statistics.median(times)
        ratio = "" if contestant is contestants[0] else f"{median / ours:.2f}"
        memory = f"{contestant.peak_mib:,.0f}" if contestant.peak_mib else ""
        text.append(f"| {work} | {contestant.name} | {1e3 * median:,.1f} ({1e3 * min(times):,.1f}) "
                    f"| {units / median:,.1f} | {ratio} | {memory} |")
    equals = [c for c in contestants[1:] if getattr(c, "is_equal", True)]
    if len(equals) > 1:
        best = min(equals, key=lambda c: statistics.median(seconds[c.name]))
        ratio = statistics.median(seconds[best.name]) / ours
        text.append(f"| {work} | **best peer: {best.name}** | | | **{ratio:.2f}** | |")
    return "\n".join(text)
