"""The tasks of the comparison: how models and data come to be, what a method is given, and by what
`rlhf eval` judges the outcome."""

import json
import pathlib
from typing import Callable, NamedTuple

OPENINGS = pathlib.Path(__file__).parents[2] / "docs/examples/review_openings.txt"


class Setting(NamedTuple):
    """What every method starts from and learns from, of one seed."""
    sft: pathlib.Path
    reward: pathlib.Path
    prompts: pathlib.Path       # to train on
    pairs: pathlib.Path
    eval_prompts: pathlib.Path  # to be judged on
    judge: tuple                # flags of `rlhf eval`


class Task(NamedTuple):
    title: str
    gold: str  # the figure of `rlhf eval` that no method has seen
    gold_title: str
    length: int     # tokens of a response at most
    episodes: int   # that an online method may sample
    passes: int     # of an offline method over the pairs
    rate: float     # factor on the learning rates in methods.py
    prepare: Callable  # (run, folder, seed, data) -> Setting


def repeated(source, target, times):
    """A file of prompts with every line so many times: one answer each is too few to compare by."""
    lines = source.read_text(encoding="utf-8").splitlines()
    target.write_text("".join(line + "\n" for line in lines * times), encoding="utf-8")
    return target


def prepare_demo(run, folder, seed, _data, quick=False):
    models = folder / "models"
    run(models, ["demo", "--seed", seed, "--output_dir", models] + ["--quick"] * quick)
    data = models / "data"
    return Setting(sft=models / "sft", reward=models / "reward", prompts=data / "prompts.jsonl",
                   pairs=data / "pairs.jsonl",
                   eval_prompts=repeated(data / "eval_prompts.jsonl",
                                         folder / "eval_prompts.jsonl", 4),
                   judge=("--reward_funcs", "demo_judge"))


def sentence_pairs(rows):
    """Pairs of sentences that begin with the same word, one that people called positive and one
    that they called negative; each sentence stands in one pair at most."""
    waiting = {}
    for text, label in rows:
        prompt, space, rest = text.strip().partition(" ")
        completion = space + rest
        if len(completion.split()) < 4:
            continue
        others = waiting.setdefault((prompt, 1 - label), [])
        if not others:
            waiting.setdefault((prompt, label), []).append(completion)
            continue
        other = others.pop(0)
        chosen, rejected = (completion, other) if label else (other, completion)
        yield {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def prepare_sst2(run, folder, seed, data):
    """docs/feedback.md, steps 1 to 3."""
    train, dev = pathlib.Path(data) / "train.tsv", pathlib.Path(data) / "dev.tsv"
    lm = folder / "lm"
    run(lm, "pretrain --text_column 0 --tokenizer bpe --vocab_size 4096 --n_layer 2 --n_head 4 "
            "--n_embd 128 --block_size 64 --dropout 0.2 --per_device_train_batch_size 32 "
            "--max_steps 1000 --learning_rate 2e-3".split()
        + ["--dataset_name", train, "--seed", seed, "--output_dir", lm])
    for name, its_seed in (("reward", seed), ("judge", seed + 1000)):
        run(folder / name,
            "reward --loss bce --text_column 0 --label_column 1 --dropout 0.2 "
            "--num_train_epochs 2 --learning_rate 5e-4".split()
            + ["--model_name_or_path", lm, "--dataset_name", train, "--eval_dataset_name", dev,
               "--seed", its_seed, "--output_dir", folder / name])
    rows = [line.split("\t") for line in train.read_text(encoding="utf-8").splitlines()]
    pairs = folder / "pairs.jsonl"
    pairs.write_text("".join(json.dumps(pair) + "\n" for pair in sentence_pairs(
        (text, int(label)) for text, label in rows)), encoding="utf-8")
    return Setting(sft=lm, reward=folder / "reward", prompts=OPENINGS, pairs=pairs,
                   eval_prompts=repeated(OPENINGS, folder / "eval_prompts.txt", 20),
                   judge=("--judge_model_path", folder / "judge"))


TASKS = {
    "demo": Task("the demo's reviews", "rewards/demo_judge/mean", "positive", 32, 3840, 1,
                 1, prepare_demo),
    "demo-quick": Task("the quick demo's reviews", "rewards/demo_judge/mean", "positive", 32, 1920,
                       1, 1, lambda *given: prepare_demo(*given, quick=True)),
    "sst2": Task("SST-2's film reviews", "judge_positive", "positive", 24, 3840, 4, 0.5,
                 prepare_sst2),
}
