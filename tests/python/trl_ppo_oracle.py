"""Golden figures for PPO by TRL 0.11's own trainers: tests/data/trl_ppo_oracle.json.

Three things, the last two of which are whole updates of tiny GPT-2 models, parameters included:

- "functions": PPOTrainer.compute_rewards, compute_advantages and loss, trl.core's masked_whiten and
  entropy_from_logits, and AdaptiveKLController, called on ragged random episodes. Whitened rewards
  stop there: compute_advantages lets what whitening makes of the padding into its sums;
- "step": PPOTrainer.step, a value head on the policy's trunk, responses that end;
- "train": PPOv2Trainer.train, policy and critic apart, at a temperature, responses of full length
  (where one ends early that trainer puts the score on the place behind it, unlike
  lm-human-preferences and PPOTrainer).

The models' weights are a formula of their places, which the test evaluates too. Responses are
sampled here from the counters that ARCHITECTURE.md states, so that TRL learns from the very tokens
that `ppo` samples. TRL divides by the unbiased deviation when it whitens; the whole updates set
masked_var's own `unbiased` to False, as lm-human-preferences has it, and "functions" has both.

    pip install trl==0.11.0 transformers==4.45.2 'datasets<3.1' 'huggingface_hub<0.26' 'tokenizers<0.21'
    python tests/python/trl_ppo_oracle.py
"""

import copy
import json
import pathlib
import tempfile
import types

import numpy as np
import torch
import trl
import trl.core
import trl.trainer.ppov2_trainer as ppov2
from datasets import Dataset
from tokenizers import Tokenizer, models
from transformers import GPT2Config, GPT2ForSequenceClassification, GPT2LMHeadModel
from transformers import PreTrainedTokenizerFast
from trl.trainer.utils import AdaptiveKLController

VOCABULARY, PAD, EOS = 12, 12, 10
SEED, EPISODES, RESPONSE, EPOCHS = 3, 16, 6, 3
MINI_BATCHES = {"step": 1, "train": 2}
SETTINGS = {"kl_coef": 0.3, "gamma": 0.97, "lam": 0.9, "cliprange": 0.1, "cliprange_value": 0.05,
            "vf_coef": 0.3, "learning_rate": 2e-3, "adam_epsilon": 1e-5, "temperature": 0.7,
            "kl_target": 4.0, "kl_horizon": 100.0}
PROMPTS = [[1, 2, 3], [4], [5, 6, 7, 8, 9], [0, 1], [2, 2], [8], [3, 9, 4, 4], [7, 0],
           [11, 1], [6], [9, 9, 1], [0, 5, 2, 8], [10, 3], [1], [7, 7, 7], [2, 4]]
LENGTHS = [5, 1, 8, 3, 6]


# ---- the engine's random numbers (kernels/philox.h, data/shuffle.cpp, kernels/cpu/sample.cpp)

def philox(counter, key):
    for _ in range(10):
        a, b = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(b >> 32) ^ counter[1] ^ key[0], b & 0xFFFFFFFF,
                   (a >> 32) ^ counter[3] ^ key[1], a & 0xFFFFFFFF]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return counter


def random_bits(seed, stream, draw, index):
    words = philox([index & 0xFFFFFFFF, index >> 32, draw, stream << 28], [seed, 0])
    return words[0] << 32 | words[1]


def permutation(n, seed, epoch):
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        j = random_bits(seed, 2, epoch, i) * (i + 1) >> 64
        order[i], order[j] = order[j], order[i]
    return order


def minibatch_orders():
    """What `ppo` takes in its first update, where TRL asks numpy for a permutation."""
    return iter([np.array(permutation(EPISODES, SEED + 1, EPOCHS + e)) for e in range(EPOCHS)])


