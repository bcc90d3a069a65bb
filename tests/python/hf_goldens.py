"""Writes tests/data/hf_golden/: two small folders as transformers saves them, and what it computes.

    python tests/python/hf_goldens.py tests/data/hf_golden

`language` is in float16 and two shards, its embedding padded beyond the tokenizer's ids so that the
best token is now and then one that does not exist; `reward` is in float32 with a gain and a bias.
"""

import json
import pathlib
import shutil
import sys

import torch
import transformers

from hf_folders import byte_tokenizer, perturb

IDS, ROWS, POSITIONS, NEW_TOKENS = 257, 288, 24, 12
SHAPE = {"n_positions": POSITIONS, "n_embd": 16, "n_layer": 2, "n_head": 2,
         "bos_token_id": IDS - 1, "eos_token_id": IDS - 1, "attn_implementation": "eager"}
SEQUENCES = [[72, 105], [256], [84, 104, 101, 32, 109, 97, 116, 114, 105, 120], [0, 255, 7, 7]]
GAIN, BIAS = 0.375, -1.5


def greedy(model, sequence):
    """Among the tokenizer's ids; and how often a padding row would have been taken instead."""
    continued, padding = list(sequence), 0
    for _ in range(NEW_TOKENS):
        logits = model(torch.tensor([continued])).logits[0, -1]
        best = logits[:IDS].topk(2)
        assert best.values[0] - best.values[1] > 1e-4, "too close to call in single precision"
        padding += int(logits.argmax()) >= IDS
        continued.append(int(best.indices[0]))
    return continued[len(sequence):], padding


def language_model(folder, tokenizer, generator):
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=ROWS, **SHAPE)).eval()
    perturb(model, generator)
    model.half().save_pretrained(folder / "language", max_shard_size="12KB")
    assert len(list((folder / "language").glob("model-*.safetensors"))) == 2
    for file in tokenizer.iterdir():
        shutil.copy(file, folder / "language")
    model.double()
    answers = [greedy(model, sequence) for sequence in SEQUENCES]
    assert sum(padding for _, padding in answers) > 0, "no padding row was ever the best"
    return {"logits": [model(torch.tensor([s])).logits[0, -1].tolist() for s in SEQUENCES],
            "greedy": [tokens for tokens, _ in answers]}


def reward_model(folder, tokenizer, generator):
    config = transformers.GPT2Config(vocab_size=IDS + 1, num_labels=1, pad_token_id=IDS, **SHAPE)
    model = transformers.GPT2ForSequenceClassification(config).eval()
    perturb(model, generator)
    model.config.reward_gain, model.config.reward_bias = GAIN, BIAS
    model.save_pretrained(folder / "reward")
    for file in tokenizer.iterdir():
        shutil.copy(file, folder / "reward")
    longest = max(map(len, SEQUENCES))
    ids = torch.tensor([s + [IDS] * (longest - len(s)) for s in SEQUENCES])
    scores = model.double()(ids, attention_mask=(ids != IDS).long()).logits[:, 0]
    return {"rewards": (GAIN * scores + BIAS).tolist()}


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tokenizer = byte_tokenizer(folder / "tokenizer")
    generator = torch.Generator().manual_seed(4)
    golden = {"sequences": SEQUENCES}
    with torch.no_grad():
        golden |= language_model(folder, tokenizer, generator)
        golden |= reward_model(folder, tokenizer, generator)
    shutil.rmtree(tokenizer)
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")


main()
