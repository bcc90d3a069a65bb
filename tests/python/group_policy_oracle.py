"""Golden figures for GRPO and its variants, RLOO and REINFORCE++: tests/data/group_policy_oracle.json.

Losses and their gradients are those of TRL's own trainers: GRPOTrainer._compute_loss and
RLOOTrainer._compute_loss run on a batch of given log-probabilities, with everything else of the
trainer replaced by constants. Advantages are computed by torch, by the lines of the same trainers
that stand in the middle of their generation code. Rounded to what the tests compare.

    pip install trl torch && python tests/python/group_policy_oracle.py
"""

import collections
import json
import pathlib
import types

import torch
import trl

LENGTHS = [5, 3, 7, 1, 4, 6, 2, 8]
STOPPED = [True, True, False, True, False, True, True, False]
LONGEST = 8
GENERATIONS = 4


def padded(rows):
    out = torch.zeros(len(rows), LONGEST)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def flat(matrix):
    return [[round(x, 8) for x in matrix[i, :n].tolist()] for i, n in enumerate(LENGTHS)]


def accelerator():
    return types.SimpleNamespace(
        num_processes=1, gather=lambda x: x, reduce=lambda x, reduction: x, sync_gradients=True
    )


def compute(trainer, log_prob, inputs, **settings):
    """Loss, gradient and metrics of one batch by `trainer`'s own _compute_loss."""
    leaf = log_prob.clone().requires_grad_(True)
    args = {"delta": None, "use_bias_correction_kl": False, "steps_per_generation": 1}
    args |= settings.pop("args", {})
    this = types.SimpleNamespace(
        top_entropy_quantile=1.0,
        off_policy_mask_threshold=None,
        use_vllm=False,
        aux_loss_enabled=False,
        _entropy_bonus_enabled=False,
        current_gradient_accumulation_steps=1,
        max_completion_length=LONGEST,
        accelerator=accelerator(),
        model=types.SimpleNamespace(training=True),
        args=types.SimpleNamespace(**args),
        _metrics={"train": collections.defaultdict(list)},
        _get_per_token_logps_and_entropies=lambda *a, **k: (leaf, torch.ones_like(leaf), None),
        **settings,
    )
    loss = trainer._compute_loss(this, None, inputs)
    loss.backward()
    metrics = {k: v[-1] for k, v in this._metrics["train"].items() if k.startswith("clip_ratio/")}
    return {"loss": loss.item(), "d_log_prob": flat(leaf.grad), "metrics": metrics}


def main():
    torch.manual_seed(7)
    log_prob = padded([-torch.rand(n) * 3 for n in LENGTHS])
    mask = padded([torch.ones(n) for n in LENGTHS])
    old = (log_prob + 0.25 * torch.randn_like(log_prob)) * mask
    ref = (log_prob + 0.4 * torch.randn_like(log_prob)) * mask
    scores = torch.tensor([1.0, 2.0, 5.0, 8.0, -0.5, 0.25, 0.25, 3.0])

    groups = scores.view(-1, GENERATIONS)
    mean = groups.mean(1, keepdim=True)
    advantages = {
        "group": (groups - mean) / (groups.std(1, keepdim=True) + 1e-4),
        "batch": (groups - mean) / (scores.std() + 1e-4),
        "none": groups - mean,
        "leave_one_out": groups - (groups.sum(1, keepdim=True) - groups) / (GENERATIONS - 1),
    }
    advantages = {k: v.reshape(-1) for k, v in advantages.items()}
    loo = advantages["leave_one_out"]
    advantages["normalised_leave_one_out"] = (loo - loo.mean()) / (loo.std() + 1e-4)

    def inputs(truncated=False, **more):
        kept = mask * torch.tensor(STOPPED).float().unsqueeze(1) if truncated else mask
        return {
            "prompt_ids": torch.zeros(len(LENGTHS), 1, dtype=torch.long),
            "prompt_mask": torch.ones(len(LENGTHS), 1, dtype=torch.long),
            "completion_ids": torch.zeros(len(LENGTHS), LONGEST, dtype=torch.long),
            "completion_mask": kept,
            "old_per_token_logps": old,
            "ref_per_token_logps": ref,
            "num_items_in_batch": kept.sum(),
            **more,
        }

    grpo = []
    for loss_type in ["grpo", "dr_grpo", "dapo", "bnpo"]:
        for level in ["token", "sequence"]:
            for beta, high, delta, truncated in [
                (0.0, 0.2, 0, False),
                (0.04, 0.28, 0, False),
                (0.1, 0.2, 1.35, True),
            ]:
                # A mean over a response's tokens is nearer to 1 than theirs are.
                narrow = 0.15 if level == "sequence" else 1.0
                result = compute(
                    trl.GRPOTrainer,
                    log_prob,
                    inputs(truncated, advantages=advantages["group"]),
                    importance_sampling_level=level,
                    loss_type=loss_type,
                    beta=beta,
                    epsilon_low=0.2 * narrow,
                    epsilon_high=high * narrow,
                    args={"delta": delta or None},
                )
                grpo.append(
                    {"loss_type": loss_type, "importance_sampling_level": level, "beta": beta}
                    | {"epsilon": 0.2 * narrow, "epsilon_high": high * narrow}
                    | {"delta": delta, "truncated": truncated}
                    | result
                )

    rloo = []
    # Ratios of whole responses: the log-ratios of tokens add up.
    for scale in [0.1, 1.0]:
        nearby = log_prob + scale * (old - log_prob) * mask
        result = compute(
            trl.RLOOTrainer,
            log_prob,
            inputs(advantages=loo, old_logps=(nearby * mask).sum(1)),
            epsilon_low=0.2,
            epsilon_high=0.2,
        )
        rloo.append({"old": flat(nearby)} | result)

    # REINFORCE++: return to go of the score at the end and a penalty at each token, normalised over
    # all tokens (Hu et al. 2025, equations 3 and 8).
    beta = 0.1
    to_go = torch.flip(torch.cumsum(torch.flip(-beta * (old - ref) * mask, [1]), 1), [1])
    to_go = (to_go + scores.unsqueeze(1)) * mask
    tokens = to_go[mask.bool()]
    whitened = (to_go - tokens.mean()) / tokens.std(unbiased=False)

    out = {
        "trl": trl.__version__,
        "lengths": LENGTHS,
        "stopped": STOPPED,
        "longest": LONGEST,
        "generations": GENERATIONS,
        "scores": scores.tolist(),
        "log_prob": flat(log_prob),
        "old": flat(old),
        "ref": flat(ref),
        "advantages": {k: v.tolist() for k, v in advantages.items()},
        "grpo": grpo,
        "rloo": rloo,
        "reinforce": {"beta": beta, "to_go": flat(to_go), "whitened": flat(whitened)},
    }
    path = pathlib.Path(__file__).parent.parent / "data" / "group_policy_oracle.json"
    path.write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