@torch.no_grad()
def sample(policy, temperature, stops):
    """Prompts in the order in which they are drawn, and a response to each."""
    order = permutation(EPISODES, SEED, 0)
    episodes = []
    for number, prompt in enumerate(PROMPTS[i] for i in order):
        response = []
        while len(response) < RESPONSE and not (stops and EOS in response):
            logits = policy(torch.tensor([prompt + response])).logits[0, -1] / temperature
            u = (random_bits(SEED, 3, 0, number << 24 | len(response)) >> 11) * 2.0**-53
            reached = torch.softmax(logits, 0).cumsum(0)
            response.append(int((reached <= u).sum().clamp(max=VOCABULARY - 1)))
        episodes.append((prompt, response))
    return episodes


def score_of(response):
    return 0.25 * sum(token % 5 - 2 for token in response)


# ---- models by formula

def config():
    return GPT2Config(vocab_size=VOCABULARY, n_positions=16, n_embd=8, n_layer=2, n_head=2,
                      resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, num_labels=1,
                      summary_dropout_prob=0.0, pad_token_id=PAD, bos_token_id=None,
                      eos_token_id=None, attn_implementation="eager")


def formula(count, place, shift):
    i = np.arange(count, dtype=np.float64)
    x = 0.4 * np.sin(0.7 * i * i + 1.3 * i + place) + shift * np.cos(0.9 * i * i + place)
    return torch.tensor(x.astype(np.float32)).double()


def fill(transformer, shift):
    names = []
    for place, (name, parameter) in enumerate(transformer.named_parameters()):
        scale = name.startswith(("wte", "h")) and parameter.dim() == 2
        values = formula(parameter.numel(), place, shift) * (1.0 if scale else 0.5)
        values += 1.0 if ".ln_" in "." + name and name.endswith("weight") else 0.0
        parameter.data = values.to(torch.float32).double().view(parameter.shape)
        names.append(name)
    return names


def language_model(shift):
    model = GPT2LMHeadModel(config()).double()
    names = fill(model.transformer, shift)
    return model, names


def head_weights():
    return formula(8, 99, 0.0)


def rounded(values, digits=8):
    return [round(x, digits) for x in values]


def parameters(transformer):
    return {n: rounded(p.detach().flatten().tolist()) for n, p in transformer.named_parameters()}


def tokenizer():
    words = {str(i): i for i in range(VOCABULARY)} | {"pad": PAD}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(words)),
                                   pad_token="pad", eos_token=str(EOS), padding_side="right")


# ---- 1. single functions

def functions():
    torch.manual_seed(0)
    T = max(LENGTHS)
    mask = (torch.arange(T)[None] < torch.tensor(LENGTHS)[:, None]).long()
    f32 = lambda x: x.to(torch.float32).double()
    draw = lambda scale: f32(scale * torch.randn(len(LENGTHS), T))
    ragged = lambda m: [rounded(row[:n].tolist(), 9) for row, n in zip(m.detach(), LENGTHS)]
    old, old_values, scores = f32(-draw(1.5).abs()), draw(0.7), f32(2 * torch.randn(len(LENGTHS)))
    ref, new, values = f32(old + draw(0.3)), f32(old + draw(0.25)), f32(old_values + draw(0.6))
    logits = f32(2 * torch.randn(len(LENGTHS), T, VOCABULARY))
    cases = []
    for unbiased, kl in ((False, "kl"), (False, "abs"), (False, "mse"), (True, "kl")):
        trl.core.masked_var.__defaults__ = (unbiased,)
        this = types.SimpleNamespace(
            kl_ctl=types.SimpleNamespace(value=SETTINGS["kl_coef"]),
            config=types.SimpleNamespace(kl_penalty=kl, whiten_rewards=False, ratio_threshold=10.0,
                                         **SETTINGS))
        this._kl_penalty = types.MethodType(trl.PPOTrainer._kl_penalty, this)
        rewards, non_score, _ = trl.PPOTrainer.compute_rewards(this, scores, old, ref, mask)
        masked, advantages, returns = trl.PPOTrainer.compute_advantages(
            this, old_values, rewards, mask)
        p, v = new.clone().requires_grad_(), values.clone().requires_grad_()
        policy_loss, value_loss, stats = trl.PPOTrainer.loss(
            this, old, masked, logits, v, p, mask, advantages, returns)
        (policy_loss + value_loss).backward()
        skip = {"policy/advantages", "policy/ratio"}
        cases.append({
            "unbiased": unbiased, "kl": kl, "rewards": ragged(rewards),
            "whitened_rewards": ragged(trl.core.masked_whiten(rewards, mask, shift_mean=False)),
            "advantages": ragged(advantages), "returns": ragged(returns),
            "d_logprobs": ragged(p.grad), "d_values": ragged(v.grad),
            "non_score_reward": (non_score * mask).sum(1).mean().item(),
            "stats": {k: x.item() for k, x in stats.items() if k not in skip}})
    controller = AdaptiveKLController(0.15, 6.0, 10000)
    kls, coefficients = [0.0, 3.0, 5.9, 6.5, 20.0, 7.0], []
    for kl in kls:
        controller.update(kl, 512)
        coefficients.append(controller.value)
    return {"lengths": LENGTHS, "settings": SETTINGS, "old_logprobs": ragged(old),
            "ref_logprobs": ragged(ref), "new_logprobs": ragged(new), "scores": scores.tolist(),
            "old_values": ragged(old_values), "new_values": ragged(values), "cases": cases,
            "logits": [rounded(x.tolist(), 9) for x in logits[mask.bool()]],
            "entropy": rounded(trl.core.entropy_from_logits(logits)[mask.bool()].tolist(), 9),
            "controller": {"kl": kls, "coefficient": coefficients}}


