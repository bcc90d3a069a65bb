"""Writes tests/data/untied_golden/: a language model with a head of its own, as transformers saves
it (tie_word_embeddings false, lm_head.weight beside the embedding), and what it computes with it.

    python tests/python/untied_head_oracle.py tests/data/untied_golden
"""

import json
import pathlib
import shutil
import sys

import torch
import transformers

from hf_folders import byte_tokenizer, perturb

IDS, NEW_TOKENS = 257, 12
SHAPE = {"n_positions": 24, "n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": IDS,
         "bos_token_id": IDS - 1, "eos_token_id": IDS - 1, "attn_implementation": "eager"}
SEQUENCES = [[72, 105], [256], [84, 104, 101, 32, 109, 97, 116, 114, 105, 120], [0, 255, 7, 7]]


def greedy(model, sequence):
    continued = list(sequence)
    for _ in range(NEW_TOKENS):
        best = model(torch.tensor([continued])).logits[0, -1].topk(2)
        assert best.values[0] - best.values[1] > 1e-4, "too close to call in single precision"
        continued.append(int(best.indices[0]))
    return continued[len(sequence):]


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    config = transformers.GPT2Config(tie_word_embeddings=False, **SHAPE)
    torch.manual_seed(6)
    model = transformers.GPT2LMHeadModel(config).eval()
    perturb(model, torch.Generator().manual_seed(6))
    assert model.lm_head.weight is not model.transformer.wte.weight
    model.half().save_pretrained(folder)
    tokenizer = byte_tokenizer(folder / "tokenizer")
    for file in tokenizer.iterdir():
        shutil.copy(file, folder)
    shutil.rmtree(tokenizer)

    # What it says of its own file whose config.json claims a tied head: the file's head counts.
    claimed = folder / "claimed"
    shutil.copytree(folder, claimed)
    text = json.loads((claimed / "config.json").read_text())
    (claimed / "config.json").write_text(json.dumps(text | {"tie_word_embeddings": True}))
    other = transformers.GPT2LMHeadModel.from_pretrained(claimed, dtype=torch.float64)
    shutil.rmtree(claimed)

    model.double()
    with torch.no_grad():
        ids = torch.tensor([SEQUENCES[2]])
        own = model(ids).logits
        assert torch.allclose(other(ids).logits, own), "a claim of config.json counts after all"
        golden = {
            "transformers": transformers.__version__,
            "sequences": SEQUENCES,
            "logits": [model(torch.tensor([s])).logits[0, -1].tolist() for s in SEQUENCES],
            "tied_logits": [
                (model.transformer(torch.tensor([s])).last_hidden_state[0, -1]
                 @ model.transformer.wte.weight.T).tolist() for s in SEQUENCES],
            "greedy": [greedy(model, s) for s in SEQUENCES],
        }
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")


main()
