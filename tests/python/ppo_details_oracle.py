"""Prints tests/data/ppo_details_oracle.json: what PPO's optional details compute, by numpy and torch.

    /opt/oracle/bin/python tests/python/ppo_details_oracle.py > tests/data/ppo_details_oracle.json

Running statistics are recomputed from all that was seen; reductions, whitening and GAE are written
on padded matrices with masks, as lm-human-preferences and verl have them.
"""

import json

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
RNG = np.random.default_rng(5)


def running():
    batches = [RNG.normal(3, 2, n).tolist() for n in (4, 1, 7)]
    clip = 1.5
    out = {"batches": batches, "clip": clip, "deviation": [], "mean_deviation": []}
    seen = []
    for batch in batches:
        seen += batch
        scale, mean = np.std(seen, ddof=1), np.mean(seen)
        out["deviation"].append(np.clip(np.array(batch) / scale, -clip, clip).tolist())
        out["mean_deviation"].append(
            np.clip((np.array(batch) - mean) / scale, -clip, clip).tolist())
    return out


def reduction():
    lengths, longest = [3, 1, 5], 5
    losses = torch.tensor(RNG.normal(size=(3, longest)))
    mask = (torch.arange(longest)[None] < torch.tensor(lengths)[:, None]).double()
    response_length = 8
    sums = (losses * mask).sum(1)
    return {
        "losses": [row[:n].tolist() for row, n in zip(losses, lengths)],
        "response_length": response_length,
        "token_mean": ((losses * mask).sum() / mask.sum()).item(),
        "sequence_mean": (sums / mask.sum(1)).mean().item(),
        "sequence_sum": (sums / response_length).mean().item(),
    }


def whiten(values, mask, shift_mean):
    mean = (values * mask).sum() / mask.sum()
    variance = (((values - mean) ** 2) * mask).sum() / mask.sum()
    whitened = (values - mean) * torch.rsqrt(variance + 1e-8)
    return (whitened if shift_mean else whitened + mean) * mask


def minibatch_whitening():
    lengths, longest, gamma, lam = [4, 2, 5, 3], 5, 0.9, 0.8
    mask_of = (torch.arange(longest)[None] < torch.tensor(lengths)[:, None]).double()
    draw = lambda: torch.tensor(RNG.normal(size=(4, longest)).astype(np.float32)).double() * mask_of
    rewards, values = draw(), draw()
    groups = [[2, 0], [1, 3]]
    advantages = {}
    for group in groups:
        mask, v = mask_of[group], values[group]
        r = whiten(rewards[group], mask, shift_mean=False)
        last, columns = torch.zeros(len(group)), []
        for t in reversed(range(longest)):
            following = v[:, t + 1] if t + 1 < longest else torch.zeros(len(group))
            last = (r[:, t] + gamma * following - v[:, t] + gamma * lam * last) * mask[:, t]
            columns.append(last)
        a = whiten(torch.stack(columns[::-1], 1), mask, shift_mean=True)
        for row, i in zip(a, group):
            advantages[i] = row[:lengths[i]].tolist()
    ragged = lambda m: [row[:n].tolist() for row, n in zip(m, lengths)]
    return {"gamma": gamma, "lam": lam, "groups": groups, "rewards": ragged(rewards),
            "values": ragged(values), "advantages": [advantages[i] for i in range(4)]}


def normalisation():
    """gain and bias after heads that report 2 x + 1 are brought to mean 0, deviation 1."""
    heads = np.array([0.5, -1, 3, 0.25])
    return {"gain": 1 / heads.std(), "bias": -heads.mean() / heads.std()}


print(json.dumps({"running": running(), "reduction": reduction(),
                  "minibatch_whitening": minibatch_whitening(), "normalisation": normalisation()},
                 indent=1))
