"""GPT-2 as one would write it in PyTorch for speed: fused attention, tied head, nothing else. The
peer of this project's own in train_peer.py, decode_peer.py and ppo_peer.py."""

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.c_attn = nn.Linear(channels, 3 * channels)
        self.c_proj = nn.Linear(channels, channels)
        self.c_fc = nn.Linear(channels, 4 * channels)
        self.mlp_proj = nn.Linear(4 * channels, channels)

    def split(self, x):
        B, T, C = x.shape
        return [y.view(B, T, self.heads, C // self.heads).transpose(1, 2)
                for y in self.c_attn(self.ln_1(x)).chunk(3, dim=2)]

    def merge(self, x, y):
        x = x + self.c_proj(y.transpose(1, 2).reshape(x.shape))
        return x + self.mlp_proj(F.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))

    def forward(self, x):
        q, k, v = self.split(x)
        return self.merge(x, F.scaled_dot_product_attention(q, k, v, is_causal=True))

    def extend(self, x, cache, at):
        """One new token (B, 1, C) at place `at` (a tensor) of a cache (2, B, H, capacity, D)."""
        q, k, v = self.split(x)
        cache[0].index_copy_(2, at, k)
        cache[1].index_copy_(2, at, v)
        seen = torch.arange(cache.shape[3], device=x.device) <= at
        return self.merge(x, F.scaled_dot_product_attention(q, cache[0], cache[1],
                                                            attn_mask=seen.view(1, 1, 1, -1)))


class Gpt2(nn.Module):
    def __init__(self, vocabulary=50304, positions=1024, channels=768, layers=12, heads=12):
        super().__init__()
        self.shape = (layers, heads, channels)
        self.wte = nn.Embedding(vocabulary, channels)
        self.wpe = nn.Embedding(positions, channels)
        self.h = nn.ModuleList(Block(channels, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(channels)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def hidden(self, token):
        x = self.wte(token) + self.wpe(torch.arange(token.shape[1], device=token.device))
        for block in self.h:
            x = block(x)
        return self.ln_f(x)

    def logits(self, hidden):
        return F.linear(hidden, self.wte.weight)

    def loss(self, token, target):
        logits = self.logits(self.hidden(token))
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), target.view(-1))

    def make_cache(self, batch, capacity, dtype):
        layers, heads, channels = self.shape
        return torch.zeros(layers, 2, batch, heads, capacity, channels // heads, device="cuda",
                           dtype=dtype)

    def extend(self, token, cache, at):
        """Logits (B, V) after one new token (B, 1) at place `at`."""
        x = self.wte(token) + self.wpe(at)
        for block, layer in zip(self.h, cache):
            x = block.extend(x, layer, at)
        return self.logits(self.ln_f(x))[:, 0]
