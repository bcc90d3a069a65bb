"""Writes the golden files of tests/tokenizer_test.cpp from independent implementations:

  tokenizer_gpt2.json     texts and their ids under GPT-2's vocabulary, by tiktoken
  tokenizer_trained.json  a corpus and the merges learnt from it, by Hugging Face's tokenizers

Usage: tokenizer_oracle.py <folder with GPT-2's vocab.json and merges.txt> <tests/data>
"""

import json
import pathlib
import random
import sys

import tiktoken
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def byte_of_character():
    """GPT-2's spelling of bytes as printable characters, inverted."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in kept]
    return {chr(byte): byte for byte in kept} | {chr(256 + i): b for i, b in enumerate(others)}


def gpt2_encoding(folder):
    table = byte_of_character()
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    eos = vocabulary.pop("<|endoftext|>")
    ranks = {bytes(table[c] for c in token): rank for token, rank in vocabulary.items()}
    return tiktoken.Encoding(
        "gpt2", pat_str=GPT2_PATTERN, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": eos}
    )


HAND_WRITTEN = [
    "", " ", "  ", "   ", "\n", "\n\n", " \n", "\n ", "\t", "\r\n", "a", " a", "  a", "   a",
    "a ", "a  ", "a   b", "a\nb", "a\n\nb", "a \n b", "a\n \nb", "\n\n\na", "\t\ta\t", " \t x",
    "Hello, world!", "The quick brown fox jumps over the lazy dog.",
    "I'm you're he's she'd we'll they've don't", "I'M YOU'RE HE'S SHE'D WE'LL THEY'VE DON'T",
    "'s 't 're 've 'm 'll 'd", "''s '''s 'sss 'lll 'rex 'l 'v 'r '", "it' s it's' 's's",
    "\u2019s don\u2019t",
    "x's\n't", " 's", "rock'n'roll 'tis o'clock 'twas", "1 22 333 4444 55555 1,000.00 3.14159",
    "a1b2c3 1st 2nd",
    "<|endoftext|>", "<|pad|>", "a<|endoftext|>b <|endoftext|>", "<|im_start|>user\nhi<|im_end|>",
    "def f(x):\n    return x ** 2  # square\n\n\nclass A:\n\tpass\n", "if (a&&b) { c[i]->d++; }",
    "https://example.org/a_b-c?d=e&f=%20#g", "user@example.org", "C:\\folder\\file.txt",
    '{"a": [1, 2.5e-3, null]}',
    "你好，世界！", "今天天气很好，我们去公园散步吧。", "很快，好吃，味道足，量大", "床前明月光，疑是地上霜。举头望明月，低头思故乡。",
    "中文 and English 混合 text 123 测试", "日本語のテキスト、カタカナ ひらがな", "한국어 문장입니다.", "Привет, мир! Как дела?",
    "مرحبا بالعالم", "שלום עולם", "नमस्ते दुनिया", "สวัสดีชาวโลก", "Γειά σου Κόσμε",
    "Tiếng Việt có dấu", "Zażółć gęślą jaźń",
    "😀", "😀😃😄 😁", "👨‍👩‍👧‍👦 family", "🇩🇪🇫🇷", "👍🏽 ok", "❤️", "a😀b 1😀2", "e\u0301 cafe\u0301 café",
    "\u0301\u0301 x",
    "x\u00a0y", "x\u2003y", "\u3000全角　空白", "a\u2028b\u2029c", "a\u0085b", "a\u180eb",
    "a\u200bb\u200d", "\ufeffbom", "a\u1680b",
    "\x00", "a\x00b", "\x01\x02\x03", "\x1b[31mred\x1b[0m", "\x1c\x1d\x1e\x1f", "a\x0bb\x0cc",
    "\x7f\x80\x9f", "\x07bell",
    "½ ² Ⅳ ① ٣ 四 १२३ 𝟙𝟚", "𝓗𝓮𝓵𝓵𝓸 𐍈", "ﬁ ŉ ǆ ß ẞ İ ı", "ªº ⁿ", "ːˈ ʰ", "\ufffd \uffff",
    "\U0010ffff", "\U000e0001",
    "...", "!!!???", "--- *** ===", "$100 €50 £20 ¥1000", "a, b; c: d.", "(a) [b] {c} <d>",
    "~`@#$%^&*_+|", "100% #1 @me",
    " " * 100, "\n" * 50, "a" * 300, "ab" * 200, "=" * 200, "1" * 100, "哈" * 80, "😀" * 30,
    "lo" + "o" * 400 + "ng",
    "abcdefghijklmnopqrstuvwxyz" * 40, " " * 20 + "x" + " " * 20, ("word " * 50).strip(),
    "Supercalifragilisticexpialidocious",
    "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n",
]


def random_texts(count):
    generator = random.Random(1)
    alphabets = [
        "abcdefghij ' 'sdmtlvre", "aA1 \n\t.", "ab  \n\n\r\t\u00a0\u3000", "0123456789,. ",
        "的一是不了人我在有他 ，。",
        "é\u0301ñß Ω жЯ", "😀👍🏽\u200d❤️ a1", "".join(map(chr, range(0, 0x180))), "<|endoftext|> ",
    ]
    for i in range(count):
        alphabet = alphabets[i % len(alphabets)]
        yield "".join(generator.choice(alphabet) for _ in range(generator.randint(1, 40)))


def training_corpus():
    generator = random.Random(2)
    words = "the cat sat on a mat and then that rat ran at 3 o'clock; it's 'banana'".split()
    words += "aaaa aaaaaaa 好好吃 很好吃 味道很好".split()
    lines = [" ".join(generator.choices(words, k=generator.randint(3, 12))) for _ in range(60)]
    code = "abababab " * 5 + "\n    indented\n    indented"
    return ["\n".join(lines[:30]), "\n\n".join(lines[30:]), code]


def learn(corpus, size):
    """The merges of a byte-level trainer without special tokens, as ids; bytes have ids 0 to 255."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(corpus, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    return [[model["vocab"][left], model["vocab"][right]] for left, right in pairs]


def write_json(path, rows):
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    path.write_text(f"[\n{lines}\n]\n", encoding="ascii")


def main():
    gpt2, out = map(pathlib.Path, sys.argv[1:])
    encoding = gpt2_encoding(gpt2)
    texts = [*HAND_WRITTEN, *random_texts(90)]
    write_json(
        out / "tokenizer_gpt2.json",
        [{"text": text, "ids": encoding.encode_ordinary(text)} for text in texts],
    )
    corpus = training_corpus()
    write_json(out / "tokenizer_trained.json", [{"corpus": corpus, "merges": learn(corpus, 2000)}])
    print(f"{len(texts)} texts")


if __name__ == "__main__":
    main()
