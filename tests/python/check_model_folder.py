"""Loads a model folder that `rlhf` wrote with transformers and compares what both compute.

    python tests/python/check_model_folder.py build/default/bin/rlhf runs/lm "Once upon"
    python tests/python/check_model_folder.py build/default/bin/rlhf runs/rm labels.jsonl

A language model continues the text greedily; a reward model is compared by its loss on the rows of
text and label. Run by hand: it needs torch and transformers.
"""

import json
import subprocess
import sys

import torch
import transformers


def rlhf(binary, *arguments):
    output = subprocess.run([binary, *arguments, "--json"], check=True, capture_output=True)
    return json.loads(output.stdout)


def ids_of(tokens, text):
    """Character vocabularies have no class in transformers: their vocab.json is looked up."""
    vocabulary = json.load(open(f"{tokens}/vocab.json", encoding="utf-8"))
    kind = json.load(open(f"{tokens}/tokenizer_config.json", encoding="utf-8"))["tokenizer_class"]
    if kind == "CharTokenizer":
        return [vocabulary[character] for character in text]
    return transformers.GPT2Tokenizer.from_pretrained(tokens).encode(text)


def check_language_model(binary, folder, text):
    model, report = transformers.AutoModelForCausalLM.from_pretrained(
        folder, output_loading_info=True)
    ours = rlhf(binary, "generate", "--model_name_or_path", folder, "--prompt", text,
                "--temperature", "0", "--max_new_tokens", "12")["results"][0]
    ids, worst = ids_of(folder, text), 0.0
    for token, log_prob in zip(ours["tokens"], ours["log_probs"]):
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1]
        assert int(logits.argmax()) == token, (int(logits.argmax()), token)
        worst = max(worst, abs(float(logits.log_softmax(-1)[token]) - log_prob))
        ids.append(token)
    return report, f"{len(ours['tokens'])} greedy tokens equal, log-probs within {worst:.1e}", worst


def check_reward_model(binary, folder, file):
    model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True)
    rows, losses = [json.loads(line) for line in open(file, encoding="utf-8")], []
    for row in rows:
        ids = torch.tensor([ids_of(folder, row["text"]) + [model.config.eos_token_id]])
        with torch.no_grad():
            reward = model(ids).logits[0, 0]
        losses.append(torch.nn.functional.binary_cross_entropy_with_logits(
            reward, torch.tensor(float(row["label"]))))
    loss = float(torch.stack(losses).mean())
    ours = rlhf(binary, "eval", "--model_name_or_path", folder, "--dataset_name", file)["val_loss"]
    return report, f"loss of {len(rows)} rows {ours:.6f}, theirs {loss:.6f}", abs(ours - loss)


def main():
    binary, folder, text = sys.argv[1:]
    architecture = json.load(open(f"{folder}/config.json", encoding="utf-8"))["architectures"][0]
    check = check_language_model if architecture == "GPT2LMHeadModel" else check_reward_model
    report, message, difference = check(binary, folder, text)
    problems = {name: found for name, found in report.items() if found}
    print(message, "; loading:", problems or "every tensor found its place")
    sys.exit(bool(problems) or difference > 1e-4)


main()
