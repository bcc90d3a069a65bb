"""Timing of PyTorch on a GPU, as the programs here time themselves: warm up, then batches of calls
between two events; the median of the batches counts."""

import json
import statistics

import torch


def seconds(call, batch_ms=20, batches=9):
    """The median time of one call. Batches are long enough to hide the launch of the first."""
    for _ in range(3):
        call()
    torch.cuda.synchronize()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def run(count):
        start.record()
        for _ in range(count):
            call()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / count

    count = max(1, min(1000, int(batch_ms / max(run(3), 1e-3))))
    return statistics.median(run(count) for _ in range(batches)) / 1000


def record(path, **entry):
    """Appends one result to a file of JSON lines."""
    with open(path, "a") as file:
        file.write(json.dumps(entry) + "\n")
    print(" ".join(f"{key}={value}" for key, value in entry.items()), flush=True)
