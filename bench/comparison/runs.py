"""One method on one seed: its command, then the evaluator. What is there already is not repeated,
as long as the same commands would be given again."""

import json
import math
import os
import pathlib
import shutil
import subprocess
import time

from comparison.methods import scaled


class Failure(Exception):
    """A command that did not end well; the message is its own last line."""


class Program:
    """The rlhf program, on one thread a run."""

    def __init__(self, path):
        self.path = str(path)

    def has(self, command):
        return subprocess.run([self.path, command, "--help"], capture_output=True,
                              check=False).returncode == 0

    def __call__(self, arguments, log, limit=None):
        """Runs to the end. Returns the seconds that it took and what it printed."""
        command = [self.path] + [str(word) for word in arguments]
        environment = dict(os.environ, OMP_NUM_THREADS="1", GOMP_SPINCOUNT="1000")
        start = time.monotonic()
        with open(log, "w", encoding="utf-8") as errors:
            try:
                done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True,
                                      env=environment, timeout=limit, check=False)
            except subprocess.TimeoutExpired:
                raise Failure(f"not done after {limit:g} s") from None
        if done.returncode != 0:
            lines = pathlib.Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
            raise Failure((lines or [f"exit code {done.returncode}"])[-1].strip())
        return time.monotonic() - start, done.stdout


def write_json(path, value):
    """The file is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".tmp")
    scratch.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    scratch.replace(path)


def prepare(program, task, folder, seed, data):
    """Models and data of a seed."""
    folder.mkdir(parents=True, exist_ok=True)

    def run(output, arguments):
        if not (output / "summary.json").exists():
            shutil.rmtree(output, ignore_errors=True)  # what a run that was stopped has left
            program(arguments, f"{output}.log")

    return task.prepare(run, folder, seed, data)


def training_command(method, task, setting, seed, output):
    words = [method.command, "--model_name_or_path", setting.sft, "--output_dir", output]
    if method.offline:
        words += ["--dataset_name", setting.pairs, "--num_train_epochs", task.passes]
    else:
        prompts = setting.eval_prompts if method.samples else setting.prompts
        length = {"ppo": ("--response_length", task.length),
                  "hierarchical": ("--segment_length", task.length // 4),  # of four segments
                  }.get(method.command, ("--max_completion_length", task.length))
        words += ["--dataset_name", prompts, "--reward_model_path", setting.reward, *length]
        if not method.samples:  # hir cuts its bands at the scores of these prompts
            words += ["--total_episodes", task.episodes,
                      "--eval_prompts", 256 if method.command == "hir" else 16]
    return [str(word) for word in words + scaled(method.flags, task.rate) + ["--seed", seed]]


def evaluation_command(method, task, setting, seed, output):
    words = ["eval", "--task", "policy", "--json", "--ref_model", setting.sft,
             "--reward_model_path", setting.reward, *setting.judge,
             "--max_new_tokens", task.length, "--temperature", 1, "--seed", seed]
    if method.samples:
        words += ["--model_name_or_path", setting.sft, "--judge_completions",
                  "--dataset_name", output / "completions.jsonl"]
    else:
        words += ["--model_name_or_path", output if method.command else setting.sft,
                  "--dataset_name", setting.eval_prompts]
    if method.condition:
        words += ["--condition", method.condition]
    return [str(word) for word in words]


def figures_of(printed, method, task):
    """The table's figures, from what `rlhf eval --json` printed."""
    said = json.loads(printed)
    n = method.samples
    if n:  # the bound of docs/algorithms/best-of-n.md
        kl = math.log(n) - (n - 1) / n
    else:
        kl = said["kl"]
    return {"gold": said[task.gold], "kl": kl, "score": said["rewards/model/mean"],
            "length": said["mean_length"], "distinct_2": said["distinct_2"]}


def run_method(program, method, task, setting, seed, folder, limit):
    """The outcome of a method: its commands, seconds and figures. Raises Failure."""
    output, record = folder / method.name, folder / f"{method.name}.json"
    train = training_command(method, task, setting, seed, output) if method.command else []
    evaluate = evaluation_command(method, task, setting, seed, output)
    if record.exists():
        outcome = json.loads(record.read_text(encoding="utf-8"))
        if outcome["train"] == train and outcome["evaluate"] == evaluate:
            return outcome
    shutil.rmtree(output, ignore_errors=True)  # what a run that was stopped has left
    seconds = program(train, f"{output}.log", limit)[0] if train else 0.0
    printed = program(evaluate, f"{output}.eval.log")[1]
    outcome = {"seconds": seconds, "figures": figures_of(printed, method, task),
               "train": train, "evaluate": evaluate}
    write_json(record, outcome)
    return outcome
