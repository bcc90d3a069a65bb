#!/usr/bin/env python3
"""Encoding speed beside tiktoken: the same texts under GPT-2's vocabulary, in turn on one core.

    python3 bench/peers/tokenizer.py --binary build/bench/bin/bench_tokenizer --gpt2 <folder> \\
        tinyshakespeare.txt waimai_10k.csv train.tsv

`--gpt2` is a folder with GPT-2's vocab.json and merges.txt. A .txt file is one text; of .csv the
column `review`, of .tsv the first column is a text a row. Ours and tiktoken's encode_ordinary
alternate; it prints the best and the median MB/s (10^6 bytes) of all rounds and their ratios, after
checking that both give the same number of tokens.
"""

import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent.parent / "tests" / "python"))
from tokenizer_oracle import gpt2_encoding  # noqa: E402


def texts_of(path):
    if path.suffix == ".txt":
        return [path.read_text(encoding="utf-8")]
    with open(path, encoding="utf-8-sig", newline="") as file:
        if path.suffix == ".csv":
            return [row["review"] for row in csv.DictReader(file)]
        return [line.split("\t")[0] for line in file]


def ours(binary, gpt2, file):
    """Megabytes a second and tokens, of the program's own clock over half a second."""
    output = subprocess.run(
        [binary, "--benchmark_filter=encode", "--benchmark_min_time=0.5",
         "--benchmark_format=json"], check=True, capture_output=True,
        env=dict(os.environ, RLHF_TOKENIZER=gpt2, RLHF_TEXTS=file))
    result = json.loads(output.stdout)["benchmarks"][0]
    return result["bytes_per_second"] / 1e6, int(result["tokens"])


def tiktoken(encoding, texts, size):
    start, passes = time.perf_counter(), 0
    while time.perf_counter() - start < 0.5:
        tokens = sum(len(encoding.encode_ordinary(text)) for text in texts)
        passes += 1
    return passes * size / (time.perf_counter() - start) / 1e6, tokens


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="the bench_tokenizer program")
    parser.add_argument("--gpt2", required=True, help="folder with vocab.json and merges.txt")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("texts", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    encoding = gpt2_encoding(pathlib.Path(arguments.gpt2))
    print("| text | ours MB/s, best (median) | tiktoken MB/s, best (median) | ratio |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for path in arguments.texts:
            texts = [text for text in texts_of(path) if text]
            size = sum(len(text.encode()) for text in texts)
            file = os.path.join(folder, path.stem + ".jsonl")
            with open(file, "w", encoding="utf-8") as out:
                out.writelines(json.dumps({"text": text}) + "\n" for text in texts)
            rates = {"ours": [], "tiktoken": []}
            for _ in range(arguments.rounds):
                rate, tokens = ours(arguments.binary, arguments.gpt2, file)
                rates["ours"].append(rate)
                rate, expected = tiktoken(encoding, texts, size)
                rates["tiktoken"].append(rate)
                if tokens != expected:
                    sys.exit(f"{path.name}: expected {expected} tokens, got {tokens}")
            best = {name: max(values) for name, values in rates.items()}
            median = {name: statistics.median(values) for name, values in rates.items()}
            print(f"| {path.stem}, {len(texts)} texts, {size / 1e6:.2f} MB "
                  f"| {best['ours']:.1f} ({median['ours']:.1f}) "
                  f"| {best['tiktoken']:.2f} ({median['tiktoken']:.2f}) "
                  f"| {best['ours'] / best['tiktoken']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
