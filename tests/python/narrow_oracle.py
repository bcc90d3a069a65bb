"""Golden figures for narrow weights: tests/data/narrow_oracle.json.

A linear layer whose weights are rounded to bfloat16 by PyTorch, and to int8 by its own quantiser
for one symmetric scale an output channel; what they stand for is then multiplied in float64.

    pip install torch && python tests/python/narrow_oracle.py
"""

import json
import pathlib

import torch

M, K, N = 3, 12, 67


def results(x, widened, bias):
    linear = x.double() @ widened.double() + bias.double()
    gelu = torch.nn.functional.gelu(linear, approximate="tanh")
    return {
        "widened": widened.flatten().tolist(),
        "linear": linear.flatten().tolist(),
        "gelu": gelu.flatten().tolist(),
    }


def main():
    torch.manual_seed(1)
    x, weight, bias = torch.randn(M, K), torch.randn(K, N) * 0.3, torch.randn(N)
    scale = weight.abs().amax(dim=0) / 127
    int8 = torch.quantize_per_channel(
        weight, scale.double(), torch.zeros(N, dtype=torch.long), 1, torch.qint8
    )
    golden = {
        "M": M,
        "K": K,
        "N": N,
        "x": x.flatten().tolist(),
        "weight": weight.flatten().tolist(),
        "bias": bias.tolist(),
        "bf16": results(x, weight.bfloat16().float(), bias),
        "int8": {"scale": scale.tolist(), **results(x, int8.int_repr().float() * scale, bias)},
    }
    path = pathlib.Path(__file__).parent.parent / "data" / "narrow_oracle.json"
    path.write_text(json.dumps(golden) + "\n")


main()