# ---- 2. PPOTrainer.step

def step():
    policy, names = language_model(0.05)
    reference, _ = language_model(0.0)
    episodes = sample(policy, 1.0, stops=True)
    wrap = trl.AutoModelForCausalLMWithValueHead
    model, frozen = wrap.from_pretrained(policy), wrap.from_pretrained(reference)
    model.v_head.summary.weight.data = head_weights()[None]
    model.v_head.summary.bias.data.zero_()
    model.v_head.summary.bias.requires_grad = False
    model.double()
    s = SETTINGS
    optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad),
                                 lr=s["learning_rate"], eps=s["adam_epsilon"])
    trainer = trl.PPOTrainer(
        trl.PPOConfig(batch_size=EPISODES, mini_batch_size=EPISODES // MINI_BATCHES["step"],
                      ppo_epochs=EPOCHS, init_kl_coef=s["kl_coef"], target=s["kl_target"],
                      horizon=s["kl_horizon"], gamma=s["gamma"], lam=s["lam"],
                      cliprange=s["cliprange"], cliprange_value=s["cliprange_value"],
                      vf_coef=s["vf_coef"], log_with=None),
        model, frozen, tokenizer(), optimizer=optimizer)
    # Padding must have an embedding here; what it is does not matter behind the mask.
    trainer.tokenizer.pad_token = "0"
    orders = minibatch_orders()
    np.random.permutation = lambda n: next(orders)
    stats = trainer.step([torch.tensor(p) for p, _ in episodes],
                         [torch.tensor(r) for _, r in episodes],
                         [torch.tensor(score_of(r), dtype=torch.float64) for _, r in episodes])
    kept = ("objective/kl", "objective/kl_coef", "objective/entropy", "ppo/mean_scores",
            "ppo/loss/policy", "ppo/loss/value", "ppo/policy/entropy", "ppo/policy/approxkl",
            "ppo/policy/policykl", "ppo/policy/clipfrac", "ppo/val/vpred", "ppo/val/error",
            "ppo/val/clipfrac", "ppo/val/mean", "tokens/responses_len_mean",
            "tokens/queries_len_mean")
    return {"prompts": PROMPTS, "names": names, "seed": SEED, "eos": EOS,
            "responses": [r for _, r in episodes],
            "scores": [score_of(r) for _, r in episodes],
            "kl_coefficient_after": float(trainer.kl_ctl.value),
            "stats": {k: float(stats[k]) for k in kept},
            "policy": parameters(model.pretrained_model.transformer),
            "head": rounded(model.v_head.summary.weight.detach().flatten().tolist())}


