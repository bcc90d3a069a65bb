#!/usr/bin/env python3
"""Ours beside PyTorch and transformers on the CPU: training steps, prompts, greedy decoding,
rollouts, in turn on the same cores, at the sizes of `rlhf bench`.

    bench/peers/setup.sh build/peers
    python3 bench/peers/speed.py --binary build/release/bin/rlhf --python build/peers/torch/bin/python
    python3 bench/peers/speed.py ... --work train --context 64 --threads 2 1 --bf16

PyTorch gets each of its allocator settings, and two ways to write the model; the best of all counts.
All stay in memory while they take turns: GPT-2's training step with everything takes about 20 GB, and
--settings keep a third of it. Prints a table of medians and ratios; progress goes to stderr."""

import argparse
import datetime
import os

from interleave import HEADER, Ours, Worker, rows, take_turns

# glibc gives large blocks back to the system when they are freed, and a training step then loses
# time to page faults; what keeps them, and what asks for huge pages besides.
KEEP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "17179869184",
        "MALLOC_TOP_PAD_": "268435456"}
SETTINGS = {
    "default": {},
    "keep": KEEP,
    "huge": dict(KEEP, GLIBC_TUNABLES="glibc.malloc.hugetlb=1"),
}
LABELS = {"default": "malloc as it comes", "keep": "malloc that keeps",
          "huge": "malloc that keeps, huge pages"}


def workers(arguments, job, models):
    """A worker for each way to write the model under each setting."""
    for model, label in models.items():
        for setting in arguments.settings:
            yield Worker(f"{label}, {LABELS[setting]}", arguments.python, "torch_work.py",
                         dict(job, model=model), SETTINGS[setting], arguments.repetitions)


def compare(arguments, threads, title, ours_flags, job, models, units):
    ours = Ours(arguments.binary, ["--shape", arguments.shape, *ours_flags], threads,
                arguments.repetitions)
    ours.sample()  # says what the shape is
    shape = {key: ours.row[key] for key in ("vocab_size", "n_layer", "n_head", "n_embd")}
    job = dict(job, threads=threads, bf16=False, **shape)
    contestants = [ours, *workers(arguments, job, models)]
    if arguments.bf16 and job["work"] == "train":
        contestants.append(Ours(arguments.binary, ["--shape", arguments.shape, *ours_flags, "--bf16"],
                                threads, arguments.repetitions, name="rlhf.cpp, --bf16",
                                is_equal=False))
        contestants.append(Worker("PyTorch, bf16 autocast", arguments.python, "torch_work.py",
                                  dict(job, model="plain", bf16=True), KEEP, arguments.repetitions,
                                  is_equal=False))
    seconds = take_turns(contestants, arguments.rounds)
    print(rows(f"{title}, {threads} thread{'s' * (threads > 1)}", contestants, seconds, units),
          flush=True)


def train(arguments, threads):
    for context in arguments.context:
        B = arguments.batch
        compare(arguments, threads, f"{arguments.shape} train {B}x{context}",
                ["--test", "train", "--per_device_train_batch_size", B, "--block_size", context],
                {"work": "train", "batch": B, "context": context},
                {"plain": "PyTorch", "transformers": "transformers"}, B * context)


def prompt(arguments, threads):
    n = arguments.prompt
    compare(arguments, threads, f"{arguments.shape} pp{n}", ["--test", "prompt", "--n_prompt", n],
            {"work": "prompt", "prompt": n}, {"transformers": "transformers"}, n)


def decode(arguments, threads):
    n = arguments.new
    compare(arguments, threads, f"{arguments.shape} tg{n}", ["--test", "decode", "--n_gen", n],
            {"work": "decode", "new": n}, {"plain": "PyTorch", "transformers": "transformers"}, n)


def rollout(arguments, threads):
    B, before, new = arguments.rollout
    compare(arguments, threads, f"{arguments.shape} rollout {B}x({before}+{new})",
            ["--test", "rollout", "--rollout_batch_size", B, "--prompt_length", before,
             "--response_length", new],
            {"work": "rollout", "batch": B, "prompt": before, "new": new},
            {"transformers": "transformers generate"}, B * new)


WORK = {"train": train, "prompt": prompt, "decode": decode, "rollout": rollout}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="the rlhf program")
    parser.add_argument("--python", required=True, help="one with torch and transformers")
    parser.add_argument("--work", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--shape", default="gpt2", help="a name that rlhf bench knows")
    parser.add_argument("--batch", type=int, default=4, help="train: sequences")
    parser.add_argument("--context", type=int, nargs="+", default=[64, 256], help="train: tokens")
    parser.add_argument("--prompt", type=int, default=512, help="prompt: tokens")
    parser.add_argument("--new", type=int, default=128, help="decode: tokens")
    parser.add_argument("--rollout", type=int, nargs=3, default=[32, 32, 64],
                        metavar=("RESPONSES", "PROMPT", "NEW"))
    parser.add_argument("--threads", type=int, nargs="+", default=[os.cpu_count()])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=3, help="in a sample, of which the median")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS),
                        help="of PyTorch's allocator")
    parser.add_argument("--bf16", action="store_true", help="train: our --bf16 and PyTorch's autocast as well")
    arguments = parser.parse_args()
    print(f"{datetime.date.today()}, {os.cpu_count()} cores, {arguments.rounds} rounds of "
          f"{arguments.repetitions} repetitions\n\n{HEADER}")
    for threads in arguments.threads:
        for work in arguments.work:
            WORK[work](arguments, threads)


if __name__ == "__main__":
    main()
