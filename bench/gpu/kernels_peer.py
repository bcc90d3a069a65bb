#!/usr/bin/env python3
"""Times PyTorch (cuBLASLt, cuDNN, flash attention, fused kernels) at the shapes that bench_kernels
has just timed, in the same precision.

    bench_kernels --device=cuda --benchmark_out=kernels.json --benchmark_out_format=json
    python3 bench/gpu/kernels_peer.py --kernels kernels.json --output results.jsonl

A benchmark is named family/shape/type; families that PyTorch has no single call for are left out.
"""

import argparse
import json
import re

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from timing import record, seconds

TYPES = {"float": torch.float32, "bf16": torch.bfloat16}
SDPA = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION}


def normal(*shape, dtype, grad=False):
    return torch.randn(*shape, device="cuda", dtype=dtype, requires_grad=grad)


def numbers(shape):
    return [int(x) for x in re.findall(r"\d+", shape)]


def backward_of(out):
    """A call that runs the backward pass of `out` alone, again and again."""
    gradient = torch.randn_like(out)
    leaves = []

    def collect(node, seen):
        for child, _ in node.next_functions:
            if child is None or child in seen:
                continue
            seen.add(child)
            if hasattr(child, "variable"):
                leaves.append(child.variable)
            else:
                collect(child, seen)

    collect(out.grad_fn, set())
    return lambda: torch.autograd.grad(out, leaves, gradient, retain_graph=True)


def forward_or_backward(backward, forward):
    return backward_of(forward()) if backward else lambda: forward()


def layer_norm(shape, dtype, backward):
    rows, channels = numbers(shape)[:2]
    x = normal(rows, channels, dtype=dtype, grad=backward)
    weight, bias = (normal(channels, dtype=dtype, grad=backward) for _ in range(2))
    yield "torch", forward_or_backward(
        backward, lambda: F.layer_norm(x, (channels,), weight, bias))


def gelu(shape, dtype, backward):
    x = normal(*numbers(shape)[:2], dtype=dtype, grad=backward)
    yield "torch", forward_or_backward(backward, lambda: F.gelu(x, approximate="tanh"))


def add_scaled(shape, dtype, _):
    a, b = (normal(*numbers(shape)[:2], dtype=dtype) for _ in range(2))
    yield "torch", lambda: torch.add(a, b)


def dropout(shape, dtype, _):
    x = normal(*numbers(shape)[:2], dtype=dtype)
    yield "torch", lambda: F.dropout(x, 0.1)


def embedding(shape, dtype, backward):
    rows, channels = numbers(shape)[:2]
    table = normal(50257, channels, dtype=dtype, grad=backward)
    token = torch.randint(50257, (rows,), device="cuda")
    yield "torch", forward_or_backward(backward, lambda: F.embedding(token, table))


def log_prob(shape, dtype, backward):
    rows, vocabulary = numbers(shape)[:2]
    logits = normal(rows, vocabulary, dtype=dtype, grad=backward)
    target = torch.randint(vocabulary, (rows,), device="cuda")
    yield "torch", forward_or_backward(
        backward, lambda: F.cross_entropy(logits, target, reduction="none"))


def column_sum(shape, dtype, _):
    x = normal(*numbers(shape)[:2], dtype=dtype)
    yield "torch", lambda: x.sum(0, dtype=torch.float32)


def gradient_norm(shape, dtype, _):
    x = normal(numbers(shape)[0] << 20, dtype=dtype)
    yield "torch", lambda: torch.linalg.vector_norm(x)


def optimizer_adam(shape, dtype, _):
    parameter = normal(numbers(shape)[0] << 20, dtype=torch.float32, grad=True)
    parameter.grad = torch.randn_like(parameter)
    optimizer = torch.optim.AdamW([parameter], lr=1e-3, fused=True)
    if dtype == torch.float32:
        yield "torch", optimizer.step


def gemm(shape, dtype, _):
    """Labels are <M>x<K>[T]_<K>x<N>[T]...: T for a matrix that is stored transposed."""
    left, right = shape.split("_")[:2]
    (m, k), n = numbers(left), numbers(right)[1]
    a = normal(k, m, dtype=dtype).t() if left.endswith("T") else normal(m, k, dtype=dtype)
    b = normal(n, k, dtype=dtype).t() if right.endswith("T") else normal(k, n, dtype=dtype)
    out = torch.empty(m, n, device="cuda", dtype=dtype)
    yield "cublaslt", lambda: torch.mm(a, b, out=out)


gemm_sum = gemm  # PyTorch writes bf16 here, half of the bytes


def attention(shape, dtype, backward):
    B, H, T, D = numbers(shape)[:4]
    q, k, v = (normal(B, T, H, D, dtype=dtype, grad=backward).transpose(1, 2) for _ in range(3))
    for name, backend in SDPA.items():
        if dtype != torch.bfloat16:
            continue

        def forward(backend=backend):
            with sdpa_kernel(backend):
                return F.scaled_dot_product_attention(q, k, v, is_causal=True)

        yield name, forward_or_backward(backward, forward)


FAMILIES = {name: globals()[name] for name in (
    "layer_norm", "gelu", "add_scaled", "dropout", "embedding", "log_prob", "column_sum",
    "gradient_norm", "optimizer_adam", "gemm", "gemm_sum", "attention")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernels", required=True, help="what bench_kernels wrote")
    parser.add_argument("--output", required=True, help="file of JSON lines to append to")
    arguments = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    with open(arguments.kernels) as file:
        names = [entry["name"] for entry in json.load(file)["benchmarks"]]
    for name in names:
        family, shape, kind = name.split("/")[:3]
        backward = family.endswith("_backward")
        make = FAMILIES.get(family.removesuffix("_backward"))
        if not make or kind not in TYPES:
            continue
        for engine, call in make(shape, TYPES[kind], backward):
            try:
                record(arguments.output, part="kernels", what=f"{family}/{shape}/{kind}",
                       engine=engine, seconds=seconds(call))
            except RuntimeError as error:  # a backend that refuses the shape
                print(f"{name}: {engine}: {str(error).splitlines()[0]}")
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
