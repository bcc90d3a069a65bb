"""PPO iterations of TRL 0.11's PPOv2Trainer on models with random weights, as a worker of ppo.py: the
trainer's own loop, which waits after each of the iterations that it was asked for."""

import sys
import time

import datasets
import torch
from tokenizers import Tokenizer, models
from transformers import (GPT2Config, GPT2ForSequenceClassification, GPT2LMHeadModel,
                          PreTrainedTokenizerFast, TrainerCallback)
from trl.trainer.ppov2_trainer import PPOv2Config, PPOv2Trainer

import worker


class Turns(TrainerCallback):
    """Answers when as many iterations are done as were asked for, and waits for the next question."""

    def __init__(self):
        self.seconds, self.wanted = [], self.ask()

    def ask(self):
        line = sys.stdin.readline()
        if not line:
            sys.exit(0)
        self.start = time.perf_counter()
        return int(line)

    def on_step_end(self, args, state, control, **others):
        self.seconds.append(time.perf_counter() - self.start)
        self.start = time.perf_counter()
        if len(self.seconds) == self.wanted:
            worker.answer(self.seconds)
            self.seconds, self.wanted = [], self.ask()


def main():
    job = worker.job()
    # The trainer talks on stdout, which is for answers.
    worker.keep_stdout()
    torch.set_num_threads(job["threads"])
    end = job["vocab_size"] - 1
    shape = dict(vocab_size=job["vocab_size"], n_positions=job["prompt"] + job["response"] + 1,
                 n_embd=job["n_embd"], n_layer=job["n_layer"], n_head=job["n_head"],
                 bos_token_id=end, eos_token_id=end, pad_token_id=end)
    vocabulary = {f"t{i}": i for i in range(end)} | {"<end>": end}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="<end>")),
        eos_token="<end>", pad_token="<end>")
    prompts = torch.randint(end, (job["episodes"], job["prompt"])).tolist()
    data = datasets.Dataset.from_dict({"input_ids": prompts})
    config = PPOv2Config(
        output_dir=job["folder"], report_to=[], save_strategy="no", num_sample_generations=0,
        use_cpu=True, disable_tqdm=True, logging_steps=10**9, learning_rate=1e-6,
        total_episodes=10**6 * job["episodes"], num_ppo_epochs=job["epochs"],
        num_mini_batches=job["mini_batches"], gradient_accumulation_steps=1,
        per_device_train_batch_size=job["episodes"] // job["mini_batches"],
        local_rollout_forward_batch_size=job["episodes"], response_length=job["response"],
        temperature=1.0, stop_token=None)

    def classifier():
        return GPT2ForSequenceClassification(GPT2Config(num_labels=1, **shape))

    trainer = PPOv2Trainer(
        config=config, tokenizer=tokenizer, policy=GPT2LMHeadModel(GPT2Config(**shape)),
        ref_policy=GPT2LMHeadModel(GPT2Config(**shape)), reward_model=classifier(),
        value_model=classifier(), train_dataset=data, eval_dataset=data, callbacks=[Turns()])
    trainer.train()


if __name__ == "__main__":
    main()
