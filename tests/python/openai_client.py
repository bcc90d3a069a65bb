"""Asks a running server everything that OpenAI's own client can, and checks the answers.

Usage: python3 tests/python/openai_client.py --base_url http://127.0.0.1:8080/v1 --api_key TOKEN

Needs the package `openai` (written with 3.54). The model may be any; what needs a chat template is
left out when the server says that the model has none. Exits with 1 at the first difference.
"""
import argparse
import sys

import openai

checks = 0


def same(what, got, expected):
    global checks
    checks += 1
    if got != expected:
        print(f"{what}: expected {expected!r}, got {got!r}")
        sys.exit(1)


def holds(what, condition, detail=""):
    same(f"{what} {detail}".strip(), bool(condition), True)


def refused(what, kind, action, **fields):
    """Checks that an action raises an error of that class with these fields."""
    try:
        action()
    except kind as error:
        for name, value in fields.items():
            same(f"{what}: {name}", getattr(error, name), value)
        return
    same(f"{what}: refused", False, True)


def check_models(client):
    models = list(client.models.list())
    holds("models: at least one", models)
    for model in models:
        same("models: object", model.object, "model")
        same("models: found again", client.models.retrieve(model.id), model)
    refused("models: unknown", openai.NotFoundError, lambda: client.models.retrieve("no-such-model"),
            code="model_not_found", param="model", type="invalid_request_error")
    return models[0].id


def check_key(client):
    wrong = client.with_options(api_key="wrong", max_retries=0)
    refused("wrong key", openai.AuthenticationError, lambda: wrong.models.list(),
            type="authentication_error")


def check_completions(client, model):
    ask = {"model": model, "prompt": ["The ", "A "], "seed": 7, "max_tokens": 6, "n": 2}
    answer = client.completions.create(**ask)
    same("completion: object", answer.object, "text_completion")
    same("completion: model", answer.model, model)
    same("completion: choices in order", [c.index for c in answer.choices], [0, 1, 2, 3])
    for choice in answer.choices:
        holds("completion: reason", choice.finish_reason in ("stop", "length"))
        same("completion: no log-probabilities unasked", choice.logprobs, None)
    usage = answer.usage
    same("completion: usage adds up", usage.total_tokens,
         usage.prompt_tokens + usage.completion_tokens)
    same("completion: same seed, same choices", client.completions.create(**ask).choices,
         answer.choices)
    second = client.completions.create(**{**ask, "prompt": "A ", "n": 1, "seed": 8})
    same("completion: choice c has seed + c", second.choices[0].text, answer.choices[3].text)

    text = [""] * 4
    reasons = [None] * 4
    for chunk in client.completions.create(**ask, stream=True):
        same("completion stream: one choice an event", len(chunk.choices), 1)
        choice = chunk.choices[0]
        same("completion stream: nothing after the end", reasons[choice.index], None)
        text[choice.index] += choice.text
        reasons[choice.index] = choice.finish_reason
    same("completion stream: text", text, [c.text for c in answer.choices])
    same("completion stream: reasons", reasons, [c.finish_reason for c in answer.choices])


def check_log_probs(client, model):
    answer = client.completions.create(model=model, prompt="The ", max_tokens=3, temperature=0,
                                       logprobs=2, echo=True)
    choice = answer.choices[0]
    found = choice.logprobs
    count = answer.usage.total_tokens
    for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset"):
        same(f"logprobs: length of {name}", len(getattr(found, name)), count)
    same("logprobs: the first has none", (found.token_logprobs[0], found.top_logprobs[0]),
         (None, None))
    holds("echo: text begins with the prompt", choice.text.startswith("The "), choice.text)
    for at in range(answer.usage.prompt_tokens, count):
        token, log_prob = found.tokens[at], found.token_logprobs[at]
        same("logprobs: greedy is the most probable", max(found.top_logprobs[at].values()), log_prob)
        same("logprobs: the token is among its alternatives", found.top_logprobs[at][token],
             log_prob)
    for token, offset in zip(found.tokens, found.text_offset):
        if not token.startswith("bytes:") and not token.startswith("<|"):
            same("logprobs: offset", choice.text[offset:offset + len(token)], token)
    alone = client.completions.create(model=model, prompt="The ", max_tokens=0, logprobs=0, echo=True)
    same("measured alone: text", alone.choices[0].text, "The ")
    same("measured alone: the same", alone.choices[0].logprobs.token_logprobs,
         found.token_logprobs[:answer.usage.prompt_tokens])


