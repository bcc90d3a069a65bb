"""GPT-2 in PyTorch on the CPU: the work of the rows of `rlhf bench`, as a worker of speed.py. Two
ways to have the model: `transformers` (GPT2LMHeadModel with SDPA attention) and `plain`, written for
speed in bench/gpu/gpt2_peer.py."""

import pathlib
import sys

import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.cache_utils import DynamicCache

import worker

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "gpu"))
from gpt2_peer import Gpt2  # noqa: E402


def from_transformers(job, positions):
    return GPT2LMHeadModel(GPT2Config(
        vocab_size=job["vocab_size"], n_positions=positions, n_embd=job["n_embd"],
        n_layer=job["n_layer"], n_head=job["n_head"], embd_pdrop=0, attn_pdrop=0, resid_pdrop=0,
        bos_token_id=0, eos_token_id=0, attn_implementation="sdpa"))


def plain(job, positions):
    return Gpt2(job["vocab_size"], positions, job["n_embd"], job["n_layer"], job["n_head"])


def training_step(job):
    B, T, V = job["batch"], job["context"], job["vocab_size"]
    is_plain = job["model"] == "plain"
    model = plain(job, T) if is_plain else from_transformers(job, T)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95),
                                  weight_decay=0.1, fused=True)
    text = torch.randint(V, (B, T + 1))
    token, target = text[:, :-1].contiguous(), text[:, 1:].contiguous()

    def loss_of():
        if is_plain:
            return model.loss(token, target)
        return F.cross_entropy(model(token).logits.view(-1, V), target.view(-1))

    def step():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=job["bf16"]):
            loss = loss_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def prompt_pass(job):
    """Logits of the last token alone, and the cache."""
    model = from_transformers(job, job["prompt"] + 1).eval()
    token = torch.randint(job["vocab_size"], (1, job["prompt"]))
    return lambda: model(token, use_cache=True, logits_to_keep=1)


def plain_decoding(job):
    new = job["new"]
    model = plain(job, new + 1).eval()
    layers, heads, channels = model.shape
    cache = torch.zeros(layers, 2, 1, heads, new, channels // heads)

    def step():
        token = torch.zeros(1, 1, dtype=torch.long)
        for place in range(new):
            token = model.extend(token, cache, torch.tensor([place])).argmax(-1, keepdim=True)

    return step


def decoding(job):
    """The model's own forward pass and cache in a loop: generate() adds to that."""
    if job["model"] == "plain":
        return plain_decoding(job)
    model = from_transformers(job, job["new"] + 1).eval()

    def step():
        cache, token = DynamicCache(), torch.zeros(1, 1, dtype=torch.long)
        for _ in range(job["new"]):
            token = model(token, past_key_values=cache, use_cache=True).logits[:, -1:].argmax(-1)

    return step


def generation(job):
    """transformers' generate: plain sampling, nothing ends a response early."""
    prompt, new = job["prompt"], job["new"]
    model = from_transformers(job, prompt + new).eval()
    tokens = torch.randint(job["vocab_size"], (job["batch"], prompt))
    return lambda: model.generate(
        tokens, attention_mask=torch.ones_like(tokens), do_sample=True, top_k=0, top_p=1.0,
        max_new_tokens=new, min_new_tokens=new, eos_token_id=None, pad_token_id=0)


def main():
    job = worker.job()
    torch.set_num_threads(job["threads"])
    torch.manual_seed(1)
    make = {"train": training_step, "prompt": prompt_pass, "decode": decoding,
            "rollout": generation}[job["work"]]
    step = make(job)
    if job["work"] == "train":
        worker.serve(step)
    with torch.inference_mode():
        worker.serve(step)


if __name__ == "__main__":
    main()