# ---- 3. PPOv2Trainer.train

class Judge(torch.nn.Module):
    """In the reward model's place: score_of a response."""


def train():
    policy, names = language_model(0.05)
    reference, _ = language_model(0.0)
    critic = GPT2ForSequenceClassification(config()).double()
    fill(critic.transformer, -0.05)
    critic.score.weight.data = head_weights()[None]
    episodes = sample(policy, SETTINGS["temperature"], stops=False)
    answers = {tuple(p): r for p, r in episodes}

    def answer(model, queries, _, pad, generation):
        responses = torch.tensor([answers[tuple(q[q != pad].tolist())] for q in queries])
        whole = torch.cat([queries, responses], 1)
        logits = ppov2.forward(model, whole, pad).logits[:, queries.shape[1] - 1 : -1]
        return whole, logits / generation.temperature

    get_reward = ppov2.get_reward

    def reward(model, whole, pad, context):
        if not isinstance(model, Judge):
            return get_reward(model, whole, pad, context)
        scores = [score_of([t for t in row if t != pad]) for row in whole[:, context:].tolist()]
        return None, torch.tensor(scores, dtype=torch.float64), None

    ppov2.batch_generation, ppov2.get_reward = answer, reward
    s, pads_left = SETTINGS, tokenizer()
    pads_left.padding_side = "left"
    with tempfile.TemporaryDirectory() as folder:
        trainer = trl.PPOv2Trainer(
            trl.PPOv2Config(output_dir=folder, report_to=[], save_strategy="no", use_cpu=True,
                            total_episodes=EPISODES, num_sample_generations=0,
                            per_device_train_batch_size=EPISODES // MINI_BATCHES["train"],
                            num_mini_batches=MINI_BATCHES["train"], gradient_accumulation_steps=1,
                            local_rollout_forward_batch_size=EPISODES, num_ppo_epochs=EPOCHS,
                            learning_rate=s["learning_rate"], adam_epsilon=s["adam_epsilon"],
                            lr_scheduler_type="constant", response_length=RESPONSE,
                            temperature=s["temperature"], stop_token_id=None,
                            missing_eos_penalty=None, kl_coef=s["kl_coef"], gamma=s["gamma"],
                            lam=s["lam"], cliprange=s["cliprange"], whiten_rewards=True,
                            cliprange_value=s["cliprange_value"], vf_coef=s["vf_coef"]),
            pads_left, policy, reference, Judge(),
            Dataset.from_dict({"input_ids": [p for p, _ in episodes]}), value_model=critic,
            eval_dataset=Dataset.from_dict({"input_ids": PROMPTS}))
        trainer.dataloader = [pads_left.pad({"input_ids": [p for p, _ in episodes]},
                                            return_tensors="pt")]
        orders, logged = minibatch_orders(), {}
        np.random.permutation = lambda n: next(orders)
        trainer.log = logged.update
        trainer.train()
    # "val/ratio_var" is there a variance of minibatches' means.
    left_out = {"eps", "val/ratio_var", "val/num_eos_tokens"}
    return {"prompts": PROMPTS, "names": names, "seed": SEED, "eos": PAD,
            "responses": [r for _, r in episodes],
            "scores": [score_of(r) for _, r in episodes],
            "stats": {k: v for k, v in logged.items() if k not in left_out},
            "policy": parameters(policy.transformer), "critic": parameters(critic.transformer),
            "head": rounded(critic.score.weight.detach().flatten().tolist())}


def main():
    torch.set_default_dtype(torch.float64)
    out = {"trl": trl.__version__, "settings": SETTINGS, "functions": functions()}
    trl.core.masked_var.__defaults__ = (False,)
    out |= {"response_length": RESPONSE, "mini_batches": MINI_BATCHES, "epochs": EPOCHS,
            "step": step(), "train": train()}
    path = pathlib.Path(__file__).parent.parent / "data" / "trl_ppo_oracle.json"
    path.write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
