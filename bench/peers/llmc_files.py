#!/usr/bin/env python3
"""Writes what llm.c's train_gpt2 reads, with random weights and tokens: speed does not depend on what
they say.

    python3 bench/peers/llmc_files.py ~/llm.c

gpt2_124M.bin: a header of 256 int32 (magic, version 3, positions, vocabulary, layers, heads, channels,
rows of the embedding), then all parameters in float. dev/data/tinyshakespeare/*.bin: a header of 256
int32 (magic, version 1, tokens), then the tokens as uint16. Files that are there are kept."""

import array
import pathlib
import random
import sys

POSITIONS, VOCABULARY, LAYERS, HEADS, CHANNELS, ROWS = 1024, 50257, 12, 12, 768, 50304
BLOCK = 1 << 20  # weights drawn anew; what is larger repeats them
TOKENS = 1 << 17


def parameter_tensors():
    """(floats, whether it is a norm's weight) of each, in the file's order."""
    L, C = LAYERS, CHANNELS
    yield ROWS * C, False
    yield POSITIONS * C, False
    yield L * C, True    # first norm
    yield L * C, False
    yield L * 3 * C * C, False
    yield L * 3 * C, False
    yield L * C * C, False
    yield L * C, False
    yield L * C, True    # second norm
    yield L * C, False
    yield L * 4 * C * C, False
    yield L * 4 * C, False
    yield L * 4 * C * C, False
    yield L * C, False
    yield C, True        # last norm
    yield C, False


def write(path, header, parts):
    if path.exists():
        print(f"kept {path}")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        array.array("i", header + [0] * (256 - len(header))).tofile(file)
        for part in parts:
            part.tofile(file)
    print(f"wrote {path}")


def weights():
    drawn = array.array("f", (random.gauss(0, 0.02) for _ in range(BLOCK)))
    ones = array.array("f", [1.0]) * BLOCK
    for count, is_norm in parameter_tensors():
        block = ones if is_norm else drawn
        for _ in range(count // BLOCK):
            yield block
        yield block[:count % BLOCK]


def main():
    if len(sys.argv) != 2 or not pathlib.Path(sys.argv[1]).is_dir():
        sys.exit(f"llmc_files.py: [arguments] expected llm.c's folder, got {sys.argv[1:]}")
    folder = pathlib.Path(sys.argv[1])
    random.seed(1)
    write(folder / "gpt2_124M.bin",
          [20240326, 3, POSITIONS, VOCABULARY, LAYERS, HEADS, CHANNELS, ROWS], weights())
    for name in ("train", "val"):
        tokens = array.array("H", (random.randrange(VOCABULARY) for _ in range(TOKENS)))
        write(folder / "dev/data/tinyshakespeare" / f"tiny_shakespeare_{name}.bin",
              [20240520, 1, TOKENS], [tokens])


if __name__ == "__main__":
    main()
