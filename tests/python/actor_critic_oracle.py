"""Golden figures for the actor-critic: tests/data/actor_critic_oracle.json.

Responses of several lengths, each token with its hidden state, a policy head (V, C) and a value head
(C): one-step and generalised advantages by the definitions, loss and gradients by torch's autograd.

    python tests/python/actor_critic_oracle.py
"""

import json
import pathlib

import torch

LENGTHS = [5, 1, 3, 7]
V, C = 11, 6
GAMMA = 0.97
TEMPERATURE = 0.7


def advantages(rewards, values, lam):
    """A_t = sum_l (gamma lambda)^l delta_{t+l}, written out and not recursively."""
    out, at = [], 0
    for n in LENGTHS:
        r, v = rewards[at:at + n], torch.cat([values[at:at + n], torch.zeros(1)])
        delta = r + GAMMA * v[1:] - v[:-1]
        out += [sum((GAMMA * lam) ** (k - t) * delta[k] for k in range(t, n)) for t in range(n)]
        at += n
    return torch.stack(out)


def main():
    torch.manual_seed(3)
    N = sum(LENGTHS)
    hidden = torch.randn(N, C)
    head, value_head = 0.8 * torch.randn(V, C), 0.5 * torch.randn(C)
    target = torch.randint(0, V, (N,))
    rewards = 0.3 * torch.randn(N)
    old_values = hidden @ value_head
    old_log_prob = torch.log_softmax(hidden @ head.T / TEMPERATURE, -1)[range(N), target]
    cases = []
    for lam, vf_coef, entropy_coef in [(0.0, 0.5, 0.0), (0.95, 0.1, 0.02), (1.0, 1.0, 0.3)]:
        leaves = [x.clone().requires_grad_(True) for x in (hidden, head, value_head)]
        h, w, v = leaves
        advantage = advantages(rewards, old_values, lam)
        returns = advantage + old_values
        policy = torch.distributions.Categorical(logits=h @ w.T / TEMPERATURE)
        value = h @ v
        loss = (-(advantage * policy.log_prob(target)).mean()
                + vf_coef * 0.5 * torch.nn.functional.mse_loss(value, returns)
                - entropy_coef * policy.entropy().mean())
        loss.backward()
        cases.append({
            "lambda": lam, "vf_coef": vf_coef, "entropy_coef": entropy_coef,
            "advantages": advantage.tolist(), "returns": returns.tolist(), "loss": loss.item(),
            "d_hidden": h.grad.flatten().tolist(), "d_head": w.grad.flatten().tolist(),
            "d_value_head": v.grad.tolist()})
    out = {"torch": torch.__version__, "lengths": LENGTHS, "V": V, "C": C, "gamma": GAMMA,
           "temperature": TEMPERATURE, "hidden": hidden.flatten().tolist(),
           "head": head.flatten().tolist(), "value_head": value_head.tolist(),
           "target": target.tolist(), "rewards": rewards.tolist(), "values": old_values.tolist(),
           "log_prob": old_log_prob.tolist(), "cases": cases}
    path = pathlib.Path(__file__).parent.parent / "data" / "actor_critic_oracle.json"
    path.write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
