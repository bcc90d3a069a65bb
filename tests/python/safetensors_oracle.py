"""Writes a file of every element type we read, by the safetensors package itself.

    python tests/python/safetensors_oracle.py tests/data/safetensors_golden.safetensors

Beside each 16-bit tensor stands its twin in F32 as PyTorch widens it, so that the file says by
itself what a reader must make of it.
"""

import sys

import torch
from safetensors.torch import save_file


def main():
    # Zeros, subnormals, ordinary numbers, the largest, infinities and NaNs of both signs.
    special = [0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x3c00, 0x3f80, 0x7bff, 0x7c00,
               0xfc00, 0x7e00, 0x7f7f, 0x7f80, 0xff80, 0x7fc0]
    bits = torch.tensor(special + list(range(3, 0x10000, 367)), dtype=torch.int32).to(torch.int16)
    half, brain = bits.view(torch.float16), bits.clone().view(torch.bfloat16)
    save_file({
        "half": half, "half.widened": half.to(torch.float32),
        "brain": brain, "brain.widened": brain.to(torch.float32),
        "matrix": torch.tensor([[1.5, -2.25, 1e-40], [3e38, 0.1, -0.0]]),
        "double": torch.tensor([0.1, 1e-310, 1e300], dtype=torch.float64),
        "scalar": torch.tensor(42.0),
        "empty": torch.zeros(0, 3),
        "integers": torch.arange(5), "mask": torch.tensor([True, False]),
    }, sys.argv[1], metadata={"format": "pt", "made by": "the safetensors package"})


main()
