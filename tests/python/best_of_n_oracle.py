"""Golden figures for best-of-N sampling and RAFT: tests/data/best_of_n_oracle.json.

Estimates are exact: the mean over every subset, in fractions, ties picked with equal chances. KL
divergences are sums over the outcomes of small distributions, whose best of n is known exactly.
RAFT's selection is torch's argmax and topk of score - beta KL, its loss torch's cross_entropy of what
is kept, from logits. Rounded to what the tests compare.

    pip install torch && python tests/python/best_of_n_oracle.py
"""

import itertools
import json
import math
import pathlib
from fractions import Fraction

import torch


def estimate(scores, values, n):
    total, count = Fraction(0), 0
    for subset in itertools.combinations(range(len(scores)), n):
        top = max(scores[i] for i in subset)
        best = [values[i] for i in subset if scores[i] == top]
        total += Fraction(sum(Fraction(v) for v in best), len(best))
        count += 1
    return float(total / count)


def best_of_n_kl(p, n):
    """KL of the best of n to p, outcomes ranked by their place."""
    kl, below = 0.0, 0.0
    for mass in p:
        best = (below + mass) ** n - below**n
        kl += best * math.log(best / mass) if best > 0 else 0
        below += mass
    return kl


def raft(selection, beta, generations, lengths, logits, targets, scores, ref):
    log_prob = torch.log_softmax(logits, 1).gather(1, targets.unsqueeze(1)).squeeze(1)
    kl = torch.stack([x.sum() for x in (log_prob - ref).split(lengths)])
    rewards = scores - beta * kl
    if selection == "group":
        groups = rewards.view(-1, generations)
        flat = scores.view(-1, generations).std(1) == 0
        picked = [
            g * generations + groups[g].argmax().item() for g in range(len(groups)) if not flat[g]
        ]
    else:
        picked = rewards.topk(len(lengths) // generations).indices.tolist()
    kept = torch.zeros(len(lengths), dtype=torch.bool)
    kept[picked] = True
    labels = targets.masked_fill(~kept.repeat_interleave(torch.tensor(lengths)), -100)
    leaf = logits.clone().requires_grad_(True)
    loss = torch.nn.functional.cross_entropy(leaf, labels)
    loss.backward()
    gradient = [round(x, 8) for x in leaf.grad.flatten().tolist()]
    return {
        "selection": selection,
        "beta": beta,
        "picked": sorted(picked),
        "loss": round(loss.item(), 8),
        "d_logits": gradient,
    }


def main():
    torch.manual_seed(5)
    estimates = []
    for scores in [
        [0.5, -1.25, 3.0, 2.0, 0.75, -0.5, 1.0],
        [0, 1, 0, 0, 1, 0],
        [2, 2, 1, 3, 3, 3, 0, 1],
        [1, 1, 1],
    ]:
        values = [((7 * i + 3) % 11) / 4 - 1 for i in range(len(scores))]
        for n in range(1, len(scores) + 1):
            entry = {"scores": scores, "values": values, "n": n}
            entry["of_scores"] = estimate(scores, scores, n)
            entry["of_values"] = estimate(scores, values, n)
            estimates.append(entry)

    divergences = []
    for size in [2, 10, 100000]:
        p = [1 / size] * size
        for n in [1, 2, 4, 16]:
            divergences.append({"outcomes": size, "n": n, "kl": best_of_n_kl(p, n)})

    generations, vocabulary = 3, 6
    lengths = [4, 2, 3, 1, 5, 2, 3, 3, 2]
    tokens = sum(lengths)
    logits = torch.randn(tokens, vocabulary).mul(1000).round().div(1000)
    targets = torch.randint(vocabulary, (tokens,))
    scores = torch.tensor([0.5, 1.5, 1.25, 0.0, 0.0, 0.0, -1.0, 0.25, 3.0])
    ref = (-3 * torch.rand(tokens)).mul(1000).round().div(1000)
    given = (generations, lengths, logits, targets, scores, ref)
    out = {
        "torch": torch.__version__,
        "estimates": estimates,
        "divergences": divergences,
        "generations": generations,
        "vocabulary": vocabulary,
        "lengths": lengths,
        "logits": [round(x, 3) for x in logits.flatten().tolist()],
        "targets": targets.tolist(),
        "scores": scores.tolist(),
        "ref": [round(x, 3) for x in ref.tolist()],
        "raft": [raft(s, beta, *given) for s in ["group", "batch"] for beta in [0.0, 4.0]],
    }
    path = pathlib.Path(__file__).parent.parent / "data" / "best_of_n_oracle.json"
    path.write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
