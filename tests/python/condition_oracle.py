"""Prints tests/data/condition_oracle.json: reward-conditioned fine-tuning and hindsight instruction
relabelling as PyTorch and numpy compute them.

    python tests/python/condition_oracle.py > tests/data/condition_oracle.json

Losses and gradients are of the model of tests/data/gpt2_golden in double precision, by transformers'
GPT2LMHeadModel; the reference is that model with every parameter times 0.9. The formulas are those of
the papers: Quark (Lu et al. 2022, equation 2; its authors' code takes the other direction of the KL,
which is `reverse`), and HIR (Zhang et al. 2023, section 4.3; likelihoods of responses are means over
tokens, as in its authors' code). Quantiles are numpy's.
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel

torch.set_default_dtype(torch.float64)
FOLDER = pathlib.Path(__file__).parent.parent / "data" / "gpt2_golden"
SHOWN = ["transformer.ln_f.weight", "transformer.h.0.attn.c_attn.bias"]
# condition tokens, by condition
CONDITIONS = [[50, 51], [52, 53, 54], [55]]
# prompt, response, the condition that it fulfils
RESPONSES = [
    ([5, 17, 3], [58, 0, 42, 9], 2),
    ([7], [44, 30, 8, 1, 19], 0),
    ([12, 48], [14], 2),
    ([40, 41], [22, 10], 1),
]
KL_COEF, ENTROPY_COEF, CONTRASTIVE_COEF = 0.3, 0.05, 0.7


def model(scale=1.0):
    raw = json.loads((FOLDER / "config.json").read_text())
    config = GPT2Config(**{**raw, "attn_implementation": "eager"})
    out = GPT2LMHeadModel(config).double().eval()
    weights = {k: v.double() * scale for k, v in load_file(FOLDER / "model.safetensors").items()}
    missing = out.load_state_dict(weights, strict=False).missing_keys
    assert set(missing) <= {"lm_head.weight"}, missing
    out.tie_weights()
    return out


def log_softmax(net, prompt, response, temperature):
    """Of every response token's distribution: (tokens, vocabulary)."""
    logits = net(torch.tensor([prompt + response])).logits[0]
    return F.log_softmax(logits[len(prompt) - 1 : -1] / temperature, dim=-1)


def told(log_p, response):
    return log_p[range(len(response)), response]


def finish(net, loss, **terms):
    net.zero_grad()
    loss.backward()
    parameters = dict(net.named_parameters())
    return {
        "loss": loss.item(),
        "terms": {name: value.item() for name, value in terms.items()},
        "gradients": {name: parameters[name].grad.flatten().tolist() for name in SHOWN},
    }


def reward_conditioned(direction, temperature):
    net, ref = model(), model(0.9)
    nll, kl, entropy, tokens = 0, 0, 0, 0
    for prompt, response, condition in RESPONSES:
        log_p = log_softmax(net, CONDITIONS[condition] + prompt, response, temperature)
        with torch.no_grad():
            log_q = log_softmax(ref, prompt, response, temperature)
        forward = F.kl_div(log_p, log_q, reduction="sum", log_target=True)
        reverse = F.kl_div(log_q, log_p, reduction="sum", log_target=True)
        nll -= told(log_p, response).sum()
        kl += forward if direction == "forward" else reverse
        entropy -= (log_p.exp() * log_p).sum()
        tokens += len(response)
    nll, kl, entropy = nll / tokens, kl / tokens, entropy / tokens
    loss = nll + KL_COEF * kl - ENTROPY_COEF * entropy
    return finish(net, loss, nll=nll, kl=kl, entropy=entropy)


def hir(temperature):
    net = model()
    nll, entropy, contrastive, tokens = 0, 0, 0, 0
    for prompt, response, fulfilled in RESPONSES:
        likelihood = []
        for k, condition in enumerate(CONDITIONS):
            log_p = log_softmax(net, condition + prompt, response, temperature)
            likelihood.append(told(log_p, response).mean())
            if k == fulfilled:
                nll -= told(log_p, response).sum()
                entropy -= (log_p.exp() * log_p).sum()
        contrastive += F.cross_entropy(torch.stack(likelihood), torch.tensor(fulfilled))
        tokens += len(response)
    nll, entropy = nll / tokens, entropy / tokens
    contrastive = contrastive / len(RESPONSES)
    loss = nll + CONTRASTIVE_COEF * contrastive - ENTROPY_COEF * entropy
    return finish(net, loss, nll=nll, entropy=entropy, contrastive=contrastive)


def quantiles():
    rng = np.random.default_rng(7)
    cases = []
    for n, count in [(20, 5), (23, 5), (40, 4), (7, 2), (1000, 10)]:
        scores = rng.normal(size=n)
        order = np.argsort(np.argsort(scores))  # ranks
        cases.append((scores, count, np.floor((order + 0.5) * count / n)))
        edges = np.quantile(scores, np.arange(1, count) / count)
        if n % count == 0:
            assert (np.digitize(scores, edges) == cases[-1][2]).all()
    for scores, count in [(rng.integers(0, 4, size=60) * 1.0, 5), (np.r_[np.zeros(54), 1, np.ones(5)], 4)]:
        ordered = np.sort(scores)
        below = np.searchsorted(ordered, scores, "left")
        up_to = np.searchsorted(ordered, scores, "right")
        middle = np.floor(count * (below + up_to) / 2 / len(scores))
        middle[scores == scores.min()] = 0
        middle[scores == scores.max()] = count - 1
        cases.append((scores, count, middle))
    return [
        {
            "scores": scores.tolist(),
            "count": count,
            "quantiles": wanted.astype(int).tolist(),
            "edges": np.quantile(scores, np.arange(1, count) / count).tolist(),
        }
        for scores, count, wanted in cases
    ]


print(
    json.dumps(
        {
            "conditions": CONDITIONS,
            "prompts": [r[0] for r in RESPONSES],
            "responses": [r[1] for r in RESPONSES],
            "fulfilled": [r[2] for r in RESPONSES],
            "kl_coef": KL_COEF,
            "entropy_coef": ENTROPY_COEF,
            "contrastive_coef": CONTRASTIVE_COEF,
            "reward_conditioned": [
                {"direction": d, "temperature": t, **reward_conditioned(d, t)}
                for d, t in [("forward", 1), ("reverse", 1), ("forward", 0.7)]
            ],
            "hir": [{"temperature": t, **hir(t)} for t in [1, 0.7]],
            "quantiles": quantiles(),
        }
    )
)
