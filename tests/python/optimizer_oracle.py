"""Prints tests/data/optimizer_oracle.json: parameters after each of five steps of torch.optim.

    python tests/python/optimizer_oracle.py > tests/data/optimizer_oracle.json
"""

import json

import numpy
import torch

ELEMENTS, STEPS = 6, 5


def f32(x):
    """Hyper-parameters as our contracts hold them, in single precision."""
    return float(numpy.float32(x))


OPTIMIZERS = {
    "adamw": (torch.optim.AdamW, {"lr": f32(0.01), "betas": (f32(0.9), f32(0.999)),
                                  "eps": f32(1e-8), "weight_decay": f32(0.1)}),
    "adam_l2": (torch.optim.Adam, {"lr": f32(0.02), "betas": (f32(0.8), f32(0.99)),
                                   "eps": f32(1e-5), "weight_decay": f32(0.05)}),
    "rmsprop_momentum": (torch.optim.RMSprop, {"lr": f32(0.01), "alpha": f32(0.95),
                                               "eps": f32(1e-6), "momentum": f32(0.9)}),
    "sgd_momentum": (torch.optim.SGD, {"lr": f32(0.1), "momentum": f32(0.9),
                                       "weight_decay": f32(0.01)}),
}


def adam_tf(start, gradients, lr, betas, eps):
    """TensorFlow 1's tf.train.AdamOptimizer, by the formula of its documentation."""
    x, m, v = start.numpy().copy(), 0.0, 0.0
    states = []
    for t, g in enumerate(gradients.numpy(), start=1):
        lr_t = lr * numpy.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        x = x - lr_t * m / (numpy.sqrt(v) + eps)
        states.append(x.tolist())
    return states


def main():
    generator = torch.Generator().manual_seed(2)
    start = torch.randn(ELEMENTS, generator=generator, dtype=torch.float64)
    gradients = torch.randn(STEPS, ELEMENTS, generator=generator, dtype=torch.float64)
    result = {"start": start.tolist(), "gradients": gradients.tolist(), "runs": {}}
    for name, (optimizer_type, options) in OPTIMIZERS.items():
        parameter = torch.nn.Parameter(start.clone())
        optimizer = optimizer_type([parameter], **options)
        states = []
        for gradient in gradients:
            parameter.grad = gradient.clone()
            optimizer.step()
            states.append(parameter.tolist())
        result["runs"][name] = {"options": options, "parameters": states}
    options = {"lr": f32(0.01), "betas": (f32(0.9), f32(0.999)), "eps": f32(1e-2)}
    result["runs"]["adam_tf"] = {"options": options,
                                 "parameters": adam_tf(start, gradients, **options)}
    print(json.dumps(result, indent=1))


main()
