"""Scores a served model with lm-evaluation-harness, unmodified, and checks every figure of it.

Usage: python3 tests/python/lm_eval_check.py --model_folder runs/demo/sft \\
           --base_url http://127.0.0.1:8080/v1 --api_key TOKEN [--model NAME]

The harness asks for log-likelihoods by `local-completions`: echo, logprobs, prompts as tokens. What
it gets is held against a GPT-2 written here with numpy, in double precision, from the folder's
model.safetensors. The task is made here, too: questions of several choices, texts as a whole, and
continuations. Exits with 1 at the first difference of more than 1e-4 nats a text.

Needs the packages lm-eval[api], transformers (for the tokenizer; no torch), numpy, safetensors.
"""
import argparse
import json
import math
import os
import pathlib
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import lm_eval
import lm_eval.tasks
import numpy
import transformers
from safetensors.numpy import load_file

TOLERANCE = 1e-4
QUESTIONS = [
    {"question": "The cat", "choices": [" sat on the mat", " ran away", " barked at a dog"], "answer": 0},
    {"question": "A dog", "choices": [" ran to the cat", " sat", " flew"], "answer": 0},
    {"question": "Caf\u00e9", "choices": [" \u597d\u597d\u5b66\u4e60", " closed", " \U0001f600"], "answer": 1},
    {"question": "1 + 1 =", "choices": [" 2", " 3", " eleven"], "answer": 0},
]
TEXTS = [{"text": "The cat sat on the mat."}, {"text": "A dog ran to the caf\u00e9 \u597d."}]
TASKS = {
    "choices": """
task: choices
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: "{{choices}}"
doc_to_target: "{{answer}}"
target_delimiter: ""
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
""",
    "texts": """
task: texts
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{text}}"
metric_list: [{metric: bits_per_byte}]
""",
    "greedy": """
task: greedy
output_type: generate_until
doc_to_text: "{{text}}"
doc_to_target: ""
generation_kwargs: {max_gen_toks: 8, temperature: 0, until: ["\\n\\n"]}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
""",
}


class Gpt2:
    """GPT-2 in numpy: log-probabilities of every next token, in double."""

    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        weights = load_file(folder / "model.safetensors")
        self.weights = {name.removeprefix("transformer."): value.astype(numpy.float64)
                        for name, value in weights.items()}

    def norm(self, x, name):
        centred = x - x.mean(-1, keepdims=True)
        scale = numpy.sqrt((centred**2).mean(-1, keepdims=True) + self.config["layer_norm_epsilon"])
        return centred / scale * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def linear(self, x, name):
        return x @ self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def attention(self, x, name):
        count, heads = len(x), self.config["n_head"]
        q, k, v = (part.reshape(count, heads, -1).swapaxes(0, 1)
                   for part in numpy.split(self.linear(x, name + ".c_attn"), 3, -1))
        scores = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1])
        scores = numpy.where(numpy.tri(count, dtype=bool), scores, -numpy.inf)
        scores = numpy.exp(scores - scores.max(-1, keepdims=True))
        mixed = scores / scores.sum(-1, keepdims=True) @ v
        return self.linear(mixed.swapaxes(0, 1).reshape(count, -1), name + ".c_proj")

    def log_probs(self, tokens):
        x = self.weights["wte.weight"][tokens] + self.weights["wpe.weight"][:len(tokens)]
        for layer in range(self.config["n_layer"]):
            x = x + self.attention(self.norm(x, f"h.{layer}.ln_1"), f"h.{layer}.attn")
            hidden = self.linear(self.norm(x, f"h.{layer}.ln_2"), f"h.{layer}.mlp.c_fc")
            inner = math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden**3)
            gelu = 0.5 * hidden * (1 + numpy.tanh(inner))
            x = x + self.linear(gelu, f"h.{layer}.mlp.c_proj")
        head = self.weights.get("lm_head.weight", self.weights["wte.weight"])
        logits = self.norm(x, "ln_f") @ head.T
        return logits - numpy.logaddexp.reduce(logits, -1, keepdims=True)

    def likelihood(self, context, continuation):
        """Sum over the continuation's tokens, and whether each is the most probable one."""
        rows = self.log_probs(context + continuation)[len(context) - 1:-1]
        own = rows[numpy.arange(len(continuation)), continuation]
        return own.sum(), bool((rows.argmax(-1) == continuation).all())

    def greedy(self, tokens, count, stop):
        new = []
        for _ in range(count):
            new.append(int(self.log_probs(tokens + new)[-1].argmax()))
            if new[-1] == stop:
                return new[:-1]
        return new


