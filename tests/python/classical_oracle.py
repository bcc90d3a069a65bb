"""Prints tests/data/classical_oracle.json: losses of policy gradients and their gradients in torch.

    /opt/oracle/bin/python tests/python/classical_oracle.py > tests/data/classical_oracle.json

An actor and a critic of two hidden tanh layers, and a batch that has ratios and values on both sides
of their clips. The losses are written as CleanRL's ppo.py and Stable-Baselines3's A2C have them
(policy, value and entropy by torch.distributions.Categorical); gradients are torch's. Advantages are
the loop of CleanRL over steps with `dones`, plus gamma V(last observation) where time was up, as
Stable-Baselines3's collect_rollouts adds it.
"""

import json

import torch

torch.set_default_dtype(torch.float64)
OBSERVATION, HIDDEN, ACTIONS, ROWS = 3, 5, 3, 12


def f32(x):
    """Inputs as the program holds them, in single precision."""
    return x.to(torch.float32).to(torch.float64)


def layers(generator, outputs):
    sizes = [OBSERVATION, HIDDEN, HIDDEN, outputs]
    made = []
    for i, o in zip(sizes, sizes[1:]):
        weight = f32(torch.randn(i, o, generator=generator) * 0.8)  # (in, out)
        bias = f32(torch.randn(o, generator=generator) * 0.3)
        made.append((weight.requires_grad_(), bias.requires_grad_()))
    return made


def forward(net, x):
    for i, (weight, bias) in enumerate(net):
        x = x @ weight + bias
        if i + 1 < len(net):
            x = torch.tanh(x)
    return x


def flat(net):
    return {f"layers.{i}.{name}": t.detach().flatten().tolist()
            for i, pair in enumerate(net) for name, t in zip(("weight", "bias"), pair)}


def gradients(net):
    return {f"layers.{i}.{name}": t.grad.flatten().tolist()
            for i, pair in enumerate(net) for name, t in zip(("weight", "bias"), pair)}


def clear(*nets):
    for net in nets:
        for pair in net:
            for t in pair:
                t.grad = None


def losses():
    g = torch.Generator().manual_seed(1)
    actor, critic = layers(g, ACTIONS), layers(g, 1)
    obs = f32(torch.randn(ROWS, OBSERVATION, generator=g))
    action = torch.randint(ACTIONS, (ROWS,), generator=g)
    advantage, returns = (f32(torch.randn(ROWS, generator=g)) for _ in range(2))
    with torch.no_grad():
        now = torch.distributions.Categorical(logits=forward(actor, obs)).log_prob(action)
        old_log_prob = f32(now + 0.4 * torch.randn(ROWS, generator=g))
        old_value = f32(forward(critic, obs)[:, 0] + 0.4 * torch.randn(ROWS, generator=g))
    result = {"actor": flat(actor), "critic": flat(critic), "observation": obs.flatten().tolist(),
              "action": action.tolist(), "advantage": advantage.tolist(),
              "returns": returns.tolist(), "log_prob": old_log_prob.tolist(),
              "value": old_value.tolist(), "losses": {}}

    for name in ("policy_gradient", "clipped", "clipped_policy"):
        clear(actor, critic)
        p = torch.distributions.Categorical(logits=forward(actor, obs))
        newvalue = forward(critic, obs)[:, 0]
        entropy = p.entropy().mean()
        v_unclipped = (newvalue - returns) ** 2
        if name == "policy_gradient":
            policy = -(advantage * p.log_prob(action)).mean()
            value = 0.5 * v_unclipped.mean()
        else:
            ratio = (p.log_prob(action) - old_log_prob).exp()
            policy = torch.max(-advantage * ratio,
                               -advantage * torch.clamp(ratio, 1 - 0.2, 1 + 0.2)).mean()
            clipped = old_value + torch.clamp(newvalue - old_value, -0.2, 0.2)
            v_clipped = (clipped - returns) ** 2
            value = 0.5 * (torch.max(v_unclipped, v_clipped) if name == "clipped"
                           else v_unclipped).mean()
            if name == "clipped":
                assert ((ratio - 1).abs() > 0.2).any() and ((ratio - 1).abs() < 0.2).any()
        loss = policy - 0.01 * entropy + 0.5 * value
        loss.backward()
        result["losses"][name] = {
            "sum": loss.item(), "policy": policy.item(), "value": value.item(),
            "entropy": entropy.item(), "actor": gradients(actor), "critic": gradients(critic)}
    return result


def advantages():
    """(environments, steps) matrices; ends of both kinds, one at the last step of a row."""
    g = torch.Generator().manual_seed(2)
    n, steps, gamma, lam = 3, 9, 0.97, 0.9
    reward, value, last_value = (f32(torch.randn(n, steps, generator=g)) for _ in range(3))
    next_value = f32(torch.randn(n, generator=g))
    terminated, truncated = torch.zeros(n, steps), torch.zeros(n, steps)
    terminated[0, 2] = terminated[1, 0] = terminated[2, 8] = 1
    truncated[0, 6] = truncated[1, 8] = truncated[2, 3] = 1
    bootstrapped = reward + gamma * last_value * truncated
    done = terminated + truncated
    advantage = torch.zeros(n, steps)
    lastgaelam = torch.zeros(n)
    for t in reversed(range(steps)):
        nextnonterminal = 1 - done[:, t]
        nextvalues = next_value if t == steps - 1 else value[:, t + 1]
        delta = bootstrapped[:, t] + gamma * nextvalues * nextnonterminal - value[:, t]
        lastgaelam = delta + gamma * lam * nextnonterminal * lastgaelam
        advantage[:, t] = lastgaelam
    return {"environments": n, "steps": steps, "gamma": gamma, "lambda": lam,
            "reward": bootstrapped.flatten().tolist(), "value": value.flatten().tolist(),
            "bootstrap": next_value.tolist(), "end": done.int().flatten().tolist(),
            "advantage": advantage.flatten().tolist(),
            "returns": (advantage + value).flatten().tolist()}


print(json.dumps({"losses": losses(), "advantages": advantages()}))
