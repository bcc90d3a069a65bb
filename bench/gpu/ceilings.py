#!/usr/bin/env python3
"""What this GPU can do at best: a large copy within its memory and a large matrix product.

    python3 bench/gpu/ceilings.py --output results.jsonl
"""

import argparse

import torch

from timing import record, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, help="file of JSON lines to append to")
    output = parser.parse_args().output

    source = torch.randn(1 << 29, device="cuda")  # 2 GiB, 40 times the second-level cache
    target = torch.empty_like(source)
    time = seconds(lambda: target.copy_(source))
    record(output, part="ceilings", what="copy", engine="torch", seconds=time,
           bytes=2 * source.numel() * 4)
    del source, target

    n = 8192  # random numbers: products of zeros run faster
    a, b = (torch.randn(n, n, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    out = torch.empty_like(a)
    time = seconds(lambda: torch.mm(a, b, out=out))
    record(output, part="ceilings", what="bf16 matrix product", engine="torch", seconds=time,
           flops=2 * n**3)


if __name__ == "__main__":
    main()
