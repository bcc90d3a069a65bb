"""Prints tests/data/preference_oracle.json: one step of DPO, KTO, ORPO and SimPO as TRL computes it.

    python tests/python/preference_oracle.py > tests/data/preference_oracle.json

The losses and metrics are those of TRL's trainers themselves (1.16 made the file), called on the
model of tests/data/gpt2_golden in double precision; the reference is that model with every
parameter times 0.9, of the second KTO, whose KL is to be above 0, times 1.2. TRL's DPO has no label smoothing for its sigmoid loss any more: conservative
DPO comes from the same formula in its CPO trainer, given log-ratios.
"""

import collections
import json
import pathlib
import types

import torch
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel
from trl import DPOTrainer, KTOTrainer
from trl.experimental.cpo import CPOTrainer
from trl.experimental.orpo import ORPOTrainer

torch.set_default_dtype(torch.float64)
FOLDER = pathlib.Path(__file__).parent.parent / "data" / "gpt2_golden"
PAD = 60
# prompt, chosen, rejected
PAIRS = [
    ([5, 17, 3], [58, 0, 42, 9, 11], [1, 2]),
    ([7], [44, 30, 8], [33, 21, 6, 19, 28, 2, 50]),
    ([12, 48, 31, 2, 9, 25], [14], [15, 16, 53]),
    ([40, 41], [22, 10, 4, 37], [55, 1, 13, 26]),
]
# prompt, completion, label
JUDGED = [
    ([5, 17, 3], [58, 0, 42, 9, 11], True),
    ([7], [33, 21, 6, 19], False),
    ([12, 48, 31], [15, 16, 53], False),
    ([40, 41], [22, 10, 4, 37], True),
    ([9, 9], [3], True),
]
SHOWN = ["transformer.ln_f.weight", "transformer.h.0.attn.c_attn.bias"]


def model(scale=1.0):
    raw = json.loads((FOLDER / "config.json").read_text())
    config = GPT2Config(**{**raw, "attn_implementation": "eager"})
    out = GPT2LMHeadModel(config).double().train()
    weights = {k: v.double() * scale for k, v in load_file(FOLDER / "model.safetensors").items()}
    missing = out.load_state_dict(weights, strict=False).missing_keys
    assert set(missing) <= {"lm_head.weight"}, missing
    out.tie_weights()
    return out


