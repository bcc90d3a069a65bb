"""Adapters against Hugging Face's PEFT, in both directions. Run by hand from the repository's root,
with torch, transformers and peft installed.

    python tests/python/peft_oracle.py golden tests/data/peft_golden
    python tests/python/peft_oracle.py head tests/data/peft_golden
    python tests/python/peft_oracle.py check build/dev/bin/model_probe runs/adapter [runs/merged]

`golden` writes adapters as PEFT saves them, over tests/data/hf_golden/language: `language` with
rank-stabilised scale, and `reward` with a head; and golden.json with what PEFT computes: logits,
rewards, the loss, its gradients, and the losses of a few steps of AdamW on the adapter alone.
`head` writes, as `golden` does too, the adapter `head` with a language-model head that learns whole
beside it (modules_to_save), which PEFT unties from the embedding, and head.json likewise.
`check` loads an adapter folder that `rlhf` wrote into PEFT and compares the logits or rewards, of
PEFT's own merge as well; a merged folder is held against the same.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import peft
import safetensors.torch
import torch
import transformers

BASE = "tests/data/hf_golden/language"
SEQUENCES = [[72, 105], [256], [84, 104, 101, 32, 109, 97, 116, 114, 105, 120], [0, 255, 7, 7]]
RATE, STEPS, PAD = 0.01, 6, 257


def randomise(model, generator):
    """B away from zero, where PEFT begins, so that every term matters."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and "lora_A" not in name:
                parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))


def loss_of(model):
    """Minus the mean log-probability of every token but the first of each sequence."""
    total, targets = 0, 0
    for sequence in SEQUENCES:
        if len(sequence) > 1:
            logits = model(torch.tensor([sequence])).logits[0, :-1]
            total = total + torch.nn.functional.cross_entropy(
                logits, torch.tensor(sequence[1:]), reduction="sum")
            targets += len(sequence) - 1
    return total / targets


def in_file(name):
    return name.replace(".default.", ".").replace(".modules_to_save", "").replace(
        "base_model.model.", "")


def language_golden(folder, generator):
    base = transformers.AutoModelForCausalLM.from_pretrained(
        BASE, dtype=torch.float32, attn_implementation="eager")
    config = peft.LoraConfig(r=4, lora_alpha=3, target_modules=["c_attn", "c_proj", "c_fc"],
                             use_rslora=True, fan_in_fan_out=True, task_type="CAUSAL_LM")
    model = peft.get_peft_model(base, config).eval()
    randomise(model, generator)
    model.save_pretrained(folder / "language")
    golden = {"scale": 3 / 4 ** 0.5}
    with torch.no_grad():
        golden["logits"] = [model(torch.tensor([s])).logits[0, -1].tolist() for s in SEQUENCES]
    loss_of(model).backward()
    golden["gradients"] = {in_file(name): parameter.grad.flatten().tolist()
                           for name, parameter in model.named_parameters()
                           if parameter.requires_grad and ".h.1." in name}
    return golden | {"losses": train(model, weight_decay=0.1), "learning_rate": RATE}


