"""Prints tests/data/sampling_oracle.json: distributions of the next token by Hugging Face's
generation (its logits processors, in the order in which generate() applies them).

    python tests/python/sampling_oracle.py > tests/data/sampling_oracle.json
"""

import json

import torch
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

VOCABULARY = 40
SETTINGS = [
    {},
    {"temperature": 0.7},
    {"temperature": 1.8},
    {"top_k": 5},
    {"top_p": 0.8},
    {"top_p": 0.05},
    {"min_p": 0.1},
    {"repetition_penalty": 1.5, "history": [3, 7, 7, 12, 30]},
    {"temperature": 0.6, "top_k": 12, "top_p": 0.9},
    {"temperature": 1.3, "top_p": 0.95, "min_p": 0.05},
    {"temperature": 0.9, "top_k": 20, "top_p": 0.9, "min_p": 0.02, "repetition_penalty": 1.2,
     "history": [0, 1, 2, 39]},
]


def processors(s):
    result = LogitsProcessorList()
    if "repetition_penalty" in s:
        result.append(RepetitionPenaltyLogitsProcessor(s["repetition_penalty"]))
    if "temperature" in s:
        result.append(TemperatureLogitsWarper(s["temperature"]))
    if "top_k" in s:
        result.append(TopKLogitsWarper(s["top_k"]))
    if "top_p" in s:
        result.append(TopPLogitsWarper(s["top_p"]))
    if "min_p" in s:
        result.append(MinPLogitsWarper(s["min_p"]))
    return result


def main():
    generator = torch.Generator().manual_seed(1)
    cases = []
    for settings in SETTINGS:
        logits = 2 * torch.randn(VOCABULARY, generator=generator, dtype=torch.float64)
        logits = (logits * 4096).round() / 4096  # exact in float and short in JSON
        history = torch.tensor([settings.get("history", [])], dtype=torch.long)
        scores = processors(settings)(history, logits[None].clone())
        probabilities = torch.softmax(scores[0], dim=0)
        cases.append({"settings": settings, "logits": logits.tolist(),
                      "probabilities": [round(p, 9) for p in probabilities.tolist()]})
    print("[" + ",\n".join(json.dumps(case) for case in cases) + "]")


main()
