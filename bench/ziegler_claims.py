"""Holds the runs of bench/ziegler.sh against the shapes of Ziegler et al. 2019: a line a claim.

    python3 bench/ziegler_claims.py FOLDER SEED...
"""

import json
import math
import pathlib
import sys

TARGET = 6.0  # nats an episode: --preset oai


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def column(rows, name):
    return [row[name] for row in rows if name in row]


def mean(values):
    return sum(values) / len(values)


def claims(ppo, reward):
    kl, beta = column(ppo, "objective/kl"), column(ppo, "objective/kl_coef")
    variance = column(ppo, "val/explained_variance")
    crossing = next((i for i, x in enumerate(kl) if x >= TARGET), len(kl))
    dip = min(beta[:crossing + 2])
    held = mean(kl[-(len(kl) // 3):])
    loss = column(reward, "eval_loss")[-1]
    yield ("the coefficient dips while the KL is below its target",
           f"{beta[0]:.3f} falls to {dip:.3f} by update {crossing + 2}",
           crossing > 1 and dip < 0.95 * beta[0])
    yield ("the KL overshoots its target",
           f"{max(kl):.2f} nats at update {kl.index(max(kl)) + 1}", max(kl) > 1.05 * TARGET)
    highest = max(beta[crossing:], default=0.0)
    yield ("then the coefficient rises", f"from {dip:.3f} to {highest:.3f}", highest > 1.2 * dip)
    yield ("and the KL holds its target within 5 %, last third",
           f"{held:.2f} nats, {100 * (held / TARGET - 1):+.1f} %", abs(held / TARGET - 1) < 0.05)
    yield ("the value function explains more than 0.7 of the variance, last tenth",
           f"{mean(variance[-(len(variance) // 10):]):.3f}",
           mean(variance[-(len(variance) // 10):]) > 0.7)
    yield ("the reward model's held-out loss is below chance, ln 2", f"{loss:.3f} of {math.log(2):.3f}",
           loss < math.log(2))


def main():
    folder, failed = pathlib.Path(sys.argv[1]), 0
    for seed in sys.argv[2:]:
        ppo = read(folder / f"ppo{seed}" / "metrics.jsonl")
        reward = read(folder / f"reward{seed}" / "metrics.jsonl")
        print(f"seed {seed}: {len(ppo)} updates")
        for claim, figure, holds in claims(ppo, reward):
            failed += not holds
            print(f"  {'holds' if holds else 'FAILS'}  {claim}: {figure}")
    sys.exit(1 if failed else 0)


main()