def check_chat(client, model):
    messages = [{"role": "user", "content": "Hello"}]
    ask = {"model": model, "messages": messages, "seed": 3, "max_completion_tokens": 12, "n": 2}
    try:
        answer = client.chat.completions.create(**ask)
    except openai.BadRequestError as error:
        same("chat: the only reason to refuse it", error.code, "no_chat_template")
        print("the model has no chat template: chat is left out")
        return
    same("chat: object", answer.object, "chat.completion")
    same("chat: roles", {c.message.role for c in answer.choices}, {"assistant"})

    text, reasons, opened = ["", ""], [None, None], [False, False]
    usage = None
    for chunk in client.chat.completions.create(**ask, stream=True,
                                                stream_options={"include_usage": True}):
        same("chat stream: object", chunk.object, "chat.completion.chunk")
        if not chunk.choices:
            usage = chunk.usage
            continue
        same("chat stream: usage comes last", usage, None)
        choice = chunk.choices[0]
        same("chat stream: role once, first", choice.delta.role,
             None if opened[choice.index] else "assistant")
        opened[choice.index] = True
        same("chat stream: nothing after the end", reasons[choice.index], None)
        text[choice.index] += choice.delta.content or ""
        reasons[choice.index] = choice.finish_reason
        if choice.finish_reason:
            same("chat stream: the end is empty", choice.delta.content, None)
    same("chat stream: text", text, [c.message.content for c in answer.choices])
    same("chat stream: reasons", reasons, [c.finish_reason for c in answer.choices])
    same("chat stream: usage", (usage.prompt_tokens, usage.completion_tokens),
         (answer.usage.prompt_tokens, answer.usage.completion_tokens))

    ask = {**ask, "n": 1, "logprobs": True, "top_logprobs": 3}
    choice = client.chat.completions.create(**ask).choices[0]
    for token in choice.logprobs.content:
        same("chat logprobs: alternatives", len(token.top_logprobs), 3)
        holds("chat logprobs: sorted", token.top_logprobs[0].logprob >= token.logprob)
    said = b"".join(bytes(token.bytes) for token in choice.logprobs.content)
    # What is no UTF-8 is shown as U+FFFD: of that, only the bytes know more.
    if "\ufffd" not in choice.message.content:
        same("chat logprobs: bytes are the text", said.decode(), choice.message.content)
    # The client's own assembly of a stream, which is strict about its order.
    with client.chat.completions.stream(**ask) as stream:
        for _ in stream:
            pass
        grown = stream.current_completion_snapshot.choices[0]
    same("chat stream helper: text", grown.message.content, choice.message.content)
    same("chat stream helper: logprobs", grown.logprobs.content, choice.logprobs.content)

    def bad(**changes):
        return lambda: client.chat.completions.create(**{**ask, **changes})

    refused("chat: tools", openai.BadRequestError,
            bad(tools=[{"type": "function", "function": {"name": "f"}}]), param="tools")
    refused("chat: json", openai.BadRequestError, bad(response_format={"type": "json_object"}),
            param="response_format")
    refused("chat: roles", openai.BadRequestError, bad(messages=messages * 2),
            param="messages[1].role")


def check_errors(client, model):
    def bad(**changes):
        return lambda: client.completions.create(**{"model": model, "prompt": "a", **changes})

    for field, value in (("temperature", 2.5), ("top_p", -0.1), ("n", 0), ("n", 1_000_000),
                         ("max_tokens", -1), ("logprobs", 6), ("presence_penalty", 3),
                         ("seed", "x"), ("stop", ["a"] * 5), ("best_of", 3), ("suffix", "b"),
                         ("prompt", [])):
        refused(f"error of {field}", openai.BadRequestError, bad(**{field: value}), param=field,
                type="invalid_request_error")
    refused("too long", openai.BadRequestError, bad(max_tokens=1_000_000),
            code="context_length_exceeded")
    refused("unknown model", openai.NotFoundError, bad(model="no-such-model"), code="model_not_found")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base_url", default="http://127.0.0.1:8080/v1")
    parser.add_argument("--api_key", required=True)
    arguments = parser.parse_args()
    client = openai.OpenAI(base_url=arguments.base_url, api_key=arguments.api_key, max_retries=0)
    model = check_models(client)
    check_key(client)
    check_completions(client, model)
    check_log_probs(client, model)
    check_chat(client, model)
    check_errors(client, model)
    print(f"{checks} checks passed with openai {openai.__version__} and the model {model}")


if __name__ == "__main__":
    main()
