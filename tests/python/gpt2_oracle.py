"""Writes tests/data/gpt2_golden/: a tiny GPT-2 in Hugging Face's layout and what PyTorch makes of it.

    python tests/python/gpt2_oracle.py tests/data/gpt2_golden

Everything is computed in double precision from weights that are floats, so that our double path can
be held to its last digits and our float path to float's. The training recipe is nn/optimizer's:
AdamW, decay on matrices and embeddings only, gradients clipped by their global norm.
"""

import json
import pathlib
import sys

import numpy
import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2ForSequenceClassification, GPT2LMHeadModel

POSITIONS, VOCABULARY, PAD = 16, 61, 60
STEPS, CLIP, DECAY = 10, 1.0, 0.1
# Examples with one flag a token: whether it is to be learnt (the first never is).
EXAMPLES = [
    ([5, 17, 17, 3, 58, 0, 42, 9], [0, 0, 0, 1, 1, 1, 1, 1]),
    ([1, 59, 2, 44, 30], [0, 1, 1, 0, 1]),
    ([33, 8, 8], [0, 1, 1]),
]
PROMPTS = [[7], [3, 14, 15, 9, 26, 5, 35], [40, 41]]
NEW_TOKENS = 9
TEMPERATURES = [1.0, 0.7]


def f32(x):
    """Hyper-parameters as our contracts hold them, in single precision."""
    return float(numpy.float32(x))


def config():
    return GPT2Config(vocab_size=VOCABULARY, n_positions=POSITIONS, n_embd=32, n_layer=2, n_head=2,
                      activation_function="gelu_new", resid_pdrop=0.0, embd_pdrop=0.0,
                      attn_pdrop=0.0, layer_norm_epsilon=f32(1e-5), num_labels=1,
                      bos_token_id=None, eos_token_id=None, pad_token_id=PAD,
                      attn_implementation="eager")


def randomise(model, generator):
    """Far from the usual initialisation, where biases, norms and attention hardly matter."""
    for name, parameter in model.named_parameters():
        draw = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        center = 1.0 if "ln_" in name and name.endswith("weight") else 0.0
        parameter.data = (center + 0.25 * draw).to(torch.float32).to(torch.float64)


def logits_of(model, tokens):
    return model(torch.tensor([tokens])).logits[0]


def loss_of(model):
    """Mean negative log-likelihood of the learnt tokens, one example at a time: no padding."""
    total, targets = 0.0, 0
    for tokens, learn in EXAMPLES:
        log_p = torch.log_softmax(logits_of(model, tokens[:-1]), dim=-1)
        for t in range(1, len(tokens)):
            if learn[t]:
                total = total - log_p[t - 1, tokens[t]]
                targets += 1
    return total / targets


def train(model):
    decayed = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": f32(DECAY)}, {"params": others, "weight_decay": 0.0}],
        lr=f32(1e-3), betas=(f32(0.9), f32(0.99)), eps=f32(1e-8))
    losses, norms = [], []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        if step == 0:
            by_name = {n: p.grad.norm().item() for n, p in model.named_parameters()}
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item())
        optimizer.step()
        losses.append(loss.item())
    return losses, norms, by_name


def token_statistics(model):
    """Log-probabilities of each next token and entropies, at several temperatures."""
    result = []
    for temperature in TEMPERATURES:
        entry = {"temperature": temperature, "log_prob": [], "entropy": []}
        for tokens, _ in EXAMPLES:
            log_p = torch.log_softmax(logits_of(model, tokens[:-1]) / f32(temperature), dim=-1)
            entry["log_prob"] += [log_p[t, token].item() for t, token in enumerate(tokens[1:])]
            entry["entropy"] += (-(log_p.exp() * log_p).sum(-1)).tolist()
        result.append(entry)
    return result


def greedy(model):
    continued = []
    for prompt in PROMPTS:
        out = model.generate(torch.tensor([prompt]), max_new_tokens=NEW_TOKENS, do_sample=False,
                             attention_mask=torch.ones(1, len(prompt), dtype=torch.long))
        continued.append(out[0, len(prompt):].tolist())
        for t in range(len(prompt), len(prompt) + NEW_TOKENS):
            best = logits_of(model, out[0, :t].tolist())[-1].topk(2).values
            assert best[0] - best[1] > 1e-2, "too close to call in single precision"
    return continued


def rewards(model):
    """Of all examples in one padded batch, as a reward trainer runs it."""
    longest = max(len(tokens) for tokens, _ in EXAMPLES)
    ids = torch.full((len(EXAMPLES), longest), PAD)
    mask = torch.zeros_like(ids)
    for row, (tokens, _) in enumerate(EXAMPLES):
        ids[row, :len(tokens)] = torch.tensor(tokens)
        mask[row, :len(tokens)] = 1
    return model(ids, attention_mask=mask).logits[:, 0].tolist()


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(8)
    model = GPT2LMHeadModel(config()).to(torch.float64).eval()
    randomise(model, generator)
    scorer = GPT2ForSequenceClassification(config()).to(torch.float64).eval()
    randomise(scorer, generator)
    scorer.transformer.load_state_dict(model.transformer.state_dict())

    # The head is stored once, as wte; a scorer's file holds the same trunk and this one tensor.
    state = {n: t.to(torch.float32).contiguous() for n, t in model.state_dict().items()
             if n != "lm_head.weight"}
    state_with_score = dict(state)
    state_with_score["score.weight"] = scorer.score.weight.data.to(torch.float32)
    assert sorted(state_with_score) == sorted(n for n, _ in scorer.state_dict().items())
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    model.config.save_pretrained(folder)

    golden = {
        "examples": [{"tokens": tokens, "learn": learn} for tokens, learn in EXAMPLES],
        "logits": [logits_of(model, tokens[:-1]).tolist() for tokens, _ in EXAMPLES],
        "token_statistics": token_statistics(model),
        "prompts": PROMPTS, "greedy": greedy(model),
        "score_weight": scorer.score.weight[0].tolist(), "rewards": rewards(scorer),
    }
    golden["losses"], golden["gradient_norms"], golden["first_gradient_norms"] = train(model)
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")


main()