def same(what, got, expected, tolerance=0):
    if got != expected and not (tolerance and abs(got - expected) <= tolerance):
        print(f"{what}: expected {expected!r}, got {got!r}")
        sys.exit(1)


def write_tasks(folder):
    for name, rows in (("choices", QUESTIONS), ("texts", TEXTS), ("greedy", TEXTS)):
        data = folder / f"{name}.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        source = f"dataset_path: json\ndataset_kwargs: {{data_files: {{test: {data}}}}}\ntest_split: test\n"
        (folder / f"{name}.yaml").write_text(TASKS[name] + source)


def check_choices(samples, gpt2, encode):
    count = 0
    for sample in samples:
        for choice, ((log_prob, greedy),) in zip(sample["doc"]["choices"], sample["resps"]):
            context = encode(sample["doc"]["question"])
            whole = encode(sample["doc"]["question"] + choice)
            expected, is_greedy = gpt2.likelihood(context, whole[len(context):])
            same(f"{choice!r}", float(log_prob), expected, TOLERANCE)
            same(f"{choice!r} is greedy", str(greedy), str(is_greedy))
            count += 1
    return count


def check_texts(samples, gpt2, encode, end):
    for sample in samples:
        expected, _ = gpt2.likelihood([end], encode(sample["doc"]["text"]))
        answer = sample["resps"][0][0]
        got = answer[0] if isinstance(answer, (list, tuple)) else answer
        same(f"{sample['doc']['text']!r}", float(got), expected, TOLERANCE)
    return len(samples)


def check_greedy(samples, gpt2, encode, tokenizer):
    for sample in samples:
        text = sample["doc"]["text"]
        new = gpt2.greedy(encode(text), 8, tokenizer.eos_token_id)
        expected = tokenizer.decode(new, clean_up_tokenization_spaces=False).split("\n\n")[0]
        if "\ufffd" not in expected:  # decoders differ in how many of it they write
            same(f"after {text!r}", sample["resps"][0][0], expected)
    return len(samples)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model_folder", required=True, type=pathlib.Path)
    parser.add_argument("--base_url", default="http://127.0.0.1:8080/v1")
    parser.add_argument("--api_key", required=True)
    parser.add_argument("--model", default="")
    arguments = parser.parse_args()
    os.environ["OPENAI_API_KEY"] = arguments.api_key

    gpt2 = Gpt2(arguments.model_folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.model_folder)
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False)
    for batch, concurrent in ((1, 1), (4, 1), (1, 4)):
        with tempfile.TemporaryDirectory() as folder:
            write_tasks(pathlib.Path(folder))
            results = lm_eval.simple_evaluate(
                model="local-completions",
                model_args={"model": arguments.model, "tokenizer": str(arguments.model_folder),
                            "base_url": arguments.base_url + "/completions",
                            "tokenizer_backend": "huggingface", "max_retries": 1,
                            "max_length": gpt2.config["n_positions"],
                            "num_concurrent": concurrent, "batch_size": batch},
                tasks=list(TASKS),
                task_manager=lm_eval.tasks.TaskManager(include_path=folder, include_defaults=False),
                bootstrap_iters=0)
        samples = results["samples"]
        count = check_choices(samples["choices"], gpt2, encode)
        count += check_texts(samples["texts"], gpt2, encode, tokenizer.eos_token_id)
        count += check_greedy(samples["greedy"], gpt2, encode, tokenizer)
        print(f"{count} figures agree at batch size {batch} with {concurrent} at a time, "
              f"accuracy {results['results']['choices']['acc,none']:.2f}")


if __name__ == "__main__":
    main()
