"""Model folders both ways: what transformers writes we read, what we write transformers reads, and
both compute the same.

    python tests/python/hf_roundtrip.py build/default/bin [--size tiny|124m] [--tokenizer DIR]

Random weights, moved far from their initialisation so that biases, norms and attention matter.
The folders are written by transformers in float32, float16, bfloat16 and float64, in shards,
without the `transformer.` prefix, with a padded vocabulary; each is run by `model_probe` and once
more after we have written it ourselves. Exits 1 when a logit or a reward differs by more than
1e-4, or a greedy token at all. The tokenizer is any folder with vocab.json and merges.txt;
without one a folder of the 256 bytes is made. Run by hand: it needs torch and transformers; 124m
takes about 6 GB and minutes.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file, save_file

from hf_folders import byte_tokenizer, perturb, prompts_of, shape_of

LIMIT = 1e-4


class Check:
    """Runs a folder here and there, and keeps the worst difference of each case."""

    def __init__(self, binaries, work, new_tokens):
        self.probe, self.rlhf = f"{binaries}/model_probe", f"{binaries}/rlhf"
        self.work, self.new_tokens, self.failures = work, new_tokens, 0

    def run(self, folder, sequences):
        asked, out = self.work / "sequences.json", self.work / "out.safetensors"
        asked.write_text(json.dumps(sequences))
        subprocess.run([self.probe, "run", folder, asked, str(self.new_tokens), out], check=True)
        return load_file(out)

    def copy(self, folder):
        target = self.work / "ours"
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run([self.probe, "copy", folder, target], check=True)
        return target

    def report(self, name, worst, detail=""):
        bad = not worst <= LIMIT
        self.failures += bad
        verdict = "FAILED" if bad else "ok"
        print(f"{verdict:6} {name:46} max difference {worst:.2e}  {detail}", flush=True)

    def fail(self, name, detail):
        self.failures += 1
        print(f"FAILED {name:46} {detail}", flush=True)


def loaded(kind, folder, check, name):
    """With transformers; a tensor that is missing, extra or reshaped fails the case."""
    model, info = kind.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    problems = {key: value for key, value in info.items() if value}
    if problems:
        check.fail(name, f"transformers says {problems}")
    return model.eval()


def language_case(check, name, folder, sequences, ids, model=None):
    """`ids`: how many ids the tokenizer has; transformers must not answer with a padding row."""
    model = model or loaded(transformers.AutoModelForCausalLM, folder, check, name)
    ours, worst, close, wrong = check.run(folder, sequences), 0.0, 0, 0
    for i, sequence in enumerate(sequences):
        answer = ours[f"greedy.{i}"].to(torch.int64)
        wrong += len(answer) != min(check.new_tokens, model.config.n_positions - len(sequence))
        # Each of our tokens, given those before it, must be their best one: one pass shows all.
        with torch.no_grad():
            logits = model(torch.tensor([sequence + answer.tolist()])).logits[0]
        worst = max(worst, float((logits[:len(sequence)] - ours[f"logits.{i}"]).abs().max()))
        best = logits[len(sequence) - 1:-1, :ids].topk(2)
        wrong += int((best.indices[:, 0] != answer).sum())
        close += int((best.values[:, 0] - best.values[:, 1] < 10 * LIMIT).sum())
    if wrong:
        check.fail(name, f"{wrong} greedy tokens differ, {close} of them were close to a tie")
    check.report(name, worst, f"greedy tokens equal: {len(sequences)} x {check.new_tokens}")


def generate_case(check, name, folder, sequences, eos):
    """transformers' own generate, each prompt alone, against ours from one batch."""
    model = loaded(transformers.AutoModelForCausalLM, folder, check, name)
    ours, wrong = check.run(folder, sequences), 0
    for i, sequence in enumerate(sequences):
        room = min(check.new_tokens, model.config.n_positions - len(sequence))
        out = model.generate(torch.tensor([sequence]), max_new_tokens=room, do_sample=False,
                             attention_mask=torch.ones(1, len(sequence), dtype=torch.long),
                             eos_token_id=None, pad_token_id=eos)[0, len(sequence):]
        wrong += out.tolist() != ours[f"greedy.{i}"].to(torch.int64).tolist()
    check.report(name, float(wrong), "sequences of model.generate that differ")


def command_case(check, name, folder, text="The matrix product"):
    """From text to text by `rlhf generate`: ids of the prompt, greedy tokens, log-probabilities."""
    model = loaded(transformers.AutoModelForCausalLM, folder, check, name)
    command = [check.rlhf, "generate", "--model_name_or_path", folder, "--prompt", text,
               "--temperature", "0", "--max_new_tokens", str(check.new_tokens), "--json"]
    output = subprocess.run(command, check=True, capture_output=True).stdout
    ours = json.loads(output)["results"][0]
    prompt = transformers.GPT2Tokenizer.from_pretrained(folder).encode(text)
    with torch.no_grad():
        logits = model(torch.tensor([prompt + ours["tokens"]])).logits[0, len(prompt) - 1:-1]
    if logits.argmax(-1).tolist() != ours["tokens"]:
        check.fail(name, "greedy tokens differ")
    log_probs = logits.log_softmax(-1).gather(1, torch.tensor(ours["tokens"])[:, None])[:, 0]
    worst = float((log_probs - torch.tensor(ours["log_probs"])).abs().max())
    check.report(name, worst, f"log-probabilities of {len(ours['tokens'])} greedy tokens")


