"""Writes tests/data/text_metrics_oracle.json: BLEU and ROUGE as sacrebleu and rouge_score compute
them, classification metrics and a logistic regression as scikit-learn computes them.

usage: text_metrics_oracle.py [OUTPUT]
"""

import json
import random
import sys
from pathlib import Path

import numpy as np
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU
from sklearn import metrics
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

WORDS = "the a cat dog sat on mat film was not good Very , . it's 2nd well-made é".split()
CHARACTERS = list("这家店的菜很好吃送餐快不错太慢了 ，。abé😀") + ["\u3000"]


class CharacterTokenizer:
    def tokenize(self, text):
        return [c for c in text if not c.isspace()]


def corrupt(rng, units, pool):
    out = []
    for unit in units:
        draw = rng.random()
        if draw < 0.7:
            out.append(unit)
        elif draw < 0.85:
            out.append(rng.choice(pool))
        if draw > 0.95:
            out.append(unit)
    return out


def pairs(rng, pool, joiner, count, longest):
    references = [[rng.choice(pool) for _ in range(rng.randint(1, longest))] for _ in range(count)]
    hypotheses = [corrupt(rng, units, pool) for units in references]
    return [joiner.join(h) for h in hypotheses], [joiner.join(r) for r in references]


def generation_case(name, unit, hypotheses, references):
    bleu = BLEU(tokenize="none" if unit == "words" else "char", force=True)
    tokenizer = None if unit == "words" else CharacterTokenizer()
    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer = rouge_scorer.RougeScorer(kinds, use_stemmer=False, tokenizer=tokenizer)
    scores = [scorer.score(r, h) for h, r in zip(hypotheses, references)]
    case = {"name": name, "unit": unit, "hypotheses": hypotheses, "references": references}
    case["bleu"] = bleu.corpus_score(hypotheses, [references]).score
    for kind in kinds:
        case[kind] = float(np.mean([s[kind].fmeasure for s in scores]))
    return case


def generation_cases():
    rng = random.Random(1)
    cases = [
        generation_case("corpus of words", "words", *pairs(rng, WORDS, " ", 40, 25)),
        generation_case("longer than the references", "words",
                        ["the cat sat on the mat today , yes it did"], ["the cat sat on the mat"]),
        generation_case("two orders without a match", "words",
                        ["the cat ran far away now"], ["the cat sat on mats"]),
        generation_case("no match", "words", ["a b c d e"], ["v w x y z"]),
        generation_case("shorter than an order", "words", ["the cat"], ["the cat sat"]),
        generation_case("empty hypothesis", "words", ["", "a cat sat on it"],
                        ["the cat", "a cat sat on that mat"]),
        generation_case("upper case and punctuation", "words",
                        ["The Cat-dog isn't HERE , 42 times !"], ["the cat dog isn't here 42 times"]),
        generation_case("corpus of characters", "characters", *pairs(rng, CHARACTERS, "", 30, 40)),
    ]
    return cases


def calibration_error(probability, labels, bins):
    """Guo et al. 2017, equation 3, by an explicit loop over half-open bins."""
    error = 0.0
    for k in range(bins):
        inside = (probability * bins >= k) & ((probability * bins < k + 1) | (k == bins - 1))
        if inside.any():
            error += inside.mean() * abs(probability[inside].mean() - labels[inside].mean())
    return error


def classification_case(name, probability, labels):
    probability, labels = np.array(probability), np.array(labels)
    predicted = (probability >= 0.5).astype(int)
    matrix = metrics.confusion_matrix(labels, predicted, labels=[0, 1])
    return {
        "name": name,
        "probability": probability.tolist(),
        "labels": labels.tolist(),
        "tn_fp_fn_tp": matrix.ravel().tolist(),
        "accuracy": metrics.accuracy_score(labels, predicted),
        "precision": metrics.precision_score(labels, predicted, zero_division=0),
        "recall": metrics.recall_score(labels, predicted, zero_division=0),
        "f1": metrics.f1_score(labels, predicted, zero_division=0),
        "roc_auc": metrics.roc_auc_score(labels, probability) if len(set(labels)) == 2 else 0.5,
        "brier": metrics.brier_score_loss(labels, probability, pos_label=1),
        "ece": calibration_error(probability, labels, 15),
    }


def classification_cases():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 200)
    # Rounding makes ties, which the ranking must count half.
    probability = np.round(np.clip(0.3 * labels + rng.uniform(0, 0.7, 200), 0, 1), 2)
    return [
        classification_case("200 examples with ties", probability, labels),
        classification_case("nothing called positive", [0.1, 0.4, 0.2], [0, 1, 0]),
        classification_case("no positives", [0.1, 0.9, 0.2], [0, 0, 0]),
        classification_case("certain", [0.0, 1.0, 1.0], [0, 1, 0]),
        classification_case("the last two bins err in opposite ways", [0.9, 1.0], [1, 0]),
    ]


def logistic_case(binary):
    rng = random.Random(2)
    texts, labels = [], []
    for _ in range(60):
        label = rng.randint(0, 1)
        pool = WORDS + (["good"] * 4 if label else ["not"] * 4)
        texts.append(" ".join(rng.choice(pool) for _ in range(rng.randint(3, 12))))
        labels.append(label)
    vectorizer = CountVectorizer(token_pattern=r"\S+", binary=binary)
    model = LogisticRegression(C=2.0, tol=1e-12, max_iter=10000)
    model.fit(vectorizer.fit_transform(texts), labels)
    queries = texts[:10] + ["a Good film", "unseen words only", ""]
    probability = model.predict_proba(vectorizer.transform(queries))[:, 1]
    return {"texts": texts, "labels": labels, "binary": binary, "l2": 0.5, "queries": queries,
            "features": len(vectorizer.vocabulary_), "probability": probability.tolist()}


def main():
    default = Path(__file__).parent.parent / "data" / "text_metrics_oracle.json"
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    oracle = {
        "generation": generation_cases(),
        "classification": classification_cases(),
        "logistic": [logistic_case(False), logistic_case(True)],
    }
    output.write_text(json.dumps(oracle, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
