"""Writes tests/fuzz/seeds: small inputs for each fuzz target, of the kinds that its reader knows.

Usage: python3 tests/fuzz/make_seeds.py
"""
import json
import struct
from pathlib import Path

SEEDS = Path(__file__).resolve().parent / "seeds"


def seed(target, name, content):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def byte_spellings():
    """GPT-2's characters for the bytes 0 to 255, in the order of its ids."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]


def json_seeds():
    seed("json", "kinds", '{"a": [1, -2, 3.5e-7, true, false, null], "b": {"c": "\\u00e9\\n"}}')
    seed("json", "largest", "[9223372036854775807, 18446744073709551615, -9223372036854775808]")
    seed("json", "too_large", "[18446744073709551616]")
    seed("json", "deepest", "[" * 32 + "]" * 32)
    seed("json", "too_deep", "[" * 33 + "]" * 33)
    seed("json", "twice", '{"a": 1, "a": 2}')
    seed("json", "pair", '"\\ud83d\\ude00"')
    seed("json", "alone", '"\\ud83d"')
    seed("json", "nul", b"[1]\0[2]")
    seed("json", "latin", b'"\xe9"')


def rows_seeds():
    rows = '{"text": "a film", "label": 1}\n\n{"text": "b", "label": "0.5", "margin": null}\r\n'
    seed("rows", "jsonl", b"\0" + rows.encode())
    seed("rows", "jsonl_list", b"\0[1, 2]\n")
    table = 'text,label\r\n"a ""good"" film,\nreally",1\nb,0\n'
    seed("rows", "csv", b"\2" + table.encode())
    seed("rows", "csv_bare", b"\3" + table.encode())
    seed("rows", "csv_open", b'\2text\n"never closed\n')
    seed("rows", "csv_behind", b'\2text\n"a"b\n')
    seed("rows", "tsv", b"\4text\tlabel\na \"film\tyes\nb\t0\n")
    seed("rows", "tsv_bare", b"\5a\t1\nb\t0\n")
    seed("rows", "tsv_short", b"\4a\tb\nc\n")
    seed("rows", "txt", b"\6one\n\ntwo\r\nthree")
    seed("rows", "mark", b"\6\xef\xbb\xbfone\n")


def tokenizer_seeds():
    tokens = byte_spellings() + ["th", "the", "\u0120the", "ca"]
    vocab = {t: i for i, t in enumerate([*tokens, "<|endoftext|>"])}
    merges = "#version: 0.2\nt h\nth e\n\u0120 the\nc a\n"
    config = {"tokenizer_class": "GPT2Tokenizer", "eos_token": "<|endoftext|>",
              "pad_token": "<|endoftext|>"}
    byte_pairs = json.dumps(vocab, separators=(",", ":"))
    seed("tokenizer_folder", "byte_pairs", f"{byte_pairs}\n====\n{merges}")
    seed("tokenizer_folder", "byte_pairs_config",
         f"{byte_pairs}\n====\n{merges}\n====\n{json.dumps(config)}")
    seed("tokenizer_folder", "unknown_merge", f"{byte_pairs}\n====\nt x\n")
    seed("tokenizer_folder", "gap", '{"a": 0, "b": 2, "<|endoftext|>": 3}')
    characters = {c: i for i, c in enumerate(" 12acehmst'\n\u00e9\u597d")}
    characters |= {"<|endoftext|>": len(characters), "<|pad|>": len(characters) + 1}
    kind = {"tokenizer_class": "CharTokenizer", "eos_token": "<|endoftext|>",
            "pad_token": "<|pad|>"}
    # The merges are missing: two marks in a row would make an empty file of them.
    seed("tokenizer_folder", "characters",
         f"{json.dumps(characters)}\n====\n\n====\n{json.dumps(kind)}")
    added = [{"id": 260, "content": "<|endoftext|>", "single_word": False, "lstrip": False,
              "rstrip": False, "normalized": False, "special": True}]
    cut = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    spelled = [line.split() for line in merges.splitlines()[1:]]
    for name, listed in ("whole", [" ".join(pair) for pair in spelled]), ("whole_pairs", spelled):
        model = {"type": "BPE", "dropout": None, "unk_token": None,
                 "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False,
                 "vocab": vocab, "merges": listed}
        # The target tells this file by "model" near its beginning.
        whole = {"version": "1.0", "model": model, "added_tokens": added, "truncation": None,
                 "padding": None, "normalizer": None, "pre_tokenizer": cut,
                 "post_processor": None, "decoder": cut}
        seed("tokenizer_folder", name,
             json.dumps(whole, separators=(",", ":")) + "\n====\n" + json.dumps(config))
    seed("tokenizer_config", "gpt2", json.dumps(config))
    seed("tokenizer_config", "characters", json.dumps(kind))
    seed("tokenizer_config", "object", json.dumps(
        {"eos_token": {"__type": "AddedToken", "content": "</s>", "special": True},
         "pad_token": None, "model_max_length": 10**30}))
    added = {"added_tokens_decoder": {"257": {"content": "<|user|>", "special": True}},
             "additional_special_tokens": ["<|user|>"], "tokenizer_class": "GPT2TokenizerFast"}
    seed("tokenizer_config", "added", json.dumps(added))


def model_seeds():
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 100,
              "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4,
              "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "n_inner": None,
              "tie_word_embeddings": True, "resid_pdrop": 0.1}
    generation = {"eos_token_id": [1, 2], "bos_token_id": 1}
    index = {"metadata": {"total_size": 12},
             "weight_map": {"wte.weight": "model-00001-of-00002.safetensors"}}
    seed("model_config", "all", "\n====\n".join(map(json.dumps, [config, generation, index])))
    scalar = {"architectures": ["GPT2ForSequenceClassification"], "num_labels": 1,
              "id2label": {"0": "LABEL_0"}}
    seed("model_config", "scalar", json.dumps(config | scalar))
    seed("model_config", "out",
         json.dumps(config) + "\n====\n{}\n====\n" + json.dumps({"weight_map": {"a": "../x"}}))


def adapter_seeds():
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "runs/lm",
              "r": 4, "lora_alpha": 8, "lora_dropout": 0.05, "use_rslora": False,
              "target_modules": ["c_attn", "mlp.c_proj"], "fan_in_fan_out": True, "bias": "none",
              "modules_to_save": None, "init_lora_weights": True, "rank_pattern": {}}
    seed("adapter_config", "language", json.dumps(config))
    reward = {"task_type": "SEQ_CLS", "modules_to_save": ["classifier", "score"],
              "target_modules": "all-linear", "reward_gain": 0.5, "reward_bias": -1}
    seed("adapter_config", "reward", json.dumps(config | reward))
    head = {"modules_to_save": ["lm_head"], "ensure_weight_tying": False}
    seed("adapter_config", "head", json.dumps(config | head))
    seed("adapter_config", "dora", json.dumps(config | {"use_dora": True}))
    seed("adapter_config", "pissa", json.dumps(config | {"init_lora_weights": "pissa_niter_4"}))
    seed("adapter_config", "largest", json.dumps(config | {"r": 2**63 - 1, "lora_alpha": 1e308}))


def gym_seeds():
    agent = {"algo": "q_learning", "env": "FrozenLake-v1", "env_options": {"is_slippery": "false"},
             "seed": 2**64 - 1, "hyperparameters": {"gamma": 0.99, "hidden": "64,64"}}
    seed("gym_config", "agent", json.dumps(agent))
    seed("gym_config", "option", json.dumps(agent | {"env_options": {"a\x1b\n": 1}}))
    seed("gym_config", "seed", json.dumps(agent | {"seed": -1}))


def hierarchy_seeds():
    hierarchy = {"subtasks": ["warm", "short"], "segments": 4, "segment_length": 8,
                 "descriptions": "warm=keyword:love|fine; short=length:max=2"}
    seed("hierarchy", "two", json.dumps(hierarchy))
    seed("hierarchy", "bare", '{"subtasks": ["\\u597d", "\\u0000"], "segments": 1048576, '
         '"segment_length": 1}')
    seed("hierarchy", "twice", json.dumps(hierarchy | {"subtasks": ["warm", "warm"]}))
    seed("hierarchy", "endless", json.dumps(hierarchy | {"segments": 2**63 - 1}))


def text_seeds():
    seed("text", "english", "the cat's hat isn't on  the mat, we'll see 1234!\n\n  y\t")
    seed("text", "chinese", "\u597d\u597d\u5b66\u4e60\u3002\u00e9\u0301\U0001f600")
    seed("text", "broken", b"a\xff\xe5\xa5 \xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf")
    seed("text", "steering", "\x1b[31m\u202etxt.exe\u2028\u0085\x7f\0")
    seed("text", "special", "<|endoftext|><|pad|>")


def safetensors_seeds():
    def entry(dtype, shape, begin, end):
        return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}

    def framed(header, data):
        return json.dumps(header, separators=(",", ":")).encode() + b"\0" + data

    floats = struct.pack("<3f", 1, -0.0, float("nan"))
    seed("safetensors", "f32", framed({"__metadata__": {"format": "pt"},
                                       "a": entry("F32", [3], 0, 12)}, floats))
    seed("safetensors", "kinds", framed(
        {"h": entry("F16", [2, 1], 0, 4), "b": entry("BF16", [], 4, 6),
         "i": entry("I64", [1], 6, 14), "d": entry("F64", [1, 1, 1, 1], 14, 22),
         "e": entry("F32", [0, 5], 22, 22)}, bytes(range(22))))
    seed("safetensors", "gap", framed({"a": entry("F32", [1], 4, 8)}, floats))
    seed("safetensors", "overflow", framed({"a": entry("F64", [2**62, 2**62], 0, 12)}, floats))
    seed("safetensors", "long", struct.pack("<Q", 2**63) + b"{}")
    seed("safetensors", "none", struct.pack("<Q", 2) + b"{}")


def shard_seeds():
    def shard(words, ids, letter):
        return struct.pack("<256i", *words, *[0] * 253) + struct.pack(f"<{len(ids)}{letter}", *ids)

    ids = [50256, 0, 464, 3797]
    seed("token_shard", "gpt2", shard([20240520, 1, 4], ids, "H"))
    seed("token_shard", "llama3", shard([20240801, 7, 2], [69999, 1], "I"))
    seed("token_shard", "nanogpt", struct.pack("<4H", *ids))
    seed("token_shard", "negative", shard([20240520, 1, -1], ids, "H"))
    seed("token_shard", "model", shard([20240326, 3, 1024], ids, "H"))
    seed("token_shard", "beyond", shard([20240801, 7, 1], [2**32 - 1], "I"))


def run_seeds():
    digest = "0123456789abcdef" * 4
    manifest = {"format": "rlhf.cpp checkpoint", "format_version": 1, "step": 100,
                "command": "ppo", "version": "0.1.0", "inputs": {"dataset_name": digest},
                "files": {"model.safetensors": {"bytes": 12, "sha256": digest},
                          "policy/config.json": {"bytes": 0, "sha256": digest}}}
    seed("manifest", "ppo", json.dumps(manifest))
    seed("manifest", "out", json.dumps(manifest | {"files": {"../x": manifest["files"][
        "model.safetensors"]}}))
    seed("manifest", "future", json.dumps(manifest | {"format_version": 2}))
    seed("trainer_state", "numbers",
         '{"step": 12, "seed": 18446744073709551615, "best": "Infinity", "sums": [1.5, "NaN"]}')
    seed("trainer_state", "nested", '{"sums": [[1]], "x": {}}')
    seed("metrics", "lines", '{"step": 1, "loss": 3.25}\n{"step": 2, "loss": null, "lr": 1e-5}\n')
    seed("metrics", "torn", '{"step": 1, "objective/kl": 0.31}\n{"step": 2, "obj')
    seed("metrics", "largest", '{"step": 18446744073709551615}\n')
    seed("metrics", "wrong", '{"step": 1.5}\n[]\n')


def flag_seeds():
    seed("config_file", "yaml", "# a run\nmax_steps: 200\nlearning_rate: 1e-3 ; small\n"
         "output_dir: 'runs/a'\ntext: \"a # b\"\npacking:\n")
    seed("config_file", "toml", 'dataset_name = "a.txt"\nmax_steps = 5\npacking = true\n')
    seed("config_file", "json", '{"max_steps": 200, "text": "a", "packing": false}')
    seed("config_file", "nested", "---\na:\n  b: 1\n")
    seed("config_file", "twice", "a: 1\na: 2\n")
    seed("command_line", "short", "encode\n--text\nthe cat\n--max-steps=5\n--packing")
    seed("command_line", "long", "--learning_rate=1e-4\n--dropout\n0.25\n--no\n--shuffle=false")
    seed("command_line", "wrong", "--max_steps=1e3\n--sede\n1")
    seed("command_line", "help", "--help")
    seed("command_line", "config", "--config=/nonexistent.yaml\n--seed=18446744073709551615")


def openai_seeds():
    common = {"model": "demo", "n": 2, "seed": -1, "temperature": 0.5, "top_p": 0, "stop": ["\n", "x"],
              "presence_penalty": -2, "frequency_penalty": 2, "logit_bias": {"50256": -100},
              "top_k": 40, "min_p": 0.05, "repetition_penalty": 1.1, "stream": True,
              "stream_options": {"include_usage": True}, "user": "u"}
    text = common | {"prompt": ["the cat", ""], "max_tokens": 0, "logprobs": 5, "echo": True,
                     "best_of": 2}
    seed("openai_completion", "texts", json.dumps(text))
    seed("openai_completion", "harness", json.dumps(
        {"model": "demo", "prompt": [[50256, 464], [3797]], "temperature": 0, "max_tokens": 1,
         "logprobs": 1, "seed": 1234, "echo": True}))
    seed("openai_completion", "tokens", '{"prompt": [464, 3797], "stop": "x", "suffix": null}')
    seed("openai_completion", "mixed", '{"prompt": [464, "a", []]}')
    seed("openai_completion", "beyond", '{"n": 9, "seed": 18446744073709551615, "top_k": -1}')
    seed("openai_completion", "bias", '{"logit_bias": {"07": 1, "-1": 101, "99999999999": 0}}')
    messages = [{"role": "system", "content": "Be kind."},
                {"role": "user", "content": [{"type": "text", "text": "\u597d"}]},
                {"role": "assistant", "content": "Yes?", "tool_calls": None},
                {"role": "user", "content": "go on"}]
    chat = common | {"messages": messages, "max_completion_tokens": 9, "logprobs": True,
                     "top_logprobs": 20, "response_format": {"type": "text"},
                     "modalities": ["text"], "tools": []}
    seed("openai_chat", "all", json.dumps(chat))
    seed("openai_chat", "short", json.dumps({"messages": messages[1:2]}))
    seed("openai_chat", "turns", json.dumps({"messages": messages[:1] + messages[:2]}))
    seed("openai_chat", "tools", json.dumps({"messages": messages, "tools": [{"type": "function"}]}))
    seed("openai_chat", "picture", json.dumps({"messages": [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]}))


def http_seeds():
    def head(*lines):
        return "\r\n".join([*lines, "", ""])

    host = "Host: localhost:8080"
    seed("http_request", "page", head("GET / HTTP/1.1", host, "Accept: */*"))
    seed("http_request", "query", head("GET /api/prompts?after=7&q=x%20y+z HTTP/1.1", host,
                                       "Cookie: a=b; rlhf_session=0123456789abcdef"))
    seed("http_request", "piece", head("HEAD /api/runs/demo%2Fsft/metrics HTTP/1.0", host,
                                       "Authorization: Bearer 0123456789abcdef"))
    seed("http_request", "body", head("POST /api/votes HTTP/1.1", host, "Content-Length: 2",
                                      "Content-Type: application/json; charset=utf-8",
                                      "Origin: http://localhost:8080", "Expect: 100-continue"))
    seed("http_request", "chunks", head("PUT /api/votes HTTP/1.1", "Host: [::1]",
                                        "Transfer-Encoding: chunked",
                                        "Content-Type: application/json"))
    seed("http_request", "both", head("POST /api/votes HTTP/1.1", host, "Content-Length: 2",
                                      "Transfer-Encoding: chunked"))
    seed("http_request", "steps", head("GET /api/runs/..%2f..%2fetc HTTP/1.1", host))
    seed("http_request", "foreign", head("DELETE /api/votes HTTP/1.1", host,
                                         "Origin: https://evil.example", "Host: evil.example"))


json_seeds()
rows_seeds()
tokenizer_seeds()
model_seeds()
adapter_seeds()
gym_seeds()
hierarchy_seeds()
text_seeds()
safetensors_seeds()
shard_seeds()
run_seeds()
flag_seeds()
openai_seeds()
http_seeds()
