#!/usr/bin/env python3
"""One PPO iteration in PyTorch, with the work of bench_ppo_iteration: policy, critic, reference and
reward model of GPT-2 124M's shape in bf16; responses by CUDA-graph decoding, scores, log-probabilities
and values in one pass each, then epochs of minibatch steps on the clipped losses.

    python3 bench/gpu/ppo_peer.py --output results.jsonl
"""

import argparse
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

from gpt2_peer import Gpt2
from timing import record

GAMMA, LAMBDA, CLIP, KL = 1.0, 0.95, 0.2, 0.05


class Scorer(nn.Module):
    """A trunk and one number a token."""

    def __init__(self, positions):
        super().__init__()
        self.trunk = Gpt2(positions=positions)
        self.score = nn.Linear(768, 1, bias=False)

    def forward(self, token):
        return self.score(self.trunk.hidden(token)).squeeze(-1)


class Iteration:
    def __init__(self, arguments):
        self.a = arguments
        length = arguments.prompt + arguments.response
        torch.manual_seed(1)
        self.policy, self.reference = (Gpt2(positions=length).cuda() for _ in range(2))
        self.critic, self.reward = (Scorer(length).cuda() for _ in range(2))
        self.decoder = Gpt2(positions=length).cuda().bfloat16()  # reads the policy's rounding
        parameters = [*self.policy.parameters(), *self.critic.parameters()]
        self.parameters = parameters
        self.optimizer = torch.optim.AdamW(parameters, lr=1e-6, fused=True)
        self.prompts = torch.randint(50257, (arguments.episodes, arguments.prompt), device="cuda")
        self.forward_policy = torch.compile(self.log_prob)
        self.forward_critic = torch.compile(self.critic)
        self.capture()

    def log_prob(self, model, token):
        """Of each response token, (B, response)."""
        first = self.a.prompt - 1
        logits = model.logits(model.hidden(token)[:, first:-1])
        return -F.cross_entropy(logits.flatten(0, 1).float(), token[:, first + 1:].flatten(),
                                reduction="none").view(token.shape[0], -1)

    @torch.no_grad()
    def capture(self):
        a = self.a
        self.token = torch.zeros(a.episodes, 1, dtype=torch.long, device="cuda")
        self.at = torch.zeros(1, dtype=torch.long, device="cuda")
        self.cache = self.decoder.make_cache(a.episodes, a.prompt + a.response, torch.bfloat16)

        def step():
            logits = self.decoder.extend(self.token, self.cache, self.at)
            self.token.copy_(torch.multinomial(torch.softmax(logits.float(), -1), 1))
            self.at.add_(1)

        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        self.at.zero_()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            step()

    @torch.no_grad()
    def generate(self):
        a = self.a
        for mine, theirs in zip(self.decoder.parameters(), self.policy.parameters()):
            mine.copy_(theirs)
        x = self.decoder.wte(self.prompts) + self.decoder.wpe.weight[:a.prompt]
        for block, layer in zip(self.decoder.h, self.cache):
            q, k, v = block.split(x)
            layer[0, :, :, :a.prompt], layer[1, :, :, :a.prompt] = k, v
            x = block.merge(x, F.scaled_dot_product_attention(q, k, v, is_causal=True))
        logits = self.decoder.logits(self.decoder.ln_f(x[:, -1]))
        self.token.copy_(torch.multinomial(torch.softmax(logits.float(), -1), 1))
        self.at.fill_(a.prompt)
        tokens = [self.token.clone()]
        for _ in range(a.response - 1):
            self.graph.replay()
            tokens.append(self.token.clone())
        return torch.cat([self.prompts, *tokens], 1)

    @torch.no_grad()
    def experience(self, token):
        parts = []
        for rows in token.split(self.a.batch):
            with torch.autocast("cuda", dtype=torch.bfloat16):
                parts.append((self.forward_policy(self.policy, rows),
                              self.forward_policy(self.reference, rows),
                              self.forward_critic(rows)[:, self.a.prompt - 1:-1],
                              self.reward(rows)[:, -1]))
        old, reference, value, score = (torch.cat(column).float() for column in zip(*parts))
        reward = -KL * (old - reference)
        reward[:, -1] += score
        advantage, running = torch.zeros_like(reward), torch.zeros_like(score)
        following = torch.cat([value[:, 1:], torch.zeros_like(value[:, :1])], 1)
        delta = reward + GAMMA * following - value
        for t in reversed(range(reward.shape[1])):
            running = delta[:, t] + GAMMA * LAMBDA * running
            advantage[:, t] = running
        returns = advantage + value
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        return old, value, advantage, returns

    def learn(self, token, old, value, advantage, returns):
        with torch.autocast("cuda", dtype=torch.bfloat16):
            now = self.forward_policy(self.policy, token)
            seen = self.forward_critic(token)[:, self.a.prompt - 1:-1].float()
        ratio = torch.exp(now - old)
        policy = torch.max(-advantage * ratio, -advantage * ratio.clamp(1 - CLIP, 1 + CLIP)).mean()
        bounded = value + (seen - value).clamp(-CLIP, CLIP)
        critic = 0.5 * torch.max((seen - returns) ** 2, (bounded - returns) ** 2).mean()
        (policy + 0.1 * critic).backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def __call__(self):
        torch.cuda.synchronize()
        start = time.perf_counter()
        token = self.generate()
        torch.cuda.synchronize()
        generated = time.perf_counter()
        seen = self.experience(token)
        for _ in range(self.a.epochs):
            for rows in torch.randperm(self.a.episodes, device="cuda").split(self.a.batch):
                self.learn(token[rows], *(x[rows] for x in seen))
        torch.cuda.synchronize()
        end = time.perf_counter()
        return end - start, generated - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=64)
    parser.add_argument("--prompt", type=int, default=64)
    parser.add_argument("--response", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16, help="episodes in a minibatch")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", required=True, help="file of JSON lines to append to")
    a = parser.parse_args()
    iteration = Iteration(a)
    for _ in range(2):  # compilation
        iteration()
    rounds = [iteration() for _ in range(a.rounds)]
    what = f"124M x4, {a.episodes} episodes of {a.prompt}+{a.response}, {a.epochs} epochs"
    record(a.output, part="ppo", what=f"iteration, {what}", engine="torch compiled",
           seconds=statistics.median(total for total, _ in rounds))
    record(a.output, part="ppo", what=f"generation, {what}", engine="torch compiled",
           seconds=statistics.median(generation for _, generation in rounds))


if __name__ == "__main__":
    main()
