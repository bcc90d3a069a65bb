#!/usr/bin/env python3
"""Ours beside programs that somebody else has built: llm.c's CPU trainer and llama.cpp's llama-bench,
each by its path; what they need is theirs to make.

    python3 bench/peers/llmc_files.py ~/llm.c
    python3 bench/peers/binaries.py --binary build/release/bin/rlhf --llmc ~/llm.c
    python3 bench/peers/binaries.py --binary build/release/bin/rlhf \\
        --llama_bench ~/llama.cpp/build/bin/llama-bench --gguf gpt2-f32.gguf

--llmc: the folder of llm.c after `make train_gpt2`, with its own starter pack or the files that
llmc_files.py writes. It trains GPT-2 124M at B=4, T=64 and times its steps itself; its first one warms
up. For another T, change the line in train_gpt2.c and say so with --llmc_sizes.
--gguf: GPT-2 124M as llama.cpp's convert_hf_to_gguf.py writes it from a folder of GPT-2, with
--outtype f32 for equal weights."""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys

from interleave import HEADER, Ours, rows, take_turns


class LlmC:
    """One run of train_gpt2 a sample, stopped after its first steps: "step 3: train loss 4.2 (took
    5360.1 ms)"."""

    name, peak_mib = "llm.c", 0

    def __init__(self, folder, threads, steps):
        self.folder, self.steps = folder, steps
        self.environment = dict(os.environ, OMP_NUM_THREADS=str(threads))

    def sample(self):
        # Lines, as on a terminal: into a pipe it would write them when it ends.
        process = subprocess.Popen(["stdbuf", "-oL", "./train_gpt2"], cwd=self.folder,
                                   env=self.environment, stdout=subprocess.PIPE, text=True)
        times = []
        for line in process.stdout:
            found = re.search(r"took ([\d.]+) ms", line)
            if found:
                times.append(float(found[1]) / 1e3)
            if len(times) > self.steps:
                break
        with open(f"/proc/{process.pid}/status") as file:
            peaks = [int(text.split()[1]) / 1024 for text in file if text.startswith("VmHWM:")]
        self.peak_mib = max([self.peak_mib, *peaks])
        process.kill()
        process.wait()
        if len(times) < 2:
            sys.exit(f"{self.folder}: expected train_gpt2 to print the time of two steps, got "
                     f"{len(times)}")
        return statistics.median(times[1:])


class LlamaBench:
    """llama-bench's own JSON, one repetition a sample (it warms up itself)."""

    name, peak_mib = "llama.cpp", 0

    def __init__(self, binary, gguf, threads, flags, tokens):
        self.command = [binary, "-m", gguf, "-t", str(threads), "-r", "1", "-o", "json", *flags]
        self.tokens = tokens

    def sample(self):
        done = subprocess.run(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=True)
        return self.tokens / json.loads(done.stdout)[0]["avg_ts"]


def compare(arguments, title, ours_flags, peer, units):
    contestants = [Ours(arguments.binary, ["--shape", "gpt2", *ours_flags], arguments.threads,
                        arguments.repetitions), peer]
    seconds = take_turns(contestants, arguments.rounds)
    print(rows(f"{title}, {arguments.threads} threads", contestants, seconds, units), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="the rlhf program")
    parser.add_argument("--llmc", help="folder of a built llm.c")
    parser.add_argument("--llmc_sizes", type=int, nargs=2, default=[4, 64], metavar=("B", "T"),
                        help="that train_gpt2 was built with")
    parser.add_argument("--llama_bench", help="llama.cpp's llama-bench")
    parser.add_argument("--gguf", help="GPT-2 124M in llama.cpp's format")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--new", type=int, default=128)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=3, help="steps in a sample")
    arguments = parser.parse_args()
    if not arguments.llmc and not arguments.llama_bench:
        parser.error("expected --llmc or --llama_bench, got neither")
    if bool(arguments.llama_bench) != bool(arguments.gguf):
        parser.error("expected --llama_bench and --gguf together, got one")
    print(HEADER)
    if arguments.llmc:
        B, T = arguments.llmc_sizes
        compare(arguments, f"train {B}x{T}",
                ["--test", "train", "--per_device_train_batch_size", B, "--block_size", T],
                LlmC(arguments.llmc, arguments.threads, arguments.repetitions), B * T)
    if arguments.llama_bench:
        prompt, new = arguments.prompt, arguments.new
        compare(arguments, f"pp{prompt}", ["--test", "prompt", "--n_prompt", prompt],
                LlamaBench(arguments.llama_bench, arguments.gguf, arguments.threads,
                           ["-p", str(prompt), "-n", "0"], prompt), prompt)
        compare(arguments, f"tg{new}", ["--test", "decode", "--n_gen", new],
                LlamaBench(arguments.llama_bench, arguments.gguf, arguments.threads,
                           ["-p", "0", "-n", str(new)], new), new)


if __name__ == "__main__":
    main()
