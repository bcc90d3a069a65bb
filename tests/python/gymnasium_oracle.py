#!/usr/bin/env python3
"""Writes tests/data/gymnasium/*.json: what Gymnasium's environments do.

From given states with given actions each deterministic environment is driven for several hundred
steps; tables of the tabular ones are written entry by entry; specs are those of the registry;
the running moments are those of the wrappers for vectors of environments.

    pip install gymnasium==1.4.0
    python tests/python/gymnasium_oracle.py
"""

import json
import math
import pathlib
import random

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import NormalizeReward
from gymnasium.wrappers.utils import RunningMeanStd

FOLDER = pathlib.Path(__file__).parent.parent / "data" / "gymnasium"


def finite(bounds):
    """JSON has no infinity; a null stands for one."""
    return [float(x) if math.isfinite(x) else None for x in bounds]


def spec_of(name, **options):
    env = gymnasium.make(name, **options)
    space = env.observation_space
    spec = {"id": name, "options": {k: str(v) for k, v in options.items()},
            "actions": int(env.action_space.n),
            "max_episode_steps": env.spec.max_episode_steps,
            "reward_threshold": env.spec.reward_threshold}
    if isinstance(space, gymnasium.spaces.Discrete):
        spec["states"] = int(space.n)
    else:
        spec["low"], spec["high"] = finite(space.low), finite(space.high)
    return spec


def balance(observation, rng):
    """A hand-written controller that keeps the pole up, with some noise."""
    x, x_dot, theta, theta_dot = observation
    wish = theta + 0.4 * theta_dot + 0.05 * x + 0.1 * x_dot
    return int(wish > 0) if rng.random() < 0.9 else rng.randrange(2)


def swing(observation, rng):
    return rng.randrange(3) if rng.random() < 0.3 else 2 * int(observation[1] > 0)


def pump(observation, rng):
    return rng.randrange(3) if rng.random() < 0.3 else 2 * int(observation[5] > 0)


def trace(name, start, policy, steps, seed):
    """One episode at most; numbers as float32 in nine digits, which is all of them."""
    rng = random.Random(seed)
    env = gymnasium.make(name, max_episode_steps=10_000).unwrapped
    env.reset(seed=0)
    env.state = np.array(start, dtype=np.float64)
    observation = {"CartPole-v1": lambda: start, "MountainCar-v0": lambda: start}.get(
        name, lambda: env._get_ob())()
    actions, observations, rewards, ended = [], [], [], []
    for _ in range(steps):
        action = policy(observation, rng)
        observation, reward, terminated, _, _ = env.step(action)
        actions.append(action)
        observations.append([float(f"{x:.9g}") for x in observation])
        rewards.append(float(reward))
        ended.append(bool(terminated))
        if terminated:
            break
    return {"id": name, "start": list(start), "actions": "".join(map(str, actions)),
            "observations": observations, "rewards": "".join("01"[r == 0] for r in rewards)
            if name == "Acrobot-v1" else None, "terminated": ended[-1]}


def table(name, **options):
    """Outcomes in the order of state and action, each [probability, next, reward, terminated]."""
    env = gymnasium.make(name, **options).unwrapped
    initial = {int(s): float(p) for s, p in enumerate(env.initial_state_distrib) if p > 0}
    values = sorted(set(initial.values()))
    assert len(values) == 1  # uniform over the states where an episode may begin
    outcomes, counts = [], []
    for s in range(env.observation_space.n):
        for a in range(env.action_space.n):
            counts.append(len(env.P[s][a]))
            for p, next_state, reward, terminated in env.P[s][a]:
                outcomes.append([float(p), int(next_state), float(reward), int(terminated)])
    kinds = sorted({(p, r, t) for p, _, r, t in outcomes})
    return {"id": name, "options": {k: str(v) for k, v in options.items()},
            "initial": sorted(initial), "kinds": kinds,
            "counts": "".join(map(str, counts)),
            "next": [n for _, n, _, _ in outcomes],
            "kind": [kinds.index((p, r, t)) for p, _, r, t in outcomes]}


def masks():
    env = gymnasium.make("Taxi-v4").unwrapped
    return ["".join(map(str, env.action_mask(s))) for s in range(500)]


def normalised():
    """Running moments of three batches; rewards of two CartPoles driven by given actions."""
    rng = np.random.default_rng(0)
    moments = RunningMeanStd(shape=(3,))
    batches = [rng.normal(5, 2, (4, 3)).astype(np.float32) for _ in range(3)]
    for batch in batches:
        moments.update(batch.astype(np.float64))
    env = NormalizeReward(SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")] * 2,
                                        autoreset_mode=AutoresetMode.SAME_STEP), gamma=0.9)
    env.reset(seed=1)
    for i, sub in enumerate(env.unwrapped.envs):
        sub.unwrapped.state = np.array([0, 0, 0.01 * (i + 1), 0.0])
    rewards, ends = [], []
    while len(rewards) < 30:
        _, reward, terminated, _, _ = env.step(np.array([0, 1]))
        rewards.append([float(r) for r in reward])
        ends.append([int(t) for t in terminated])
    return {"batches": [[float(f"{x:.9g}") for x in b.ravel()] for b in batches],
            "mean": moments.mean.tolist(), "variance": moments.var.tolist(),
            "rewards": rewards, "terminated": ends}


def write(name, value):
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, separators=(",", ":"))
    (FOLDER / f"{name}.json").write_text(text + "\n")


LAKE = ["SFFFH", "FHFSF", "FFFFG"]

if __name__ == "__main__":
    write("specs", [spec_of(name) for name in
                    ("CartPole-v1", "Acrobot-v1", "MountainCar-v0", "CliffWalking-v1",
                     "CliffWalkingSlippery-v1", "FrozenLake-v1", "FrozenLake8x8-v1", "Taxi-v4")])
    write("traces", [
        trace("CartPole-v1", [0.03, -0.02, 0.04, 0.01], balance, 300, 1),
        trace("CartPole-v1", [-1.5, 0.4, -0.1, -0.6], balance, 300, 2),
        trace("MountainCar-v0", [-0.52, 0.0], swing, 400, 3),
        trace("MountainCar-v0", [-1.1, -0.05], lambda o, rng: rng.randrange(3), 250, 4),
        trace("Acrobot-v1", [0.05, -0.02, 0.03, 0.08], pump, 300, 5),
        trace("Acrobot-v1", [-0.3, 1.2, 2.0, -3.0], lambda o, rng: rng.randrange(3), 250, 6)])
    write("tables", [
        table("CliffWalking-v1"), table("CliffWalkingSlippery-v1"),
        table("FrozenLake-v1"), table("FrozenLake-v1", is_slippery=False),
        table("FrozenLake8x8-v1", success_rate=0.8),
        table("FrozenLake-v1", desc=LAKE, reward_schedule=(5, -2, -1)),
        table("Taxi-v4"), table("Taxi-v4", is_rainy=True, rainy_probability=0.7)])
    write("taxi_masks", masks())
    write("normalisation", normalised())
