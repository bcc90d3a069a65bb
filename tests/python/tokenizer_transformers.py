"""Tokenizer folders between `rlhf` and transformers, in both directions.

    python tests/python/tokenizer_transformers.py golden tests/data/tokenizer_transformers
    python tests/python/tokenizer_transformers.py check build/default/bin/rlhf <GPT-2's folder>

`golden` writes what tests/tokenizer_json_test.cpp reads: a folder as transformers saves it, with
nothing but tokenizer.json and tokenizer_config.json, and texts with their ids. `check` is run by
hand: AutoTokenizer loads folders that `rlhf tokenizer train` wrote, `rlhf` loads folders that
transformers saved, and both encode the same strings to the same ids. Exits with 1 on a difference.
"""

import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from tokenizer_oracle import HAND_WRITTEN, random_texts, training_corpus
from tokenizer_peer import strings

CHAT = ["<|im_start|>", "<|im_end|>"]


def trained_by_tokenizers():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(training_corpus(), trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>",
                                   pad_token="<|pad|>")
    fast.add_special_tokens({"additional_special_tokens": CHAT})
    return fast


def ordinary_ids(tokenizer, text):
    """What a text encodes to when none of it counts as a special token."""
    return tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)


def write_golden(folder):
    tokenizer = trained_by_tokenizers()
    shutil.rmtree(folder, ignore_errors=True)
    tokenizer.save_pretrained(folder)
    texts = [text for text in [*HAND_WRITTEN, *random_texts(40)] if len(text) < 200]
    golden = {
        "specials": {name: tokenizer.convert_tokens_to_ids(name)
                     for name in ["<|endoftext|>", "<|pad|>", *CHAT]},
        "cases": [{"text": text, "ids": ordinary_ids(tokenizer, text)} for text in texts],
    }
    (folder / "cases.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{len(texts)} texts, {sorted(path.name for path in folder.iterdir())}")


def encode_ours(binary, folder, texts):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in texts)
        file.flush()
        output = subprocess.run([binary, "tokenizer", "encode", "--tokenizer", folder,
                                 "--dataset_name", file.name], check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in output.stdout.splitlines()]


def compare(what, binary, folder, tokenizer, texts):
    ours = encode_ours(binary, folder, texts)
    different = sum(a != ordinary_ids(tokenizer, text)
                    for a, text in zip(ours, texts, strict=True))
    undecoded = sum(tokenizer.decode(ids, clean_up_tokenization_spaces=False) != text
                    for ids, text in zip(ours, texts) if "\ufffd" not in text)
    print(f"{what}: {type(tokenizer).__name__}, {len(tokenizer)} tokens, {len(texts)} texts, "
          f"{different} encoded otherwise, {undecoded} decoded otherwise", flush=True)
    return different + undecoded


def check(binary, gpt2):
    different = 0
    texts = list(strings(gpt2, 5000))
    with tempfile.TemporaryDirectory() as name:
        at = pathlib.Path(name)
        corpus = at / "corpus.txt"
        corpus.write_text("\n".join(training_corpus()), encoding="utf-8")
        for kind in ["bpe", "char"]:
            folder = at / f"ours-{kind}"
            subprocess.run([binary, "tokenizer", "train", "--dataset_name", corpus, "--kind", kind,
                            "--vocab_size", "400", "--special_tokens", ",".join(CHAT),
                            "--output_dir", folder], check=True, stdout=subprocess.DEVNULL)
            tokenizer = AutoTokenizer.from_pretrained(folder)
            assert tokenizer.is_fast
            assert tokenizer.eos_token == "<|endoftext|>" and tokenizer.pad_token == "<|pad|>"
            size = len(tokenizer)
            assert tokenizer.convert_tokens_to_ids(CHAT) == [size - 2, size - 1]
            assert tokenizer.encode("".join(CHAT)) == [size - 2, size - 1]
            assert tokenizer.decode([size - 2, 0, size - 1], skip_special_tokens=True) == \
                tokenizer.decode([0])
            known = set(corpus.read_text(encoding="utf-8"))
            generator = random.Random(3)
            some = texts if kind == "bpe" else [
                "".join(generator.choices(sorted(known), k=generator.randint(1, 60)))
                for _ in range(2000)]
            different += compare(f"{kind}, written by rlhf", binary, folder, tokenizer, some)

        saved = at / "theirs"
        trained_by_tokenizers().save_pretrained(saved)
        different += compare("saved by transformers", binary, saved,
                             AutoTokenizer.from_pretrained(saved), texts)

        source = at / "gpt2-files"
        source.mkdir()
        for file in ["vocab.json", "merges.txt"]:
            shutil.copy(gpt2 / file, source)
        (source / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2Tokenizer"}')
        tokenizer = AutoTokenizer.from_pretrained(source)
        tokenizer.add_special_tokens({"additional_special_tokens": CHAT})
        saved = at / "gpt2-saved"
        tokenizer.save_pretrained(saved)
        assert not (saved / "vocab.json").exists()
        different += compare("GPT-2 saved by transformers", binary, saved, tokenizer, texts)
    sys.exit(different > 0)


def main():
    if sys.argv[1] == "golden":
        write_golden(pathlib.Path(sys.argv[2]))
    else:
        check(sys.argv[2], pathlib.Path(sys.argv[3]))


if __name__ == "__main__":
    main()
