"""Writes tests/data/token_shards: token shards as llm.c's and nanoGPT's scripts write them, by numpy.

Usage: /opt/oracle/bin/python tests/python/token_shard_oracle.py
"""
import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "data" / "token_shards"


def llmc_shard(path, ids, magic, version, dtype):
    """The layout of karpathy/llm.c, dev/data/data_common.py."""
    header = np.zeros(256, dtype=np.int32)
    header[:3] = [magic, version, len(ids)]
    path.write_bytes(header.tobytes() + np.asarray(ids, dtype=dtype).tobytes())


def main():
    FOLDER.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    gpt2 = [50256, 0, 50255, *map(int, rng.integers(0, 50257, 20))]
    llama3 = [128000, 0, 128255, *map(int, rng.integers(0, 128256, 20))]
    llmc_shard(FOLDER / "gpt2.bin", gpt2, 20240520, 1, np.uint16)
    llmc_shard(FOLDER / "llama3.bin", llama3, 20240801, 7, np.uint32)
    np.asarray(gpt2, dtype=np.uint16).tofile(FOLDER / "nanogpt.bin")
    expected = {"gpt2": gpt2, "llama3": llama3, "nanogpt": gpt2}
    (FOLDER / "expected.json").write_text(json.dumps(expected) + "\n")


main()
