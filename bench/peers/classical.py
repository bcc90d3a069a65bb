"""Steps a second of PPO in torch on Gymnasium's CartPole-v1, the peer of `rlhf gym --algo ppo`.

    OMP_NUM_THREADS=1 python bench/peers/classical.py [steps]

The loop of CleanRL's ppo.py with its defaults (4 environments, 128 steps, 4 epochs of 4 minibatches,
two networks of 64 and 64 tanh units), written anew without its logging. Needs torch and gymnasium.
"""

import sys
import time

import gymnasium
import numpy
import torch
from torch import nn

TOTAL = int(sys.argv[1]) if len(sys.argv) > 1 else 20480
ENVS, STEPS, MINIBATCHES, EPOCHS, GAMMA, LAMBDA = 4, 128, 4, 4, 0.99, 0.95


def network(outputs, gain):
    net, sizes = [], [4, 64, 64, outputs]
    for i in range(3):
        layer = nn.Linear(sizes[i], sizes[i + 1])
        nn.init.orthogonal_(layer.weight, gain if i == 2 else 2**0.5)
        nn.init.constant_(layer.bias, 0)
        net += [layer, nn.Tanh()]
    return nn.Sequential(*net[:-1])


torch.set_num_threads(1)
envs = gymnasium.vector.SyncVectorEnv(
    [lambda: gymnasium.wrappers.RecordEpisodeStatistics(gymnasium.make("CartPole-v1"))] * ENVS)
actor, critic = network(2, 0.01), network(1, 1.0)
parameters = [*actor.parameters(), *critic.parameters()]
adam = torch.optim.Adam(parameters, lr=2.5e-4, eps=1e-5)
obs = torch.zeros(STEPS, ENVS, 4)
actions, logprobs, rewards, dones, values = (torch.zeros(STEPS, ENVS) for _ in range(5))
next_obs, next_done = torch.tensor(envs.reset(seed=1)[0]), torch.zeros(ENVS)

start = time.time()
updates = TOTAL // (ENVS * STEPS)
for update in range(updates):
    adam.param_groups[0]["lr"] = 2.5e-4 * (1 - update / updates)
    for t in range(STEPS):
        obs[t], dones[t] = next_obs, next_done
        with torch.no_grad():
            p = torch.distributions.Categorical(logits=actor(next_obs))
            action = p.sample()
            values[t] = critic(next_obs).flatten()
        actions[t], logprobs[t] = action, p.log_prob(action)
        seen, reward, terminated, truncated, _ = envs.step(action.numpy())
        rewards[t] = torch.tensor(reward)
        next_obs = torch.tensor(seen)
        next_done = torch.tensor(numpy.logical_or(terminated, truncated)).float()
    with torch.no_grad():
        following, last = critic(next_obs).flatten(), 0
        advantages = torch.zeros_like(rewards)
        for t in reversed(range(STEPS)):
            alive = 1 - (next_done if t == STEPS - 1 else dones[t + 1])
            v = following if t == STEPS - 1 else values[t + 1]
            last = rewards[t] + GAMMA * v * alive - values[t] + GAMMA * LAMBDA * alive * last
            advantages[t] = last
        returns = advantages + values
    rows = [x.reshape(STEPS * ENVS, *x.shape[2:])
            for x in (obs, actions, logprobs, advantages, returns, values)]
    for _ in range(EPOCHS):
        for picked in torch.randperm(STEPS * ENVS).chunk(MINIBATCHES):
            o, a, old, advantage, target, old_value = (x[picked] for x in rows)
            p = torch.distributions.Categorical(logits=actor(o))
            ratio = (p.log_prob(a) - old).exp()
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
            policy = torch.max(-advantage * ratio, -advantage * ratio.clamp(0.8, 1.2)).mean()
            value = critic(o).flatten()
            clipped = old_value + (value - old_value).clamp(-0.2, 0.2)
            error = 0.5 * torch.max((value - target) ** 2, (clipped - target) ** 2).mean()
            adam.zero_grad()
            (policy - 0.01 * p.entropy().mean() + 0.5 * error).backward()
            nn.utils.clip_grad_norm_(parameters, 0.5)
            adam.step()
seconds, cpu = time.time() - start, time.process_time()
print(f"{updates * STEPS * ENVS / seconds:.0f} steps/s over {seconds:.1f} s ({cpu:.1f} s of CPU)")
