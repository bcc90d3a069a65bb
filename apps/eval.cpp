// rlhf eval: measures a language model on text, references or prompts, or a reward model on labels
// or pairs.
#include <fmt/core.h>

#include <cmath>

#include "apps/classification.h"
#include "apps/commands.h"
#include "apps/device_flags.h"
#include "apps/eval_policy.h"
#include "apps/eval_report.h"
#include "apps/print.h"
#include "apps/session.h"
#include "apps/terminal.h"
#include "apps/tokenizer_flag.h"
#include "apps/training_flags.h"
#include "apps/weight_flags.h"
#include "data/datasets.h"
#include "data/rows.h"
#include "data/text_metrics.h"
#include "nn/generate.h"
#include "rl/hierarchical_folder.h"
#include "rl/language_model.h"
#include "rl/model/chat_encoding.h"
#include "rl/model/model_folder.h"
#include "rl/policy_evaluation.h"
#include "rl/prompt.h"
#include "rl/reward/reward_evaluation.h"
#include "rl/sft.h"

namespace rlhf {
namespace {

struct Options {
  std::string model_name_or_path, dataset_name, text_column = "text", label_column = "label";
  std::string task = "auto", unit = "auto", output_dir;
  int64_t per_device_eval_batch_size = 32, max_new_tokens = 64;
  uint64_t seed = 1;
  float temperature = 0;
  bool json = false;
  PolicyEvaluationFlags policy;
  WeightFlags weights;
  DeviceFlags device;

