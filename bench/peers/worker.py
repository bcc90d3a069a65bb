"""The loop of a peer that interleave.Worker starts: reads how many repetitions to make, answers with
their seconds and the most memory that the process has held."""

import json
import os
import sys
import time

answers = sys.stdout


def keep_stdout():
    """For peers that print: from here on only answers go to stdout, all else to stderr."""
    global answers
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)


def peak_mib():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM:"))


def job():
    """What to do, as the first argument says it in JSON."""
    return json.loads(sys.argv[1])


def answer(seconds):
    print(json.dumps({"seconds": seconds, "peak_mib": peak_mib()}), file=answers, flush=True)


def serve(step):
    """`step()` is one repetition; it is warmed up by whoever asks, with a sample that does not
    count."""
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - start)
        answer(seconds)
