"""Golden figures for online DPO: tests/data/online_dpo_oracle.json.

Losses, gradients, metrics and the choice of the better response are those of TRL's own trainer:
OnlineDPOTrainer.training_step runs on given log-probabilities and rewards, with generation and
everything else of the trainer replaced by constants. Its IPO adds up log-probabilities over a
completion; ours takes their mean, as TRL's DPOTrainer does, so that for "ipo" the trainer gets
them divided by the completion's length and rewards and log-probabilities are left out.

    pip install trl torch && python tests/python/online_dpo_oracle.py
"""

import collections
import json
import pathlib
import types

import torch
import trl
from trl.experimental.online_dpo import OnlineDPOTrainer

# Two responses to each of five prompts, the pairs side by side.
LENGTHS = [5, 3, 7, 1, 4, 6, 2, 8, 3, 3]
STOPPED = [True, True, False, True, False, True, True, False, True, True]
# The penalty for a missing end decides the third pair; the last one is a tie.
SCORES = [1.0, 2.0, 5.0, 0.25, 1.25, 0.75, 8.0, 3.0, 1.5, 1.5]
LONGEST = 8
EOS = 1
PENALTY = 1.0


def padded(rows):
    out = torch.zeros(len(rows), LONGEST)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def by_half(rows):
    """TRL's order: the first response to every prompt, then the second."""
    return torch.cat([rows[0::2], rows[1::2]])


def flat(matrix):
    return [[round(x, 8) for x in matrix[i, :n].tolist()] for i, n in enumerate(LENGTHS)]


def train_step(log_prob, ref, mask, loss_type, beta):
    """Loss, gradient and metrics of one batch by OnlineDPOTrainer's own training_step."""
    leaf = log_prob.clone().requires_grad_(True)
    prompts = len(LENGTHS) // 2
    ids = torch.full((len(LENGTHS), LONGEST), 5)
    for i, (length, stopped) in enumerate(zip(LENGTHS, STOPPED)):
        if stopped:
            ids[i, length - 1] = EOS
    length = mask.sum(1, keepdim=True) if loss_type == "ipo" else 1.0
    models = iter([leaf / length, ref / length])
    losses = []

    def backward(loss):
        losses.append(loss.item())
        loss.backward()

    this = types.SimpleNamespace(
        args=types.SimpleNamespace(
            use_vllm=False,
            loss_type=loss_type,
            missing_eos_penalty=PENALTY,
            torch_empty_cache_steps=None,
            optim="adamw_torch",
            n_gpu=1,
            gradient_accumulation_steps=1,
        ),
        beta=beta,
        eos_token_ids=[EOS],
        ref_model=True,
        reward_funcs=[True],
        processing_class=types.SimpleNamespace(batch_decode=lambda ids, **_: [""] * len(ids)),
        accelerator=types.SimpleNamespace(gather_for_metrics=lambda x: x, backward=backward),
        state=types.SimpleNamespace(global_step=1),
        stats=collections.defaultdict(list),
        _generate=lambda *_: (None, None, by_half(ids), by_half(mask), None),
        _forward=lambda *_: by_half(next(models)),
        _calculate_rewards_from_functions=lambda **_: by_half(torch.tensor(SCORES)),
    )
    model = types.SimpleNamespace(train=lambda: None)
    OnlineDPOTrainer.training_step(this, model, {"prompt": ["a"] * prompts})
    metrics = {name: values[-1] for name, values in this.stats.items()}
    if loss_type == "ipo":
        kept = ("objective/scores", "val/", "beta")
        metrics = {k: v for k, v in metrics.items() if k.startswith(kept)}
    return {
        "loss_type": loss_type,
        "beta": beta,
        "loss": losses[0],
        "d_log_prob": flat(leaf.grad),
        "metrics": metrics,
    }


def main():
    torch.manual_seed(7)
    log_prob = padded([-torch.rand(n) * 3 for n in LENGTHS])
    mask = padded([torch.ones(n) for n in LENGTHS])
    ref = (log_prob + 0.4 * torch.randn_like(log_prob)) * mask
    runs = [
        train_step(log_prob, ref, mask, loss_type, beta)
        for loss_type, beta in [("sigmoid", 0.1), ("sigmoid", 0.5), ("ipo", 0.1), ("ipo", 0.4)]
    ]
    out = {
        "trl": trl.__version__,
        "lengths": LENGTHS,
        "stopped": STOPPED,
        "scores": SCORES,
        "missing_eos_penalty": PENALTY,
        "log_prob": flat(log_prob),
        "ref": flat(ref),
        "runs": runs,
    }
    path = pathlib.Path(__file__).parent.parent / "data" / "online_dpo_oracle.json"
    path.write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