  SamplingOptions sampling(const LoadedLanguageModel& loaded) const {
    return {.max_new_tokens = max_new_tokens,
            .temperature = temperature,
            .stop_tokens = loaded.stop_tokens,
            .seed = seed};
  }
};

Tokenise unit_for(const Options& o, std::span<const std::string> texts) {
  if (o.unit == "auto") return unit_of(texts);
  return o.unit == "words" ? Tokenise::words : Tokenise::characters;
}

// Perplexity of text, in windows of the model's context.
Evaluation evaluate_text(const Options& o, const LoadedLanguageModel& loaded) {
  const auto documents = read_language_modelling(o.dataset_name, o.text_column);
  const Gpt2& model = loaded.model.transformer;
  const Tokens stream = encode_stream(*loaded.tokenizer, documents, o.dataset_name);
  if (stream.size() < 2) input_error(o.dataset_name, "expected at least two tokens, got fewer");
  int64_t bytes = 0;
  for (const std::string& document : documents) bytes += int64_t(document.size());
  const Likelihood likelihood = evaluate_likelihood(
      model, windows(stream, model.config.n_positions), o.per_device_eval_batch_size);
  return {{{"task", "perplexity"},
           {"val_loss", likelihood.mean()},
           {"perplexity", perplexity(likelihood.nll, likelihood.targets)},
           {"bits_per_byte", likelihood.nll / std::log(2.0) / double(bytes)},
           {"tokens", likelihood.targets},
           {"documents", documents.size()}}};
}

// Completions compared with references, and their perplexity.
Evaluation evaluate_completions(const Options& o, const LoadedLanguageModel& loaded) {
  const auto rows = read_prompt_completion(o.dataset_name);
  const Gpt2& model = loaded.model.transformer;
  const Tokenizer& tokenizer = *loaded.tokenizer;
  std::vector<Example> examples;
  std::vector<Tokens> prompts;
  std::vector<PromptCompletion> kept;
  std::vector<std::string> references, hypotheses;
  int64_t skipped = 0;
  for (const PromptCompletion& row : rows) {
    Example example = encode_example(tokenizer, row, model.config.n_positions, true);
    if (example.targets() == 0) {  // the prompt alone fills the context
      skipped++;
      continue;
    }
    examples.push_back(std::move(example));
    prompts.push_back(encode_prompt_of(tokenizer, row));
    references.push_back(row.completion);
    kept.push_back(row);
  }
  if (examples.empty()) {
    input_error(o.dataset_name, "expected a prompt of fewer than {} tokens, got none",
                model.config.n_positions);
  }
  for (const Generated& g :
       generate_in_batches(model, prompts, o.sampling(loaded), o.per_device_eval_batch_size)) {
    hypotheses.push_back(tokenizer.decode(g.tokens));
  }
  const Likelihood likelihood = evaluate_likelihood(model, examples, o.per_device_eval_batch_size);
  const Tokenise unit = unit_for(o, references);
  const Rouge scores = rouge(hypotheses, references, unit);
  return {{{"task", "generation"},
           {"val_loss", likelihood.mean()},
           {"perplexity", std::exp(likelihood.mean())},
           {"bleu", bleu(hypotheses, references, unit)},
           {"rouge1", scores.rouge1},
           {"rouge2", scores.rouge2},
           {"rougeL", scores.rouge_l},
           {"distinct_1", distinct_n(hypotheses, 1, unit)},
           {"distinct_2", distinct_n(hypotheses, 2, unit)},
           {"mean_length", mean_length(hypotheses, unit)},
           {"examples", examples.size()},
           {"skipped", skipped}},
          generation_evidence(kept, hypotheses)};
}

Evaluation evaluate_pairs(const Options& o, const LoadedScalarModel& loaded) {
  const RewardData data = encode_preferences(*loaded.tokenizer, read_preferences(o.dataset_name),
                                             loaded.model.transformer.config.n_positions);
  if (data.size() == 0) {
    input_error(o.dataset_name, "expected pairs that differ within {} tokens, got none",
                loaded.model.transformer.config.n_positions);
  }
  const RewardEvaluation e = evaluate_reward(loaded.model, data);
  return {{{"task", "pairs"},
           {"val_loss", e.loss},
           {"accuracy", e.accuracy},
           {"margin", e.margin},
           {"mean_reward", e.mean_reward},
           {"std_reward", e.std_reward},
           {"pairs", data.size()},
           {"dropped", data.dropped}}};
}

Evaluation evaluate_labels(const Options& o, const LoadedScalarModel& loaded) {
  const auto rows = read_labelled(o.dataset_name, o.text_column, o.label_column);
  check_probabilities(rows, o.dataset_name);
  const RewardData data =
      encode_labelled(*loaded.tokenizer, rows, loaded.model.transformer.config.n_positions);
  const RewardEvaluation e = evaluate_reward(loaded.model, data);
  nlohmann::ordered_json figures{{"task", "labels"}, {"val_loss", e.loss}};
  classifier_figures(e.scores, rows).add_to(figures);
  double positive = 0;
  for (const double reward : e.scores) positive += reward > 0;
  figures["positive_share"] = positive / double(rows.size());
  figures["examples"] = rows.size();
  return {figures, label_evidence(e.scores, rows)};
}

// What to measure, from the kind of model and the columns of the data.
std::string task_of(const Options& o, bool scalar) {
  if (o.task != "auto") return o.task;
  const bool rows = !o.dataset_name.ends_with(".txt");
  const auto has = [&](const char* column) {
    return rows && read_rows(o.dataset_name).has_column(column);
  };
  if (scalar) return has("chosen") ? "pairs" : "labels";
  if (has("completion") || has("messages")) return "generation";
  return has("prompt") && !has(o.text_column.c_str()) ? "policy" : "perplexity";
}

Evaluation evaluate_language_model(const Options& o, const std::string& task,
                                   const Placement& placement) {
  const bool two_levels = task == "policy" && is_hierarchical_folder(o.model_name_or_path);
  if (two_levels && o.weights.narrow()) {
    input_error("--weight_dtype", "expected a policy of one level, got one of two: leave it out");
  }
  LoadedLanguageModel loaded = load_language_model(o.model_name_or_path, placement);
  o.weights.apply(loaded.model.transformer);
  if (task == "policy") {
    Responder respond = responder(loaded.model.transformer);
    std::optional<LoadedHierarchicalPolicy> levels;
    if (two_levels) {
      levels = load_hierarchical_policy(o.model_name_or_path, placement);
      respond = [&](std::span<const Tokens> prompts, const SamplingOptions& options) {
        return rlhf::respond(levels->policy, prompts, options, levels->hierarchy.shape);
      };
    }
    return evaluate_answers(o.policy, respond, loaded, o.dataset_name, o.sampling(loaded),
                            placement);
  }
  return task == "generation" ? evaluate_completions(o, loaded) : evaluate_text(o, loaded);
}

int eval_main(const Options& o, const Invocation& invocation) {
  if (!o.output_dir.empty()) check_output_dir(o.output_dir, {o.model_name_or_path});
  const bool scalar = is_scalar_model(o.model_name_or_path);
  const std::string task = task_of(o, scalar);
  const bool needs_scalar = task == "pairs" || task == "labels";
  if (needs_scalar != scalar) {
    input_error("--task", "expected {} for this model, got {}",
                scalar ? "pairs or labels" : "perplexity, generation or policy", task);
  }
  const Placement placement = o.device.placement_for_inference();
  o.weights.check(placement.dtype);
  Evaluation evaluation;
  if (scalar) {
    LoadedScalarModel loaded = load_scalar_model(o.model_name_or_path, placement);
    o.weights.apply(loaded.model.transformer);
    evaluation = task == "pairs" ? evaluate_pairs(o, loaded) : evaluate_labels(o, loaded);
  } else {
    evaluation = evaluate_language_model(o, task, placement);
  }
  const auto& figures = evaluation.figures;
  if (!o.output_dir.empty()) {
    Session(invocation, o.output_dir, o.seed)
        .finish(figures, evaluation_report(
                             evaluation, fmt::format("The model {} on {}: {}.",
                                                     o.model_name_or_path, o.dataset_name, task)));
  }
  if (o.json) {
    say("{}\n", figures.dump());
    return 0;
  }
  for (const auto& [name, value] : figures.items()) {
    say("{:<24} {}\n", name,
        value.is_number_float() ? fmt::format("{:.4f}", value.get<double>())
        : value.is_string()     ? value.get<std::string>()
                                : value.dump());
  }
  return 0;
}

}  // namespace

Command eval_command() {
  auto o = std::make_shared<Options>();
  return {
      .name = "eval",
      .summary = "measure a language model or a reward model",
      .example = "rlhf eval --model_name_or_path runs/lm --dataset_name held_out.txt --json",
      .declare =
          [o](Flags& flags) {
            flags.add("model_name_or_path", o->model_name_or_path, "language or reward model")
                .required()
                .shown_as("DIR");
            flags
                .add("dataset_name", o->dataset_name,
                     "text; or prompt, completion; or prompt; or text, label; or chosen, rejected")
                .required()
                .shown_as("FILE");
            flags.choice("task", o->task,
                         {"auto", "perplexity", "generation", "policy", "labels", "pairs"},
                         "what to measure; auto goes by model and columns");
            flags.add("text_column", o->text_column, "name, or 0-based index without a header");
            flags.add("label_column", o->label_column, "name, or 0-based index without a header");
            flags.choice("unit", o->unit, {"auto", "words", "characters"},
                         "of BLEU, ROUGE and distinct-n; auto: characters where there are hardly "
                         "any spaces");
            flags.add("max_new_tokens", o->max_new_tokens, at_least(1), "of a completion");
            flags.add("temperature", o->temperature, between(0.0f, 100.0f),
                      "of completions; 0: greedy");
            flags.add("seed", o->seed, {}, "of completions");
            flags.add("per_device_eval_batch_size", o->per_device_eval_batch_size,
                      between(1, 100000), "sequences at a time");
            flags.add("output_dir", o->output_dir, "write summary and report here, too")
                .shown_as("DIR");
            flags.add("json", o->json, "print one JSON object");
            o->policy.declare(flags);
            o->weights.declare(flags);
            o->device.declare(flags);
          },
      .run = [o](const Invocation& invocation) { return eval_main(*o, invocation); }};
}

}  // namespace rlhf
