#!/usr/bin/env python3
"""Writes tests/data/agreement_oracle.json: agreement of annotators by other people's code.

Krippendorff's alpha by the krippendorff package, Cohen's kappa by scikit-learn, reliabilities as
the maximum of the posterior that data/annotators.h states, found by scipy on the marginal
likelihood without any EM; NFKC by Python's unicodedata; near duplicates by comparing every pair
of texts.

    pip install krippendorff scikit-learn scipy numpy
    python tests/python/agreement_oracle.py
"""

import json
import pathlib
import unicodedata

import krippendorff
import numpy as np
from scipy.optimize import minimize
from sklearn.metrics import cohen_kappa_score


def votes_of(matrix):
    """Annotators x items with NaN where nobody voted -> [item, annotator, value]."""
    return [[int(i), int(a), float(matrix[a, i])]
            for i in range(matrix.shape[1]) for a in range(matrix.shape[0])
            if not np.isnan(matrix[a, i])]


def alphas(rng):
    cases = []
    for annotators, items, values, missing in [(2, 40, 2, 0.0), (3, 30, 2, 0.3), (5, 60, 4, 0.5)]:
        truth = rng.integers(0, values, items)
        matrix = np.where(rng.random((annotators, items)) < 0.7, truth,
                          rng.integers(0, values, (annotators, items))).astype(float)
        matrix[rng.random(matrix.shape) < missing] = np.nan
        case = {"votes": votes_of(matrix),
                "nominal": krippendorff.alpha(matrix, level_of_measurement="nominal"),
                "interval": krippendorff.alpha(matrix, level_of_measurement="interval")}
        both = ~np.isnan(matrix[0]) & ~np.isnan(matrix[1])
        case["kappa"] = cohen_kappa_score(matrix[0, both].astype(int), matrix[1, both].astype(int))
        cases.append(case)
    return cases


def reliabilities(rng, prior=0.75, prior_votes=4.0):
    """p_a that maximise sum_i log((prod p + prod (1 - p)) / 2) + pseudo-votes."""
    right = np.array([0.95, 0.85, 0.8, 0.55, 0.2])
    truth = rng.integers(0, 2, 80)
    matrix = np.where(rng.random((5, 80)) < right[:, None], truth, 1 - truth).astype(float)
    matrix[rng.random(matrix.shape) < 0.3] = np.nan
    voted = ~np.isnan(matrix)
    shared = voted.sum(0) > 1

    def objective(logits):
        yes, no = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
        if_one = np.where(voted, np.where(matrix == 1, yes[:, None], no[:, None]), 0).sum(0)
        if_zero = np.where(voted, np.where(matrix == 0, yes[:, None], no[:, None]), 0).sum(0)
        total = np.logaddexp(if_one, if_zero)[shared].sum()
        return -(total + (prior_votes * (prior * yes + (1 - prior) * no)).sum())

    best = minimize(objective, np.full(5, 1.0), tol=1e-14, options={"gtol": 1e-9})
    return {"votes": votes_of(matrix), "reliability": (1 / (1 + np.exp(-best.x))).tolist()}


def normalisations():
    texts = ["ﬁne  ﬁlm", "Ｆｕｌｌ　ｗｉｄｔｈ！", "味道还可以。", "é", "e\u0301", "\u00a0a\tb\n", "½ ㎏ Ⅳ",
             "한국어", "\u1112\u1161\u11ab", "ﾊﾝｶｸ", "straße"]
    return [[text, " ".join(unicodedata.normalize("NFKC", text).split())] for text in texts]


def near_duplicates(rng, threshold=0.7, n=5):
    words = ["the", "film", "is", "slow", "but", "funny", "味道", "不错", "actor", "plot", "never"]
    texts = []
    for _ in range(60):
        base = list(rng.choice(words, 14))
        texts.append(" ".join(base))
        for _ in range(2):
            edited = list(base)
            for _ in range(int(rng.integers(1, 4))):
                edited[int(rng.integers(0, 14))] = str(rng.choice(words))
            texts.append(" ".join(edited))
    sets = [{t[i:i + n] for i in range(len(t) - n + 1)} for t in texts]
    kept, found = [], []
    for i, own in enumerate(sets):
        near = [(len(own & sets[k]) / len(own | sets[k]), -k) for k in kept]
        best = max(near, default=(0, 0))
        if best[0] >= threshold:
            found.append([i, -best[1], best[0]])
        else:
            kept.append(i)
    return {"threshold": threshold, "texts": texts, "near": found}


def main():
    rng = np.random.default_rng(7)
    out = {"alpha": alphas(rng), "reliability": reliabilities(rng),
           "normalised": normalisations(), "near_duplicates": near_duplicates(rng)}
    path = pathlib.Path(__file__).parent.parent / "data" / "agreement_oracle.json"
    path.write_text(json.dumps(out, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
