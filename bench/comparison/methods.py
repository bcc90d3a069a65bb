"""The methods of the comparison: a command and its flags each, tuned by hand on the demo, so that
each does a fair job and one thread is done within a minute."""

from typing import NamedTuple

CRITIC = "Policy gradient with a critic"
NO_CRITIC = "Policy gradient without a critic"
CHOICE = "Choosing among samples"
CONDITION = "Conditioned on the reward"
OWN_PAIRS = "Preferences between own samples"
PAIRS = "Preferences from a file"
FAMILIES = ("Start", CRITIC, NO_CRITIC, CHOICE, CONDITION, OWN_PAIRS, PAIRS)


class Method(NamedTuple):
    name: str
    family: str
    command: str         # of the program; empty: nothing is trained
    flags: str = ""      # learning rates are the demo's; a task may scale them
    condition: str = ""  # what the policy reads before a prompt when it is evaluated
    samples: int = 0     # it trains nothing and leaves the best of so many answers to each prompt

    @property
    def offline(self):
        return self.family == PAIRS


# A nat of KL costs 0.4 of the reward model's score wherever scores are taken as they are, as in the
# demo's PPO: then methods differ in how they get there, not in what they look for. Advantages over
# the deviation of scores, which is about 2, get half of it.
RATE = "--learning_rate 3e-4 --min_learning_rate 3e-5"
TWICE = "--num_iterations 2"  # passes over what was sampled
HEADS = "--learning_rate 1e-3 --min_learning_rate 1e-4 --lam 0.95"  # heads alone, on a frozen trunk

METHODS = (
    Method("sft", "Start", ""),

    Method("ppo", CRITIC, "ppo", f"{RATE} --kl_coef 0.4"),
    Method("ppo_lora", CRITIC, "ppo",
           "--use_peft --learning_rate 3e-3 --min_learning_rate 3e-4 --kl_coef 0.4"),
    Method("actor_critic", CRITIC, "actor_critic",
           f"{HEADS} --beta 0.4"),
    Method("hierarchical", CRITIC, "hierarchical",
           f"{HEADS} --beta 0.4 --segments 4 "
           "--subtasks warm=keyword:love|charming|wonderful;short=length:max=4"),

    Method("reinforce", NO_CRITIC, "reinforce",
           "--learning_rate 6e-4 --min_learning_rate 6e-5 --beta 0.4"),
    Method("reinforce++", NO_CRITIC, "reinforce",
           f"--preset reinforce++ {RATE} --beta 0.4 {TWICE}"),
    Method("reinforce++-baseline", NO_CRITIC, "reinforce",
           f"--preset reinforce++-baseline {RATE} --kl_loss_coef 0.2 {TWICE}"),
    Method("rloo", NO_CRITIC, "rloo", f"{RATE} --num_generations 4 --beta 0.4 {TWICE}"),
    Method("grpo", NO_CRITIC, "grpo", f"{RATE} --loss_type grpo --beta 0.2 {TWICE}"),
    Method("dr_grpo", NO_CRITIC, "grpo",
           f"{RATE} --loss_type dr_grpo --scale_rewards none --beta 0.4 {TWICE}"),
    Method("dapo", NO_CRITIC, "grpo",
           "--learning_rate 1.5e-4 --min_learning_rate 1.5e-5 --loss_type dapo --epsilon_high 0.28 "
           "--beta 0 --dynamic_sampling 5 --overlong_buffer 8 --steps_per_generation 2"),
    Method("bnpo", NO_CRITIC, "grpo", f"{RATE} --loss_type bnpo --beta 0.2 {TWICE}"),
    Method("gspo", NO_CRITIC, "grpo",
           f"{RATE} --importance_sampling_level sequence --epsilon 5e-3 --epsilon_high 1e-2 "
           "--beta 0.2 --steps_per_generation 2"),

    Method("best_of_16", CHOICE, "best_of_n", "--num_generations 16", samples=16),
    Method("raft", CHOICE, "raft", "--learning_rate 6e-4 --min_learning_rate 6e-5 --beta 0.4"),

    # Responses of each quality have to be many before a model tells them apart: few rounds, many
    # steps.
    Method("reward_conditioned", CONDITION, "reward_conditioned",
           "--learning_rate 1e-3 --min_learning_rate 1e-4 --generation_batch_size 960 "
           "--steps_per_generation 60 --num_iterations 4", condition="best: "),
    Method("hir", CONDITION, "hir",
           "--learning_rate 1e-3 --min_learning_rate 1e-4 --generation_batch_size 1920 "
           "--steps_per_generation 120 --num_iterations 3 --conditions bad:|good:",
           condition="good:"),

    Method("online_dpo", OWN_PAIRS, "online_dpo",
           "--learning_rate 5e-4 --min_learning_rate 5e-5 --num_generations 4 --beta 0.5"),

    Method("dpo", PAIRS, "dpo", "--learning_rate 2e-4"),
    Method("dpo_lora", PAIRS, "dpo", "--use_peft --learning_rate 5e-4"),
    Method("dpo_conservative", PAIRS, "dpo", "--learning_rate 2e-4 --label_smoothing 0.05"),
    Method("dpo_robust", PAIRS, "dpo",
           "--learning_rate 2e-4 --loss_type robust --label_smoothing 0.05"),
    Method("dpo_hinge", PAIRS, "dpo", "--learning_rate 2e-4 --loss_type hinge"),
    Method("dpo_ipo", PAIRS, "dpo", "--learning_rate 2e-4 --loss_type ipo --beta 1"),
    Method("kto", PAIRS, "kto", "--learning_rate 2e-4"),
    Method("orpo", PAIRS, "orpo", "--learning_rate 1e-3 --beta 1"),
    Method("simpo", PAIRS, "simpo", "--learning_rate 1e-4"),
)


def scaled(flags, factor):
    """The flags with learning rates times a factor."""
    words = flags.split()
    for i, word in enumerate(words[:-1]):
        if word in ("--learning_rate", "--min_learning_rate") and factor != 1:
            words[i + 1] = f"{float(words[i + 1]) * factor:g}"
    return words