def scalar_case(check, name, folder, sequences):
    """One right-padded batch there, one here; rewards with gain and bias, values at every token."""
    kind = transformers.AutoModelForSequenceClassification
    model = loaded(kind, folder, check, name)
    if model.config.pad_token_id is None or model.num_labels != 1:
        return check.fail(name, "expected a pad token and one label")
    longest = max(map(len, sequences))
    padded = torch.tensor([s + [model.config.pad_token_id] * (longest - len(s)) for s in sequences])
    mask = torch.tensor([[1] * len(s) + [0] * (longest - len(s)) for s in sequences])
    gain = getattr(model.config, "reward_gain", 1.0)
    bias = getattr(model.config, "reward_bias", 0.0)
    ours = check.run(folder, sequences)
    with torch.no_grad():
        rewards = gain * model(padded, attention_mask=mask).logits[:, 0] + bias
        worst = float((rewards - ours["rewards"]).abs().max())
        for i, sequence in enumerate(sequences):
            values = model.score(model.transformer(torch.tensor([sequence])).last_hidden_state)[0]
            worst = max(worst, float((values - ours[f"values.{i}"]).abs().max()))
    check.report(name, worst, f"batch of {len(sequences)}, gain {gain}, bias {bias}")


def written(work, name, model, tokenizer, **options):
    folder = work / name
    model.save_pretrained(folder, **options)
    for file in ("vocab.json", "merges.txt"):
        shutil.copy(tokenizer / file, folder)
    return folder


def edit_tensors(folder, edit):
    file = folder / "model.safetensors"
    save_file({n: t.contiguous() for n, t in edit(load_file(file)).items()}, file,
              metadata={"format": "pt"})


def edit_config(folder, **changes):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def language_models(check, work, size, tokenizer, generator):
    shape, ids = shape_of(size, tokenizer)
    sequences = prompts_of(ids, shape["n_positions"], generator)
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**shape)).eval()
    perturb(model, generator)
    plain = written(work, "plain", model, tokenizer)
    language_case(check, "float32", plain, sequences, ids)
    generate_case(check, "float32, model.generate", plain, sequences, ids - 1)
    ours = check.copy(plain)
    language_case(check, "float32, written by us", ours, sequences, ids)
    command_case(check, "rlhf generate", ours)

    one, two = check.run(plain, sequences), check.run(ours, sequences)
    check.report("float32, ours of theirs and ours of ours",
                 max(float((one[n] - two[n]).abs().max()) for n in one), "bit for bit: 0")

    shards = written(work, "shards", model, tokenizer,
                     max_shard_size="100MB" if size == "124m" else "40KB")
    count = len(list(shards.glob("model-*.safetensors")))
    language_case(check, f"{count} shards", shards, sequences, ids)
    shutil.rmtree(shards)

    bare = written(work, "bare", model, tokenizer)
    edit_tensors(bare, lambda tensors: {
        n.removeprefix("transformer."): t for n, t in tensors.items()} | {
        "h.0.attn.bias": torch.ones(1, 1, 8, 8), "h.0.attn.masked_bias": torch.tensor(-1e4),
        "lm_head.weight": tensors["transformer.wte.weight"].clone()})
    language_case(check, "without prefix, with masks and tied head", bare, sequences, ids, model)
    shutil.rmtree(bare)

    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        name = str(dtype).removeprefix("torch.")
        folder = written(work, name, model.to(dtype), tokenizer)
        language_case(check, name, folder, sequences, ids)
        shutil.rmtree(folder)
        model.to(torch.float32)

    wide = transformers.GPT2Config(**(shape | {"vocab_size": (ids + 63) // 64 * 64}))
    padded = transformers.GPT2LMHeadModel(wide).eval()
    perturb(padded, generator)
    folder = written(work, "padded", padded, tokenizer)
    language_case(check, f"{wide.vocab_size} rows for {ids} ids", folder, sequences, ids)
    language_case(check, "the same, written by us", check.copy(folder), sequences, ids)
    edit_config(folder, activation_function="gelu_pytorch_tanh", n_inner=4 * wide.n_embd)
    language_case(check, "gelu_pytorch_tanh, n_inner given", folder, sequences, ids)


def scalar_models(check, work, size, tokenizer, generator):
    shape, ids = shape_of(size, tokenizer)
    sequences = prompts_of(ids, shape["n_positions"], generator)
    # Two that a reader which takes the end token for padding would cut short.
    sequences += [sequences[0] + [ids - 1], sequences[0] + [ids - 1, ids - 1]]
    config = transformers.GPT2Config(**(shape | {"vocab_size": ids + 1}), num_labels=1,
                                     pad_token_id=ids)
    model = transformers.GPT2ForSequenceClassification(config).eval()
    perturb(model, generator)
    folder = written(work, "reward", model, tokenizer)
    scalar_case(check, "reward model", folder, sequences)
    edit_config(folder, reward_gain=0.375, reward_bias=-1.5)
    scalar_case(check, "reward model with gain and bias", folder, sequences)
    scalar_case(check, "the same, written by us", check.copy(folder), sequences)

    # GPT-2's own vocabulary: no embedding for a pad token, until we write the folder.
    config = transformers.GPT2Config(**shape, num_labels=1)
    model = transformers.GPT2ForSequenceClassification(config).eval()
    perturb(model, generator)
    folder = written(work, "critic", model, tokenizer)
    scalar_case(check, "critic without a pad row, written by us", check.copy(folder), sequences)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--size", choices=["tiny", "124m"], default="tiny")
    parser.add_argument("--tokenizer", type=pathlib.Path)
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        tokenizer = options.tokenizer or byte_tokenizer(work / "tokenizer")
        check = Check(options.binaries, work, new_tokens=24 if options.size == "tiny" else 8)
        for part in (language_models, scalar_models):
            part(check, work, options.size, tokenizer, torch.Generator().manual_seed(5))
    print(f"{check.failures} failures")
    sys.exit(check.failures > 0)


main()
