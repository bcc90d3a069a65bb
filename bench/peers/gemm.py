#!/usr/bin/env python3
"""Our matrix product beside Eigen's, OpenBLAS's, BLIS's and oneDNN's, in one process that lets them
take turns (Google Benchmark's random interleaving), at the shapes of GPT-2 124M.

    python3 bench/peers/gemm.py --binary build/bench/bin/bench_gemm

For each shape the median GFLOP/s of all, ours as a share of the FMA ceiling of the same run, and over
the best of the others; beside them ours with products in bfloat16 as a share of their own ceiling,
where the CPU has one; at the end the geometric means of all three. A library that is not on the
machine is left out (bench_gemm says which Debian package has it)."""

import argparse
import json
import math
import re
import statistics
import subprocess


def medians(arguments):
    """GFLOP/s by shape and library, the ceilings in GFLOP/s by threads: in float, in bfloat16."""
    output = subprocess.run(
        [arguments.binary, f"--benchmark_filter={arguments.filter}",
         f"--benchmark_repetitions={arguments.rounds}", "--benchmark_enable_random_interleaving=true",
         f"--benchmark_min_time={arguments.min_time}", "--benchmark_format=json"],
        check=True, stdout=subprocess.PIPE).stdout
    result = json.loads(output)
    samples = {}
    for entry in result["benchmarks"]:
        if entry["run_type"] == "iteration":
            library, shape = entry["name"].split("/", 1)
            shape = shape.replace("/real_time", "")
            samples.setdefault(shape, {}).setdefault(library, []).append(entry["GFLOP/s"])
    ceilings = {}
    for text in result["context"].values():
        found = re.match(r"(\d+) threads?: ([\d.]+) GFLOP/s(?: \(([\d.]+) in bfloat16\))?", str(text))
        if found:
            ceilings[int(found[1])] = float(found[2]), float(found[3] or found[2])
    rates = {shape: {name: statistics.median(values) for name, values in by_library.items()}
             for shape, by_library in samples.items()}
    return rates, ceilings


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="the bench_gemm program")
    parser.add_argument("--filter", default="/gpt2_T(256|1024)/", help="of benchmarks' names")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--min_time", type=float, default=0.05, help="seconds of a sample")
    arguments = parser.parse_args()
    rates, ceilings = medians(arguments)
    peers = sorted({name for by_library in rates.values() for name in by_library} - {"ours", "ours_bf16"})
    print(f"| product | ours | of peak | {' | '.join(peers)} | ours / best | bf16 | of its peak |")
    print("|---|" + "---:|" * (len(peers) + 5))
    shares, ratios, bf16_shares = {}, {}, {}
    for shape, by_library in rates.items():
        threads = int(shape.rsplit("threads:", 1)[1])
        float_peak, bf16_peak = ceilings[threads]
        share = by_library["ours"] / float_peak
        bf16_share = by_library["ours_bf16"] / bf16_peak
        ratio = by_library["ours"] / max(by_library[name] for name in peers)
        shares.setdefault(threads, []).append(share)
        ratios.setdefault(threads, []).append(ratio)
        bf16_shares.setdefault(threads, []).append(bf16_share)
        others = " | ".join(f"{by_library[name]:.0f}" for name in peers)
        print(f"| {shape} | {by_library['ours']:.0f} | {share:.0%} | {others} | {ratio:.2f} | "
              f"{by_library['ours_bf16']:.0f} | {bf16_share:.0%} |")
    for threads in shares:
        float_peak, bf16_peak = ceilings[threads]
        print(f"\n{threads} threads: geometric mean {geometric_mean(shares[threads]):.0%} of the peak "
              f"of {float_peak:.0f} GFLOP/s, {geometric_mean(ratios[threads]):.2f} of the best "
              f"library; worst shape {min(ratios[threads]):.2f}; in bfloat16 "
              f"{geometric_mean(bf16_shares[threads]):.0%} of {bf16_peak:.0f} GFLOP/s")


if __name__ == "__main__":
    main()
