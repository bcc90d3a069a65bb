#!/usr/bin/env python3
"""GPT-2 124M training in compiled PyTorch: bf16 autocast, fused attention, fused AdamW, clipping.

    python3 bench/gpu/train_peer.py --batch 4 32 --output results.jsonl
"""

import argparse

import torch

from gpt2_peer import Gpt2
from timing import record, seconds


def step_time(batch, context):
    torch.manual_seed(1)
    torch.set_float32_matmul_precision("high")
    model = Gpt2(positions=context).cuda()
    loss_of = torch.compile(model.loss)
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-4, betas=(0.9, 0.95),
                                  weight_decay=0.1, fused=True)
    text = torch.randint(50257, (batch, context + 1), device="cuda")
    token, target = text[:, :-1].contiguous(), text[:, 1:].contiguous()

    def step():
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = loss_of(token, target)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return seconds(step, batch_ms=500, batches=5)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="+", default=[4, 32])
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--output", required=True, help="file of JSON lines to append to")
    arguments = parser.parse_args()
    for batch in arguments.batch:
        time = step_time(batch, arguments.context)
        record(arguments.output, part="train", what=f"124M B={batch} T={arguments.context} bf16",
               engine="torch compiled", seconds=time,
               tokens_per_s=batch * arguments.context / time)
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
