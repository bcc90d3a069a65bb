#!/usr/bin/env python3
"""A whole PPO iteration beside TRL 0.11's: sampling, scores, log-probabilities and values, then epochs
of minibatch steps, with policy, reference, critic and reward model of one shape and random weights.

    bench/peers/setup.sh build/peers
    python3 bench/peers/ppo.py --binary build/release/bin/rlhf --python build/peers/trl/bin/python
    python3 bench/peers/ppo.py ... --shape gpt2 --episodes 8 --mini_batches 2 --response 64

The defaults are the demo's: 64 responses of 32 tokens, 4 epochs. No token ends a response early."""

import argparse
import os
import tempfile

from interleave import HEADER, Ours, Worker, rows, take_turns
from speed import LABELS, SETTINGS


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="the rlhf program")
    parser.add_argument("--python", required=True, help="one with TRL 0.11")
    parser.add_argument("--shape", default="demo", help="a name that rlhf bench knows")
    parser.add_argument("--episodes", type=int, default=64)
    parser.add_argument("--mini_batches", type=int, default=2, help="optimizer steps an epoch")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--prompt", type=int, default=16)
    parser.add_argument("--response", type=int, default=32)
    parser.add_argument("--threads", type=int, nargs="+", default=[os.cpu_count()])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=2, help="iterations in a sample")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=["default", "keep"],
                        help="of PyTorch's allocator")
    a = parser.parse_args()
    print(HEADER)
    for threads in a.threads:
        ours = Ours(a.binary, ["--shape", a.shape, "--test", "ppo", "--episodes_per_update",
                               a.episodes, "--num_mini_batches", a.mini_batches,
                               "--num_iterations", a.epochs, "--prompt_length", a.prompt,
                               "--response_length", a.response], threads, a.repetitions)
        ours.sample()  # says what the shape is
        with tempfile.TemporaryDirectory() as folder:
            job = dict({key: ours.row[key] for key in ("vocab_size", "n_layer", "n_head", "n_embd")},
                       threads=threads, episodes=a.episodes, mini_batches=a.mini_batches,
                       epochs=a.epochs, prompt=a.prompt, response=a.response, folder=folder)
            peers = [Worker(f"TRL, {LABELS[setting]}", a.python, "trl_work.py", job,
                            SETTINGS[setting], a.repetitions) for setting in a.settings]
            seconds = take_turns([ours, *peers], a.rounds)
        print(rows(f"{a.shape} ppo {a.episodes}x({a.prompt}+{a.response})x{a.epochs}, "
                   f"{threads} threads", [ours, *peers], seconds, a.episodes * a.response),
              flush=True)


if __name__ == "__main__":
    main()
