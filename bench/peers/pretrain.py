#!/usr/bin/env python3
"""Training speed beside PyTorch: the same GPT-2, batch and optimizer, in turn on the same cores.

    python3 bench/peers/pretrain.py --binary build/release/bin/rlhf --text tinyshakespeare.txt

Needs torch and transformers. Ours and PyTorch's runs alternate; for each shape it prints the best
and the median tokens a second of all rounds and the ratio of the bests.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import torch
from transformers import GPT2Config, GPT2LMHeadModel

SHAPES = {  # layers, heads, channels, context, batch, steps
    "char-cpu": (4, 4, 128, 64, 12, 150),
    "small": (6, 6, 384, 128, 8, 20),
}
VOCABULARY = 67  # the characters of tiny Shakespeare and two special tokens


def ours(binary, text, shape, threads):
    layers, heads, channels, context, batch, steps = SHAPES[shape]
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "pretrain", "--dataset_name", text, "--tokenizer", "char",
                   "--n_layer", layers, "--n_head", heads, "--n_embd", channels,
                   "--block_size", context, "--per_device_train_batch_size", batch,
                   "--max_steps", steps, "--eval_fraction", 0, "--output_dir", folder]
        subprocess.run([str(word) for word in command], check=True, capture_output=True,
                       env=dict(os.environ, OMP_NUM_THREADS=str(threads)))
        with open(os.path.join(folder, "summary.json")) as file:
            return json.load(file)["tokens_per_s"]


def pytorch(shape, threads):
    torch.set_num_threads(threads)
    layers, heads, channels, context, batch, steps = SHAPES[shape]
    model = GPT2LMHeadModel(GPT2Config(
        vocab_size=VOCABULARY, n_positions=context, n_embd=channels, n_layer=layers, n_head=heads,
        embd_pdrop=0, attn_pdrop=0, resid_pdrop=0, bos_token_id=0, eos_token_id=0,
        attn_implementation="sdpa"))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99),
                                  weight_decay=0.1, fused=True)
    tokens = torch.randint(VOCABULARY, (batch, context + 1))

    def step():
        logits = model(tokens[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY),
                                                 tokens[:, 1:].reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    for _ in range(5):
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return steps * batch * context / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="the rlhf program")
    parser.add_argument("--text", required=True, help="tinyshakespeare.txt")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, {arguments.threads} threads, {arguments.rounds} rounds")
    print("| shape | ours best (median) | PyTorch best (median) | ratio |")
    print("|---|---|---|---|")
    for shape in SHAPES:
        rates = {"ours": [], "torch": []}
        for _ in range(arguments.rounds):
            rates["ours"].append(ours(arguments.binary, arguments.text, shape, arguments.threads))
            rates["torch"].append(pytorch(shape, arguments.threads))
        best = {name: max(values) for name, values in rates.items()}
        median = {name: statistics.median(values) for name, values in rates.items()}
        print(f"| {shape} | {best['ours']:,.0f} ({median['ours']:,.0f}) "
              f"| {best['torch']:,.0f} ({median['torch']:,.0f}) "
              f"| {best['ours'] / best['torch']:.2f} |")


if __name__ == "__main__":
    main()
