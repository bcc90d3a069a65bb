"""Prints tests/data/ppo_oracle.json: one PPO update's arithmetic in torch, on padded matrices.

    /opt/oracle/bin/python tests/python/ppo_oracle.py > tests/data/ppo_oracle.json

Written after lm-human-preferences (Ziegler et al. 2019) and TRL's PPOTrainer, whose steps and names
it follows: rewards, whitening, GAE, the two clipped losses, the statistics. Gradients are torch's.
Where the two differ, this is lm-human-preferences: the score is on the response's last token and
whitening divides by the population's deviation.
"""

import json

import torch

torch.set_default_dtype(torch.float64)
LENGTHS = [5, 1, 8, 3, 6]
T = max(LENGTHS)
MASK = torch.arange(T)[None, :] < torch.tensor(LENGTHS)[:, None]

CASES = {
    "plain": dict(kl="k1", beta=0.05, gamma=1.0, lam=0.95, whiten_rewards=False,
                  whiten_advantages=True, cliprange=0.2, cliprange_value=0.2),
    "discounted_k3": dict(kl="k3", beta=0.3, gamma=0.9, lam=0.8, whiten_rewards=True,
                          whiten_advantages=True, cliprange=0.1, cliprange_value=0.5),
    "bare_k2": dict(kl="k2", beta=0.1, gamma=0.99, lam=1.0, whiten_rewards=False,
                    whiten_advantages=False, cliprange=0.3, cliprange_value=0.0),
}


def f32(x):
    """Inputs as the program holds them, in single precision."""
    return x.to(torch.float32).to(torch.float64)


def masked_mean(values, mask):
    return (values * mask).sum() / mask.sum()


def masked_whiten(values, mask, shift_mean):
    mean = masked_mean(values, mask)
    variance = masked_mean((values - mean) ** 2, mask)
    whitened = (values - mean) * torch.rsqrt(variance + 1e-8)
    return whitened if shift_mean else whitened + mean


def ragged(matrix):
    return [row[:length].tolist() for row, length in zip(matrix, LENGTHS)]


def draw(generator, scale):
    return f32(scale * torch.randn(len(LENGTHS), T, generator=generator))


def run(case, seed):
    generator = torch.Generator().manual_seed(seed)
    old_logprobs = f32(-draw(generator, 1.5).abs())
    ref_logprobs = f32(old_logprobs + draw(generator, 0.3))
    old_values = draw(generator, 0.7)
    scores = f32(2 * torch.randn(len(LENGTHS), generator=generator))
    new_logprobs = f32(old_logprobs + draw(generator, 0.25))
    new_values = f32(old_values + draw(generator, 0.6))

    logr = old_logprobs - ref_logprobs
    kl = {"k1": logr, "k2": 0.5 * logr**2, "k3": torch.exp(-logr) - 1 + logr}[case["kl"]]
    rewards = torch.where(MASK, -case["beta"] * kl, torch.zeros(()))
    non_score = rewards.sum(1)
    rewards[torch.arange(len(LENGTHS)), torch.tensor(LENGTHS) - 1] += scores
    if case["whiten_rewards"]:
        rewards = masked_whiten(rewards, MASK, shift_mean=False) * MASK

    values = old_values * MASK
    lastgaelam, reversed_advantages = torch.zeros(len(LENGTHS)), []
    for t in reversed(range(T)):
        next_values = values[:, t + 1] if t + 1 < T else torch.zeros(len(LENGTHS))
        delta = rewards[:, t] + case["gamma"] * next_values - values[:, t]
        lastgaelam = delta + case["gamma"] * case["lam"] * lastgaelam
        reversed_advantages.append(lastgaelam)
    advantages = torch.stack(reversed_advantages[::-1], dim=1) * MASK
    returns = advantages + values
    if case["whiten_advantages"]:
        advantages = masked_whiten(advantages, MASK, shift_mean=True) * MASK

    new_logprobs.requires_grad_()
    new_values.requires_grad_()
    ratio = torch.exp(new_logprobs - old_logprobs)
    pg_losses = -advantages * ratio
    clip = case["cliprange"]
    pg_losses2 = -advantages * torch.clamp(ratio, 1 - clip, 1 + clip)
    pg_loss = masked_mean(torch.max(pg_losses, pg_losses2), MASK)

    vf_losses1 = torch.square(new_values - returns)
    vf_losses2 = vf_losses1
    if case["cliprange_value"] > 0:
        clip = case["cliprange_value"]
        clipped = torch.clamp(new_values, old_values - clip, old_values + clip)
        vf_losses2 = torch.square(clipped - returns)
    vf_loss = 0.5 * masked_mean(torch.max(vf_losses1, vf_losses2), MASK)
    (pg_loss + 0.1 * vf_loss).backward()

    flat_returns, flat_values = returns[MASK], old_values[MASK]
    residual_variance = (flat_returns - flat_values).var(correction=0)
    statistics = {
        "objective/kl": (logr * MASK).sum(1).mean(),
        "objective/entropy": (-old_logprobs * MASK).sum(1).mean(),
        "objective/non_score_reward": non_score.mean(),
        "objective/scores": scores.mean(),
        "objective/rlhf_reward": (scores + non_score).mean(),
        "policy/approxkl_avg": 0.5 * masked_mean((new_logprobs - old_logprobs) ** 2, MASK),
        "policy/clipfrac_avg": masked_mean((pg_losses2 > pg_losses).double(), MASK),
        "loss/policy_avg": pg_loss,
        "loss/value_avg": vf_loss,
        "val/clipfrac_avg": masked_mean((vf_losses2 > vf_losses1).double(), MASK),
        "val/ratio": masked_mean(ratio, MASK),
        "val/ratio_var": ratio[MASK].var(correction=0),
        "val/explained_variance": 1 - residual_variance / flat_returns.var(correction=0),
    }
    return {
        "options": case,
        "old_logprobs": ragged(old_logprobs), "ref_logprobs": ragged(ref_logprobs),
        "old_values": ragged(old_values), "scores": scores.tolist(),
        "new_logprobs": ragged(new_logprobs), "new_values": ragged(new_values),
        "rewards": ragged(rewards), "advantages": ragged(advantages), "returns": ragged(returns),
        "d_logprobs": ragged(new_logprobs.grad), "d_values": ragged(new_values.grad),
        "statistics": {name: value.item() for name, value in statistics.items()},
    }


print(json.dumps({name: run(case, seed) for seed, (name, case) in enumerate(CASES.items())}))
