"""What hf_roundtrip.py and hf_goldens.py share: shapes, a tokenizer, weights and prompts."""

import json

import torch

SHAPES = {
    "tiny": {"n_positions": 40, "n_embd": 48, "n_layer": 3, "n_head": 4},
    "124m": {"n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12},
}


def shape_of(size, tokenizer):
    """GPT2Config's arguments for a vocabulary as large as the tokenizer's, and that number."""
    ids = len(json.loads((tokenizer / "vocab.json").read_text(encoding="utf-8")))
    special = {"bos_token_id": ids - 1, "eos_token_id": ids - 1}
    return SHAPES[size] | special | {"vocab_size": ids, "attn_implementation": "eager"}, ids


def byte_tokenizer(folder):
    """GPT-2's spelling of the 256 bytes and the end token, no merges."""
    printable = [*range(0x21, 0x7f), *range(0xa1, 0xad), *range(0xae, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    spelling = [chr(byte) for byte in printable] + [chr(0x100 + i) for i in range(len(others))]
    folder.mkdir()
    vocabulary = {token: i for i, token in enumerate([*spelling, "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return folder


def perturb(model, generator):
    """Adds noise, so that norms are not 1, biases not 0, and blocks say more than the embedding: a
    tied head otherwise answers each token with itself."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            scale = 0.1
            if parameter.dim() == 2 and "wpe" not in name:
                scale = parameter.shape[0] ** -0.5 if ".h." in name else float(parameter.std())
            parameter.add_(scale * torch.randn(parameter.shape, generator=generator))


def prompts_of(ids, n_positions, generator):
    """Several lengths, from one token to all positions but two."""
    lengths = [1, 2, 7, 19, n_positions // 2, min(n_positions, 300) - 2]
    return [torch.randint(0, ids - 1, (n,), generator=generator).tolist() for n in lengths]
