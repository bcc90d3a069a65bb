"""Prints tests/data/ppo_details_oracle.json: what PPO's optional details compute, by numpy and torch.

    python tests/python/ppo_details_oracle.py > tests/data/ppo_details_oracle.json

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


def clipped_loss():
    """verl's dual-clip policy loss with its clamp of log-ratios, token by token."""
    n, clip, dual, bound = 40, 0.2, 1.5, 0.6
    draw = lambda scale: torch.tensor(RNG.normal(0, scale, n).astype(np.float32)).double()
    old, advantage = draw(1), draw(1)
    new = (old + draw(0.5)).float().double().requires_grad_()
    ratio = torch.exp(torch.clamp(new - old, -bound, bound))
    loss = torch.maximum(-advantage * ratio, -advantage * torch.clamp(ratio, 1 - clip, 1 + clip))
    loss = torch.where(advantage < 0, torch.minimum(loss, -advantage * dual), loss)
    loss.sum().backward()
    return {"clip": clip, "dual_clip": dual, "log_ratio_clamp": bound, "old": old.tolist(),
            "advantage": advantage.tolist(), "new": new.tolist(), "loss": loss.tolist(),
            "gradient": new.grad.tolist()}


def kl_losses():
    """The estimators with torch's gradients; the straight-through one as value + (x - x.detach())."""
    n = 30
    ref = torch.tensor(RNG.normal(-2, 0.5, n).astype(np.float32)).double()
    start = torch.tensor(RNG.normal(-2, 0.5, n).astype(np.float32)).double()
    out = {"ref": ref.tolist(), "new": start.tolist()}
    k2 = lambda d: 0.5 * d**2
    k3 = lambda d: torch.exp(-d) - 1 + d
    kinds = {"k1": lambda d: d, "k2": k2, "k3": k3,
             "straight_through_k3": lambda d: k3(d).detach() + k2(d) - k2(d).detach()}
    for name, kind in kinds.items():
        new = start.clone().requires_grad_()
        loss = kind(new - ref)
        loss.sum().backward()
        out[name] = {"loss": loss.tolist(), "gradient": new.grad.tolist()}
    return out


print(json.dumps({"clipped_loss": clipped_loss(), "kl_losses": kl_losses(), "running": running(), "reduction": reduction(),
                  "minibatch_whitening": minibatch_whitening(), "normalisation": normalisation()},
                 indent=1))
