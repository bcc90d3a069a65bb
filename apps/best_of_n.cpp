// rlhf best_of_n: samples several responses to each prompt, judges them and keeps the best: as
// demonstrations, as preferences, and as a curve of what choosing buys.
#include "rl/best_of_n.h"
#include "apps/print.h"

#include <fmt/core.h>

#include "apps/best_of_n_report.h"
#include "apps/commands.h"
#include "apps/device_flags.h"
#include "apps/judge.h"
#include "apps/response_flags.h"
#include "apps/reward_flags.h"
#include "apps/session.h"
#include "apps/stop_signal.h"
#include "apps/text_table.h"
#include "core/atomic_file.h"
#include "rl/answer_rows.h"
#include "rl/best_of_n_rows.h"
#include "rl/checkpoints.h"
#include "rl/model/chat_encoding.h"
#include "rl/reward/reward.h"

namespace rlhf {
namespace {

struct Options {
  std::string model_name_or_path, judge_model_path, dataset_name, output_dir;
  RewardFlags reward;
  BestOfNConfig best_of_n;
  ResponseFlags responses{best_of_n.responses, best_of_n.scores};
  DeviceFlags device;
};

/// The models that take part, and what is asked.
struct Cast {
  LoadedLanguageModel policy;
  std::optional<LoadedScalarModel> reward_model, judge;
  std::vector<PromptRow> rows;
  std::vector<Tokens> prompts;

