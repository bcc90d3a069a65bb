"""Trains tiny models with `rlhf` and reads their event files with the real TensorBoard.

    python tests/python/tensorboard_check.py build/release/bin/rlhf [RUN...]

RUNs are compared as well: folders of runs, for example resumed ones. Every scalar of metrics.jsonl must come back, step for step, from TensorBoard's EventAccumulator and
from the HTTP API of its server, both with its Python reader and with its fast data server; a run
that is written over must show once. Prints what it compared and exits with 1 at the first
difference. Run by hand: it needs the package tensorboard.
"""

import json
import math
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from tensorboard.backend.event_processing import event_accumulator


def rlhf(binary, *arguments):
    subprocess.run([binary, *map(str, arguments)], check=True, capture_output=True)


def as_float(value):
    """A figure as TensorBoard keeps it: 32 bits; null stands for NaN."""
    return math.nan if value is None else struct.unpack("f", struct.pack("f", value))[0]


def logged_scalars(folder):
    scalars = {}
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        metrics = json.loads(line)
        step = metrics.pop("step")
        for name, value in metrics.items():
            scalars.setdefault(name, []).append((step, as_float(value)))
    return scalars


def same(ours, theirs):
    return len(ours) == len(theirs) and all(
        a[0] == b[0] and (a[1] == b[1] or (math.isnan(a[1]) and math.isnan(b[1])))
        for a, b in zip(ours, theirs))


def compare(ours, theirs, what):
    if ours.keys() != theirs.keys():
        sys.exit(f"{what}: tags differ: {sorted(ours.keys() ^ theirs.keys())}")
    for tag in ours:
        if not same(ours[tag], theirs[tag]):
            sys.exit(f"{what}: {tag} differs:\n  {ours[tag]}\n  {theirs[tag]}")
    print(f"{what}: {len(ours)} tags, {sum(map(len, ours.values()))} scalars agree")


def accumulated_scalars(folder):
    events = event_accumulator.EventAccumulator(str(folder), {event_accumulator.SCALARS: 0})
    events.Reload()
    now = time.time()
    for tag in events.Tags()["scalars"]:
        if not all(now - 3600 < e.wall_time < now + 1 for e in events.Scalars(tag)):
            sys.exit(f"{folder}: {tag} has times that are not of the last hour")
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)]
            for tag in events.Tags()["scalars"]}


def get(port, path, **query):
    url = f"http://127.0.0.1:{port}/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=10) as reply:
        return json.loads(reply.read())


def number(value):
    return float(value) if isinstance(value, str) else value  # "NaN"


def served_scalars(logdir, runs, load_fast):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--port", str(port),
         "--load_fast", load_fast, "--samples_per_plugin", "scalars=100000",
         "--reload_interval", "1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                tags = get(port, "data/plugin/scalars/tags")
                if runs <= tags.keys():
                    break
            except OSError:
                pass
            time.sleep(0.2)
        else:
            sys.exit(f"tensorboard --load_fast {load_fast} did not show {sorted(runs)}")
        time.sleep(2)
        tags = get(port, "data/plugin/scalars/tags")
        return {run: {tag: [(step, number(value)) for _, step, value in
                            get(port, "data/plugin/scalars/scalars", run=run, tag=tag)]
                      for tag in tags[run]} for run in runs}
    finally:
        server.terminate()
        server.wait()


def write_data(folder):
    nouns, good, bad = ["film", "plot", "cast"], ["fine", "good"], ["dull", "poor"]
    corpus, pairs, prompts = "", "", ""
    for i in range(36):
        opening = "the " + nouns[i % 3]
        better, worse = f" is {good[i % 2]}.", f" is {bad[i % 2]}."
        corpus += opening + better + "\n" + opening + worse + "\n"
        pairs += json.dumps({"prompt": opening, "chosen": better, "rejected": worse}) + "\n"
        prompts += json.dumps({"prompt": opening}) + "\n"
    (folder / "corpus.txt").write_text(corpus)
    (folder / "pairs.jsonl").write_text(pairs)
    (folder / "prompts.jsonl").write_text(prompts)


def train(binary, folder):
    runs = folder / "runs"
    small = ["--n_layer", 1, "--n_head", 2, "--n_embd", 16, "--block_size", 24,
             "--learning_rate", "5e-3", "--warmup_steps", 2, "--logging_steps", 1]
    pretrain = ["pretrain", "--dataset_name", folder / "corpus.txt", "--tokenizer", "char",
                "--output_dir", runs / "lm", *small]
    rlhf(binary, *pretrain, "--max_steps", 40)  # written over by the next
    rlhf(binary, *pretrain, "--max_steps", 30)
    rlhf(binary, "reward", "--model_name_or_path", runs / "lm", "--dataset_name",
         folder / "pairs.jsonl", "--output_dir", runs / "rm", "--max_steps", 20)
    rlhf(binary, "ppo", "--model_name_or_path", runs / "lm", "--reward_model_path", runs / "rm",
         "--dataset_name", folder / "prompts.jsonl", "--output_dir", runs / "ppo",
         "--total_episodes", 48, "--episodes_per_update", 8, "--response_length", 8,
         "--eval_prompts", 4)
    return runs


def main():
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_data(folder)
        logdir = train(binary, folder)
        runs = {"lm", "rm", "ppo"}
        for given in map(pathlib.Path, sys.argv[2:]):
            (logdir / given.name).symlink_to(given.absolute())
            runs.add(given.name)
        for run in sorted(runs):
            compare(logged_scalars(logdir / run), accumulated_scalars(logdir / run),
                    f"{run}, EventAccumulator")
        for load_fast in ("false", "true"):
            served = served_scalars(logdir, runs, load_fast)
            for run in sorted(runs):
                compare(logged_scalars(logdir / run), served[run],
                        f"{run}, server with --load_fast {load_fast}")


if __name__ == "__main__":
    main()
