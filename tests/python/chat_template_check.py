"""The chat template of `rlhf` and the Jinja that it leaves for transformers, held against each other.

    python tests/python/chat_template_check.py build/default/bin/rlhf

Run by hand. Trains tiny models on a few dialogues, by characters and by byte pairs, and compares for
conversations in English and Chinese, with and without a system message: the ids of
apply_chat_template with those of `rlhf tokenizer encode`, with and without the generation prompt,
and transformers' mask of assistant tokens with the loss mask of `rlhf sft`. Exits with 1 on a
difference.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from jinja2.exceptions import TemplateError
from transformers import AutoTokenizer, PreTrainedTokenizerFast

TALKS = [
    [("user", "hello"), ("assistant", "good morning .")],
    [("system", "you work at the desk ."), ("user", "when does it open ?"),
     ("assistant", "at nine ."), ("user", "and the cost ?"), ("assistant", "five euros .")],
    [("user", "博物馆几点开门?"), ("assistant", "九点开门。")],
    [("system", "你在服务台工作。"), ("user", "你好"), ("assistant", "你好!\n要帮忙吗?"),
     ("user", " 多少钱 "), ("assistant", "五欧元。")],
    [("user", "  two  spaces\n\nand lines \t"), ("assistant", " x "), ("user", "{{ y }} {% z %}"),
     ("assistant", "'quotes' \"and\" \\ é ü 🙂")],
]


def messages(talk):
    return [{"role": role, "content": content} for role, content in talk]


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
                    encoding="utf-8")


def run(*arguments):
    done = subprocess.run([str(a) for a in arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout, done.stderr


def make_model(binary, root, kind):
    write_rows(root / "text.jsonl", [{"text": " ".join(c for _, c in talk)} for talk in TALKS] * 8)
    write_rows(root / "sft.jsonl", [{"messages": messages(talk)} for talk in TALKS])
    small = ["--max_steps", "1", "--per_device_train_batch_size", "2"]
    run(binary, "pretrain", "--dataset_name", root / "text.jsonl", "--tokenizer", kind,
        "--vocab_size", "320", "--n_layer", "1", "--n_head", "1", "--n_embd", "8", "--block_size",
        "256", "--output_dir", root / "lm", *small)
    run(binary, "sft", "--model_name_or_path", root / "lm", "--dataset_name", root / "sft.jsonl",
        "--output_dir", root / "sft", *small)
    return root / "sft"


def ids_of(binary, folder, root, rows):
    write_rows(root / "rows.jsonl", rows)
    out, _ = run(binary, "tokenizer", "encode", "--tokenizer", folder, "--dataset_name",
                 root / "rows.jsonl")
    return [json.loads(line) for line in out.splitlines()]


def applied(tokenizer, talk, **options):
    out = tokenizer.apply_chat_template(messages(talk), tokenize=True, return_dict=True, **options)
    return out


def learnt_text(binary, folder, root, talk):
    """What `rlhf sft` marks as learnt in its first example."""
    write_rows(root / "one.jsonl", [{"messages": messages(talk)}])
    _, err = run(binary, "sft", "--model_name_or_path", folder, "--dataset_name",
                 root / "one.jsonl", "--output_dir", root / "again", "--max_steps", "1")
    line = next(l for l in err.splitlines() if l.startswith("example, [[learnt]]: "))
    return [part.split("]]")[0] for part in line.split("[[")[2:]]


def compare(binary, folder, root, kind):
    wrong = 0
    if kind == "bpe":
        tokenizer = AutoTokenizer.from_pretrained(folder)
    else:  # transformers has no class for characters; the one file says all there is
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    whole = ids_of(binary, folder, root, [{"messages": messages(talk)} for talk in TALKS])
    asked = ids_of(binary, folder, root, [{"prompt": messages(talk[:-1])} for talk in TALKS])
    for talk, ours, prompt in zip(TALKS, whole, asked, strict=True):
        theirs = applied(tokenizer, talk, return_assistant_tokens_mask=True)
        wrong += list(theirs["input_ids"]) != ours
        asking = applied(tokenizer, talk[:-1], add_generation_prompt=True)
        wrong += list(asking["input_ids"]) != prompt
        mask, said, open_ = theirs["assistant_masks"], [], False
        for id_, learnt in zip(theirs["input_ids"], mask, strict=True):
            if learnt and not open_:
                said.append([])
            if learnt:
                said[-1].append(id_)
            open_ = bool(learnt)
        theirs_learnt = [tokenizer.decode(ids, clean_up_tokenization_spaces=False) for ids in said]
        if len(" ".join(content for _, content in talk)) < 120 and talk is not TALKS[4]:
            ours_learnt = learnt_text(binary, folder, root, talk)
            escaped = [t.replace("\n", "\\u000A") for t in theirs_learnt]
            if ours_learnt != escaped:
                wrong += 1
                print("learnt", ours_learnt, "not", escaped)
    for bad in ([("user", "a"), ("system", "b")], [("tool", "a")]):
        try:
            applied(tokenizer, bad)
            wrong += 1
        except TemplateError:
            pass
    print(f"{kind}: {type(tokenizer).__name__}, {len(tokenizer)} tokens, {len(TALKS)} conversations, "
          f"{wrong} differences")
    return wrong


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    wrong = 0
    for kind in ("bpe", "char"):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            wrong += compare(binary, make_model(binary, root, kind), root, kind)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