  const Tokenizer& tokenizer() const { return *policy.tokenizer; }
};

Cast read(const Options& o) {
  const Placement placement = o.device.placement_for_inference();
  Cast cast{.policy = load_language_model(o.model_name_or_path, placement)};
  cast.reward_model = o.reward.load_model(cast.tokenizer(), placement);
  if (!o.judge_model_path.empty()) cast.judge = load_scalar_model(o.judge_model_path, placement);
  cast.rows = read_prompt_rows(o.dataset_name);
  cast.prompts = encode_prompts(cast.tokenizer(), cast.rows);
  const Gpt2* judge = cast.reward_model ? &cast.reward_model->model.transformer : nullptr;
  check_prompts(cast.prompts, least_positions({&cast.policy.model.transformer, judge}),
                o.best_of_n.responses.length);
  return cast;
}

/// What the judge says of every response, by its own tokenizer; empty without a judge.
ByPrompt judge_all(const Cast& cast, std::span<const RankedResponses> ranked) {
  ByPrompt judged;
  if (!cast.judge) return judged;
  for (const RankedResponses& r : ranked) {
    std::vector<std::string> prompts, responses;
    for (const Episode& e : r.responses) {
      prompts.push_back(readable(cast.tokenizer(), e.prompt));
      responses.push_back(answer_text(cast.tokenizer(), e.response));
    }
    judged.push_back(score(cast.judge->model, encode_for_judge(*cast.judge, prompts, responses)));
  }
  return judged;
}

void conclude(const Options& o, const Cast& cast, std::span<const RankedResponses> ranked,
              Session& session) {
  const BestOfNRows rows = best_of_n_rows(ranked, cast.rows, cast.tokenizer());
  const std::filesystem::path folder = o.output_dir;
  atomic_write(folder / "completions.jsonl", rows.completions);
  atomic_write(folder / "preferences.jsonl", rows.preferences);
  const ByPrompt judged = judge_all(cast, ranked);
  const auto curve = best_of_n_curve(ranked, judged);
  session.finish(
      {{"prompts", ranked.size()},
       {"num_generations", o.best_of_n.num_generations},
       {"completions", rows.completion_count},
       {"preferences", rows.preference_count},
       {"tied", rows.tied},
       {"empty", rows.empty},
       {"curve", curve_json(curve, cast.judge.has_value())}},
      {.title = fmt::format("The best of {}", o.best_of_n.num_generations),
       .introduction = fmt::format("{} responses of {} to each of {} prompts of {}, judged by {}.",
                                   o.best_of_n.num_generations, o.model_name_or_path, ranked.size(),
                                   o.dataset_name, o.reward.summary()),
       .tiles = best_of_n_tiles(curve, cast.judge.has_value()),
       .sections = {best_of_n_section(curve, cast.judge.has_value(), ranked, cast.tokenizer())}});
  say("{}{} completions, {} preferences ({} prompts tied, {} with an empty response)\n",
      table_text(curve_table(curve, cast.judge.has_value())), rows.completion_count,
      rows.preference_count, rows.tied, rows.empty);
}

int best_of_n_main(const Options& o, const Invocation& invocation) {
  check_output_dir(o.output_dir, {o.model_name_or_path, o.reward.model_path(), o.judge_model_path});
  BestOfNConfig config = o.best_of_n;
  config.scores.missing_eos = o.responses.missing_eos();
  validate(config);
  std::vector<NamedReward> functions = o.reward.functions();
  Cast cast = read(o);
  config.responses.stop_token = o.responses.stop_token(cast.tokenizer());
  RewardSum rewards(std::move(functions), cast.tokenizer());
  const Gpt2& policy = cast.policy.model.transformer;
  const int32_t eos = cast.tokenizer().eos();
  if (cast.reward_model) {
    o.reward.normalise(cast.reward_model->model, cast.tokenizer(), policy, cast.prompts,
                       sampling_options(config.responses, eos, config.seed + 1, 0));
    rewards.add("model", o.reward.model_weight(), reward_score(cast.reward_model->model, eos));
  }
  const ScoreFunction score = rewards.over(cast.rows);
  Session session(invocation, o.output_dir, config.seed);
  const OnStep log = session.on_step("best_of_n", {"reward", "best_of_n/best_reward"});
  const std::vector<RankedResponses> ranked = best_of_n(
      policy, cast.prompts, score, eos, config, [&](int64_t done, int64_t total, Metrics metrics) {
        const Metrics of_rewards = rewards.take();
        metrics.insert(metrics.end(), of_rewards.begin(), of_rewards.end());
        log(done, total, metrics);
        return stop_signal() == 0;
      });
  conclude(o, cast, ranked, session);
  if (const int signal = stop_signal(); signal != 0 && ranked.size() < cast.prompts.size()) {
    throw Interrupted(signal, fmt::format("[signal] expected to reach prompt {}, got asked to stop "
                                          "after prompt {}; kept what there is in {}",
                                          cast.prompts.size(), ranked.size(), o.output_dir));
  }
  return 0;
}

void declare(Options& o, Flags& flags) {
  BestOfNConfig& c = o.best_of_n;
  flags.group("Data");
  flags.add("model_name_or_path", o.model_name_or_path, "language model that answers")
      .required()
      .shown_as("DIR");
  flags.add("dataset_name", o.dataset_name, "rows of prompt (or text), or lines of a .txt")
      .required()
      .shown_as("FILE");
  flags
      .add("output_dir", o.output_dir,
           "completions.jsonl (best), preferences.jsonl (best, worst), summary and report")
      .required()
      .shown_as("DIR");
  flags
      .add("judge_model_path", o.judge_model_path,
           "a reward model that chooses nothing: what it says of the choices is reported")
      .shown_as("DIR");
  o.reward.declare(flags);
  o.responses.declare_penalties(flags);
  flags.group("Sampling");
  flags.add("num_generations", c.num_generations, between(1, 1 << 16),
            "N: responses to each prompt, of which one is kept");
  o.responses.declare_sampling(flags, "max_completion_length", "tokens of a response at most",
                               /*learnt=*/false);
  flags.add("per_device_eval_batch_size", c.per_device_eval_batch_size, between(1, 1 << 16),
            "responses sampled at a time; changes nothing else");
  flags.add("seed", c.seed, {}, "same seed, same responses");
  o.device.declare(flags);
}

}  // namespace

Command best_of_n_command() {
  auto o = std::make_shared<Options>();
  return {.name = "best_of_n",
          .summary = "sample several responses to each prompt and keep the one judged best",
          .example =
              "rlhf best_of_n --model_name_or_path runs/sft --reward_model_path runs/rm "
              "--dataset_name prompts.jsonl --num_generations 16 --output_dir runs/best",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return best_of_n_main(*o, invocation); }};
}

}  // namespace rlhf
