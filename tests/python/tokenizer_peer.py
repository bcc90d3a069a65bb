"""Encodes seeded random strings with `rlhf` and with tiktoken under GPT-2's vocabulary, and counts
differences.

    python tests/python/tokenizer_peer.py build/default/bin/rlhf <folder with GPT-2's files> [count]

The strings (a million unless told otherwise) mix English, code, Chinese, other scripts, emoji,
control characters, all kinds of white space, contractions, random code points, and words from the
vocabulary glued together. Run by hand: it needs tiktoken. Exits with 1 on any difference.

Code points that Python's Unicode tables do not assign are left out: the regular expressions of
tiktoken know scripts that are newer than our tables (Unicode 15.0).
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import unicodedata

from tokenizer_oracle import HAND_WRITTEN, byte_of_character, gpt2_encoding

CHUNK = 100_000


def is_known(point):
    return not 0xD800 <= point <= 0xDFFF and unicodedata.category(chr(point)) != "Cn"


def pieces(gpt2):
    """Functions from a generator to a piece of text, in equal shares."""
    table = byte_of_character()
    words = []
    for token in json.loads((gpt2 / "vocab.json").read_text(encoding="utf-8")):
        try:
            words.append(bytes(table[c] for c in token).decode())
        except (UnicodeDecodeError, KeyError):
            pass
    known = [chr(c) for c in range(0x110000) if is_known(c)]
    spaces = [c for c in known if c.isspace()]
    scripts = [known[i:i + 64] for i in range(0, len(known), 64)]
    contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'", "''", "\u2019s", "'l"]
    han = [chr(c) for c in range(0x4E00, 0x9FA6)]
    common = "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年，。！？：、「」《》"
    emoji = [chr(c) for c in range(0x1F300, 0x1F700) if is_known(c)]
    emoji += ["\u200d", "\ufe0f", "\U0001F3FD", "\u2764\ufe0f", "\U0001F1E9\U0001F1EA"]
    return [
        lambda g: g.choice(words),
        lambda g: " " + g.choice(words).strip(),
        lambda g: "".join(g.choices(spaces, k=g.randint(1, 4))),
        lambda g: g.choice([" ", "  ", "\n", "\n\n", "\t", " \n", "\r\n", "\n ", "   "]),
        lambda g: g.choice(contractions),
        lambda g: str(g.randrange(10 ** g.randint(1, 9))),
        lambda g: "".join(g.choices("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", k=g.randint(1, 5))),
        lambda g: "".join(g.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ", k=g.randint(1, 12))),
        lambda g: "".join(g.choices(common, k=g.randint(1, 10))),
        lambda g: "".join(g.choices(han, k=g.randint(1, 6))),
        lambda g: "".join(g.choices(emoji, k=g.randint(1, 4))),
        lambda g: "".join(g.choices(known, k=g.randint(1, 4))),
        lambda g: "".join(g.choices(g.choice(scripts), k=g.randint(1, 8))),
        lambda g: "".join(chr(g.randint(0, 0x1F)) for _ in range(g.randint(1, 3))),
        lambda g: g.choice(["<|endoftext|>", "<|pad|>", "<|im_start|>"]),
        lambda g: g.choice("abIl '.-=好😀") * g.choice([2, 5, 17, 40, 130]),
    ]


def strings(gpt2, count):
    yield from filter(None, HAND_WRITTEN)
    kinds, generator = pieces(gpt2), random.Random(7)
    for _ in range(count):
        some = generator.choices(kinds, k=generator.randint(1, 4))
        yield "".join(generator.choice(some)(generator) for _ in range(generator.randint(1, 9)))


def encode_ours(binary, gpt2, texts):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in texts)
        file.flush()
        output = subprocess.run(
            [binary, "tokenizer", "encode", "--tokenizer", gpt2, "--dataset_name", file.name],
            check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in output.stdout.splitlines()]


def main():
    binary, gpt2 = sys.argv[1], pathlib.Path(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
    encoding = gpt2_encoding(gpt2)
    long_words = [letter * 100_000 for letter in "a1. 好"] + ["ab" * 100_000, " " * 99_999 + "x"]
    compared = different = tokens = 0
    start = time.time()

    def compare(texts):
        nonlocal compared, different, tokens
        for text, ours in zip(texts, encode_ours(binary, gpt2, texts), strict=True):
            theirs = encoding.encode_ordinary(text)
            compared, tokens = compared + 1, tokens + len(theirs)
            if ours != theirs:
                different += 1
                if different <= 10:
                    print(f"{text[:80]!r}: expected {theirs[:40]}, got {ours[:40]}")

    batch = long_words
    for text in strings(gpt2, count):
        batch.append(text)
        if len(batch) >= CHUNK:
            compare(batch)
            batch = []
    compare(batch)
    print(f"{compared} strings, {tokens} tokens, {different} differences, "
          f"{time.time() - start:.0f} s")
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