class Fused(torch.nn.Module):
    """What TRL's fused head returns: log-probabilities of the labels, 0 where there is none."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, input_ids, attention_mask, labels, **_):
        log_p = self.inner(input_ids, attention_mask=attention_mask).logits[:, :-1].log_softmax(-1)
        target = labels[:, 1:]
        picked = log_p.gather(-1, target.clamp(min=0)[..., None])[..., 0] * (target >= 0)
        zero = torch.zeros_like(picked)
        return types.SimpleNamespace(log_probs=picked, entropy=zero, mean_logits=zero,
                                     is_top1=zero.bool())


def rectangle(rows):
    """input_ids, attention_mask, completion_mask of (prompt, completion) rows."""
    longest = max(len(p) + len(c) for p, c in rows)
    ids, seen, learnt = [], [], []
    for p, c in rows:
        pad = longest - len(p) - len(c)
        ids.append(p + c + [PAD] * pad)
        seen.append([1] * (len(p) + len(c)) + [0] * pad)
        learnt.append([0] * len(p) + [1] * len(c) + [0] * pad)
    return torch.tensor(ids), torch.tensor(seen), torch.tensor(learnt)


def trainer(cls, policy, **attributes):
    out = cls.__new__(cls)
    same = lambda x: x
    defaults = dict(model=policy, aux_loss_enabled=False, is_encoder_decoder=False,
                    padding_value=PAD, pad_token_id=PAD, precompute_ref_logps=False,
                    accelerator=types.SimpleNamespace(device="cpu", gather=same,
                                                      gather_for_metrics=same),
                    args=types.SimpleNamespace(gradient_checkpointing_kwargs=None),
                    _metrics=collections.defaultdict(lambda: collections.defaultdict(list)),
                    _total_train_tokens=0, _tp_size=1)
    for name, value in {**defaults, **attributes}.items():
        setattr(out, name, value)
    return out


def outcome(policy, loss, metrics):
    policy.zero_grad()
    loss.backward()
    parameters = dict(policy.named_parameters())
    norm = torch.sqrt(sum((p.grad**2).sum() for p in parameters.values()))
    names = ("rewards/", "logps/", "kl", "nll_loss", "log_odds")
    return {
        "loss": loss.item(),
        "grad_norm": norm.item(),
        "metrics": {k: float(v) for k, v in metrics.items() if k.startswith(names)},
        "gradients": {name: parameters[name].grad.flatten().tolist() for name in SHOWN},
    }


def last(trainer):
    return {k: v[-1] for k, v in trainer._metrics["train"].items()}


def dpo(types_, weights=(1.0,), beta=0.1, label_smoothing=0.0):
    policy = model()
    t = trainer(DPOTrainer, policy, ref_model=Fused(model(0.9)), ld_alpha=None,
                f_divergence_type="reverse_kl", loss_types=types_, loss_weights=list(weights),
                beta=beta, label_smoothing=label_smoothing, use_weighting=False)
    ids, seen, learnt = rectangle([(p, c) for p, c, _ in PAIRS] + [(p, r) for p, _, r in PAIRS])
    inputs = {"input_ids": ids, "attention_mask": seen, "completion_mask": learnt}
    loss = t._compute_loss(Fused(policy), inputs, False)
    return outcome(policy, loss, last(t))


def conservative_dpo(beta, label_smoothing):
    policy, ref = Fused(model()), Fused(model(0.9))
    ids, seen, learnt = rectangle([(p, c) for p, c, _ in PAIRS] + [(p, r) for p, _, r in PAIRS])
    labels = ids.masked_fill(learnt == 0, -100)
    ratio = (policy(ids, seen, labels).log_probs - ref(ids, seen, labels).log_probs.detach()).sum(1)
    t = trainer(CPOTrainer, policy, alpha=0.0, loss_type="sigmoid", beta=beta,
                label_smoothing=label_smoothing)
    losses, chosen, rejected = t.cpo_loss(*ratio.chunk(2))
    return outcome(policy.inner, losses.mean(),
                   {"rewards/chosen": chosen.mean(), "rewards/rejected": rejected.mean()})


def kto(beta, desirable_weight, undesirable_weight, scale):
    policy = model()
    t = trainer(KTOTrainer, policy, ref_model=Fused(model(scale)), calculate_KL=True, beta=beta,
                loss_type="kto", desirable_weight=desirable_weight,
                undesirable_weight=undesirable_weight)
    ids, seen, learnt = rectangle([(p, c) for p, c, _ in JUDGED])
    rotated = [JUDGED[i - 1][1] for i in range(len(JUDGED))]
    kl_ids, kl_seen, kl_learnt = rectangle([(j[0], c) for j, c in zip(JUDGED, rotated)])
    batch = {"input_ids": ids, "attention_mask": seen, "completion_mask": learnt,
             "KL_input_ids": kl_ids, "KL_attention_mask": kl_seen,
             "KL_completion_mask": kl_learnt, "label": torch.tensor([j[2] for j in JUDGED])}
    loss = t._compute_loss(Fused(policy), batch, False)
    return outcome(policy, loss, last(t))


def pair_batch():
    batch = {}
    for side, column in (("chosen", 1), ("rejected", 2)):
        ids, seen, learnt = rectangle([(row[0], row[column]) for row in PAIRS])
        batch[f"{side}_input_ids"], batch[f"{side}_attention_mask"] = ids, seen
        batch[f"{side}_labels"] = ids.masked_fill(learnt == 0, -100)
    return batch


def reference_free(cls, **attributes):
    policy = model()
    loss, metrics = trainer(cls, policy, **attributes).get_batch_loss_metrics(policy, pair_batch())
    return outcome(policy, loss, metrics)


def main():
    simpo = dict(loss_type="simpo", alpha=0.0, label_smoothing=0.0)
    print(json.dumps({
        "pairs": [{"prompt": p, "chosen": c, "rejected": r} for p, c, r in PAIRS],
        "judged": [{"prompt": p, "completion": c, "label": l} for p, c, l in JUDGED],
        "sigmoid": dpo(["sigmoid"]),
        "hinge": dpo(["hinge"], beta=0.05),
        "ipo": dpo(["ipo"], beta=0.3),
        "robust": dpo(["robust"], beta=0.2, label_smoothing=0.2),
        "conservative": conservative_dpo(0.2, 0.1),
        "rpo": dpo(["sigmoid", "sft"], weights=(1.0, 0.5)),
        "kto": kto(0.1, 1.5, 0.8, 0.9),
        "kto_drift": kto(0.1, 1.0, 1.0, 1.2),
        "orpo": reference_free(ORPOTrainer, beta=0.25),
        "simpo": reference_free(CPOTrainer, beta=2.0, simpo_gamma=1.0, cpo_alpha=0.0, **simpo),
        "cpo_simpo": reference_free(CPOTrainer, beta=2.0, simpo_gamma=0.5, cpo_alpha=0.5, **simpo),
    }))


main()
