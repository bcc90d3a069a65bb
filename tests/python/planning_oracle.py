"""Prints tests/data/planning_oracle.json: values of policies and optima in Gymnasium's own tables.
Policies are evaluated by solving linear systems and optima found by policy iteration, none of which
rl/classical/planning.cpp does. Needs gymnasium (written with 1.4) and numpy.

    python tests/python/planning_oracle.py > tests/data/planning_oracle.json
"""

import json

import gymnasium
import numpy as np

GAMMA = 0.99


def tables(env):
    """P (actions, states, states) without what ends the episode, R (actions, states), start."""
    states, actions = env.observation_space.n, env.action_space.n
    P, R = np.zeros((actions, states, states)), np.zeros((actions, states))
    for s in range(states):
        for a in range(actions):
            for probability, after, reward, terminated in env.unwrapped.P[s][a]:
                R[a, s] += probability * reward
                if not terminated:
                    P[a, s, after] += probability
    return P, R, np.asarray(env.unwrapped.initial_state_distrib, dtype=float)


def of_policy(P, R, policy, gamma):
    rows = np.arange(len(policy))
    return np.linalg.solve(np.eye(len(policy)) - gamma * P[policy, rows], R[policy, rows])


def limited(P, R, steps, policy=None):
    """Undiscounted, within a time limit; without a policy the best one's."""
    v = np.zeros(P.shape[1])
    for _ in range(steps):
        q = R + P @ v
        v = q.max(0) if policy is None else q[policy, np.arange(len(v))]
    return v


def policy_iteration(P, R, gamma):
    policy = np.zeros(P.shape[1], dtype=int)
    while True:
        v = of_policy(P, R, policy, gamma)
        q = R + gamma * (P @ v)
        better = q.argmax(0)
        keep = q[policy, np.arange(len(v))] >= q.max(0) - 1e-12
        better[keep] = policy[keep]
        if (better == policy).all():
            return v
        policy = better


def main():
    out = {}
    for name in ["CliffWalking-v1", "FrozenLake-v1", "FrozenLake8x8-v1", "Taxi-v4"]:
        env = gymnasium.make(name)
        P, R, start = tables(env)
        steps = env.spec.max_episode_steps or 200
        states = np.arange(P.shape[1])
        policy = (7 * states + 3) % P.shape[0]
        out[name] = {
            "steps": steps,
            "policy": policy.tolist(),
            "policy_discounted": of_policy(P, R, policy, GAMMA).round(12).tolist(),
            "policy_limited": float(start @ limited(P, R, steps, policy)),
            "optimum_discounted": policy_iteration(P, R, GAMMA).round(12).tolist(),
            "optimum_limited": float(start @ limited(P, R, steps)),
        }
    print(json.dumps(out, separators=(",", ":")))


if __name__ == "__main__":
    main()