def train(model, weight_decay):
    """The losses of a few steps of AdamW on all that learns."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=RATE,
                                  weight_decay=weight_decay)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def head_golden(folder):
    """Numbers of its own, so that it can be written alone."""
    generator = torch.Generator().manual_seed(8)
    torch.manual_seed(9)
    shutil.rmtree(folder / "head", ignore_errors=True)
    base = transformers.AutoModelForCausalLM.from_pretrained(
        BASE, dtype=torch.float32, attn_implementation="eager")
    config = peft.LoraConfig(r=2, lora_alpha=4, target_modules=["c_attn", "mlp.c_proj"],
                             modules_to_save=["lm_head"], fan_in_fan_out=True,
                             task_type="CAUSAL_LM")
    model = peft.get_peft_model(base, config).eval()
    randomise(model, generator)
    model.save_pretrained(folder / "head")
    golden = {"sequences": SEQUENCES, "learning_rate": RATE}
    with torch.no_grad():
        golden["logits"] = [model(torch.tensor([s])).logits[0, -1].tolist() for s in SEQUENCES]
    loss_of(model).backward()
    # Of the head the rows of a few tokens that occur.
    head = base.lm_head.modules_to_save["default"].weight.grad
    golden["head_gradient"] = {str(token): head[token].tolist() for token in (105, 104, 255, 7, 0)}
    golden["losses"] = train(model, weight_decay=0.1)
    for page in folder.glob("head/README.md"):
        page.unlink()
    (folder / "head.json").write_text(json.dumps(golden) + "\n")


def reward_golden(folder, generator):
    base = transformers.AutoModelForSequenceClassification.from_pretrained(
        BASE, num_labels=1, dtype=torch.float32, attn_implementation="eager", pad_token_id=PAD)
    config = peft.LoraConfig(r=2, lora_alpha=4, target_modules=["attn.c_proj", "c_attn"],
                             fan_in_fan_out=True, task_type="SEQ_CLS")
    model = peft.get_peft_model(base, config).eval()
    randomise(model, generator)
    model.save_pretrained(folder / "reward")
    with torch.no_grad():
        return {"rewards": [model(torch.tensor([s])).logits[0, 0].item() for s in SEQUENCES]}


def golden(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(5)
    torch.manual_seed(6)
    result = {"sequences": SEQUENCES} | language_golden(folder, generator)
    result |= reward_golden(folder, generator)
    for page in folder.glob("*/README.md"):
        page.unlink()
    (folder / "golden.json").write_text(json.dumps(result) + "\n")
    head_golden(folder)


def probe(binary, folder, sequences):
    with tempfile.TemporaryDirectory() as place:
        asked, out = pathlib.Path(place) / "asked.json", pathlib.Path(place) / "out.safetensors"
        asked.write_text(json.dumps(sequences))
        subprocess.run([binary, "run", folder, asked, "1", out], check=True)
        return safetensors.torch.load_file(out)


def check(binary, folder, *merged):
    config = peft.PeftConfig.from_pretrained(folder)
    scalar = config.task_type == "SEQ_CLS"
    kind = (transformers.AutoModelForSequenceClassification if scalar
            else transformers.AutoModelForCausalLM)
    base = kind.from_pretrained(config.base_model_name_or_path, dtype=torch.float32,
                                attn_implementation="eager", **({"num_labels": 1} if scalar else {}))
    rows, longest = base.config.vocab_size, min(base.config.n_positions, 40)
    model = peft.PeftModel.from_pretrained(base, folder).eval()
    generator = torch.Generator().manual_seed(7)
    sequences = [torch.randint(0, rows, (n,), generator=generator).tolist()
                 for n in (1, 2, 9, longest)]

    def compute(of):
        with torch.no_grad():
            if scalar:
                return [of.score(of.transformer(torch.tensor([s]))[0])[0] for s in sequences]
            return [of(torch.tensor([s])).logits[0] for s in sequences]

    inner = model.base_model.model
    with model.disable_adapter():
        without = compute(inner)
    expected = compute(inner)
    moved = max((a - b).abs().max().item() for a, b in zip(expected, without))
    own_merge = compute(model.merge_and_unload())
    worst = {}
    for place in (folder, *merged):
        ours = probe(binary, place, sequences)
        name = "values" if scalar else "logits"
        worst[place] = max((ours[f"{name}.{i}"] - e).abs().max().item()
                           for i, e in enumerate(expected))
    worst["PEFT's merge"] = max((a - b).abs().max().item() for a, b in zip(own_merge, expected))
    print(f"the adapter moves {'values' if scalar else 'logits'} by up to {moved:.3g}; "
          f"differences from PEFT: {worst}")
    assert moved > 1e-3 and max(worst.values()) < 1e-4 * max(1, moved)


if sys.argv[1] == "golden":
    golden(pathlib.Path(sys.argv[2]))
elif sys.argv[1] == "head":
    head_golden(pathlib.Path(sys.argv[2]))
else:
    check(*sys.argv[2:])
