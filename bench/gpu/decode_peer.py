#!/usr/bin/env python3
"""GPT-2 124M decoding in PyTorch: bf16, a static cache, one CUDA graph a token.

    python3 bench/gpu/decode_peer.py --batch 1 64 --output results.jsonl
"""

import argparse
import time

import torch

from gpt2_peer import Gpt2
from timing import record


@torch.no_grad()
def tokens_per_second(batch, prompt, new):
    torch.manual_seed(1)
    model = Gpt2(positions=prompt + new).cuda().bfloat16().eval()
    cache = model.make_cache(batch, prompt + new, torch.bfloat16)
    token = torch.randint(50257, (batch, 1), device="cuda")
    at = torch.full((1,), prompt, device="cuda")

    def step():
        probability = torch.softmax(model.extend(token, cache, at).float(), dim=-1)
        token.copy_(torch.multinomial(probability, 1))
        at.add_(1)

    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    at.fill_(prompt)
    with torch.cuda.graph(graph):
        step()
    best = float("inf")
    for _ in range(3):
        at.fill_(prompt)
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(new):
            graph.replay()
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return batch * new / best


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--new", type=int, default=256)
    parser.add_argument("--output", required=True, help="file of JSON lines to append to")
    arguments = parser.parse_args()
    for batch in arguments.batch:
        rate = tokens_per_second(batch, arguments.prompt, arguments.new)
        record(arguments.output, part="decode",
               what=f"124M B={batch} {arguments.prompt}+{arguments.new} bf16",
               engine="torch graphs", seconds=batch / rate, tokens_per_s=rate)


if __name__ == "__main__":
    main()
