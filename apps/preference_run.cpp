#include "apps/preference_run.h"

#include <algorithm>

#include "apps/memory_line.h"
#include "apps/preference_report.h"
#include "apps/print.h"
#include "core/unicode.h"
#include "data/same_tokens.h"
#include "rl/digest.h"
#include "rl/frozen.h"
#include "rl/model/chat_encoding.h"

namespace rlhf {
namespace {

std::string digest(const PreferenceData& data) {
  Digest digest;
  for (const PreferencePair& pair : data.rows) {
    const Example both[] = {pair.chosen, pair.rejected};
    digest.add(std::span<const Example>(both));
  }
  return digest.text();
}

std::string digest(const JudgedData& data) {
  Digest digest;
  std::vector<double> labels;
  for (const JudgedCompletion& row : data.rows) {
    digest.add(std::span<const Example>(&row.example, 1));
    labels.push_back(row.desirable);
  }
  return digest.add(labels).text();
}

std::vector<UnpairedPreference> read_judged_rows(const std::string& file) {
  if (!read_rows(file).has_column("chosen")) return read_unpaired_preferences(file);
  return unpaired(read_preferences(file));
}

}  // namespace

PreferenceRun::PreferenceRun(const PreferenceFlags& flags, const Invocation& invocation)
    : flags_(flags), invocation_(invocation) {
  check_output_dir(flags.output_dir, {flags.model_name_or_path, flags.ref_model});
  loaded_ = load_language_model(flags.model_name_or_path, flags.training.device.placement());
  flags.lora.prepare(loaded_.model.transformer, flags.model_name_or_path,
                     flags.training.config().seed);
}

void PreferenceRun::ensure_template(bool any_dialogue) {
  if (!any_dialogue) return;
  const std::string line =
      ensure_chat_template(loaded_.model.transformer, loaded_.tokenizer, flags_.model_name_or_path);
  if (!line.empty()) note("{}\n", line);
}

void PreferenceRun::keep_first(const std::vector<Row>& rows) {
  first_ = {.caption = "The first example as the model reads it", .columns = {"", "tokens"}};
  for (const Row& row : rows) {
    std::string line;
    for (const MarkedText& part : marked_text(*loaded_.tokenizer, *row.example)) {
      line += part.learnt ? "[[" + part.text + "]]" : part.text;
    }
    first_.rows.push_back({row.side, escaped(line, 2000)});
  }
}

PreferenceRun::Sets<PreferenceData> PreferenceRun::read_pairs() {
  const auto train = read_preferences(flags_.dataset_name);
  const auto eval = flags_.eval_dataset_name.empty() ? std::vector<Preference>{}
                                                     : read_preferences(flags_.eval_dataset_name);
  const auto is_dialogue = [](const Preference& row) { return !row.first.empty(); };
  ensure_template(std::any_of(train.begin(), train.end(), is_dialogue) ||
                  std::any_of(eval.begin(), eval.end(), is_dialogue));
  const int64_t limit = loaded_.model.transformer.config.n_positions;
  Sets<PreferenceData> out;
  out.train = encode_pairs(*loaded_.tokenizer, train, flags_.lengths, limit);
  if (!eval.empty()) {
    out.eval = encode_pairs(*loaded_.tokenizer, eval, flags_.lengths, limit, "--eval_dataset_name");
  }
  keep_first(
      {{"chosen", &out.train.rows.front().chosen}, {"rejected", &out.train.rows.front().rejected}});
  inputs_["dataset_name"] = digest(out.train);
  examples_ = out.train.size();
  for (const PreferencePair& pair : out.train.rows) {
    longest_ = std::max({longest_, pair.chosen.tokens.size(), pair.rejected.tokens.size()});
  }
  sequences_ = 2;
  counts_ = fmt::format("{} pairs", examples_);
  truncated_ = out.train.truncated;
  dropped_ = out.train.dropped;
  return out;
}

PreferenceRun::Sets<JudgedData> PreferenceRun::read_judged() {
  const auto train = read_judged_rows(flags_.dataset_name);
  const auto eval = flags_.eval_dataset_name.empty() ? std::vector<UnpairedPreference>{}
                                                     : read_judged_rows(flags_.eval_dataset_name);
  const auto is_dialogue = [](const UnpairedPreference& row) { return !row.dialogue.empty(); };
  ensure_template(std::any_of(train.begin(), train.end(), is_dialogue) ||
                  std::any_of(eval.begin(), eval.end(), is_dialogue));
  const int64_t limit = loaded_.model.transformer.config.n_positions;
  Sets<JudgedData> out;
  out.train = encode_judged(*loaded_.tokenizer, train, flags_.lengths, limit);
  if (!eval.empty()) {
    out.eval =
        encode_judged(*loaded_.tokenizer, eval, flags_.lengths, limit, "--eval_dataset_name");
  }
  const JudgedCompletion& first = out.train.rows.front();
  keep_first({{first.desirable ? "wanted" : "not wanted", &first.example}});
  inputs_["dataset_name"] = digest(out.train);
  examples_ = out.train.size();
  for (const JudgedCompletion& row : out.train.rows) {
    longest_ = std::max(longest_, row.example.tokens.size());
  }
  const auto wanted = std::count_if(out.train.rows.begin(), out.train.rows.end(),
                                    [](const JudgedCompletion& row) { return row.desirable; });
  counts_ = fmt::format("{} completions, {} of them wanted", examples_, wanted);
  truncated_ = out.train.truncated;
  dropped_ = out.train.dropped;
  return out;
}

Gpt2 PreferenceRun::reference() {
  if (flags_.ref_model.empty()) {
    inputs_["model_name_or_path"] = Digest().add_parameters(loaded_.model).text();
    return noted(reference_policy(loaded_.model.transformer));
  }
  LoadedLanguageModel ref =
      load_language_model(flags_.ref_model, flags_.training.device.placement());
  const Gpt2Config& config = loaded_.model.transformer.config;
  if (!same_tokens(*ref.tokenizer, *loaded_.tokenizer) ||
      ref.model.transformer.config.n_positions < config.n_positions) {
    input_error("--ref_model",
                "expected the tokenizer and context of --model_name_or_path ({} tokens, {} "
                "positions), got others ({} tokens, {} positions)",
                loaded_.tokenizer->vocab_size(), config.n_positions, ref.tokenizer->vocab_size(),
                ref.model.transformer.config.n_positions);
  }
  inputs_["ref_model"] = Digest().add_parameters(ref.model).text();
  return noted(ref.model.transformer);
}

MemoryUse& PreferenceRun::memory() {
  if (!memory_) {
    const TrainingConfig training = flags_.training.config();
    memory_ = memory_of_training(loaded_.model.transformer, training,
                                 sequences_ * training.batch_size, int64_t(longest_));
  }
  return *memory_;
}

Gpt2 PreferenceRun::noted(Gpt2 reference) {
  memory().add("reference", reference);
  return reference;
}

void PreferenceRun::run(const std::string& title, const std::vector<std::string>& shown,
                        const Train& train) {
  Gpt2& model = loaded_.model.transformer;
  model.config.set_dropout(flags_.dropout);
  model.gradient_checkpointing = flags_.training.gradient_checkpointing;
  memory().gradient_checkpointing = model.gradient_checkpointing;
  check_frozen(model, flags_.training.config().frozen);
  const auto save = [&](const std::filesystem::path& folder) {
    save_model(folder, loaded_.model, *loaded_.tokenizer);
  };
  const CheckpointFlags& checkpoint = flags_.training.checkpoint;
  Checkpoints checkpoints = checkpoint.checkpoints(invocation_, flags_.output_dir, inputs_, save);
  for (const auto& row : first_.rows) {
    note("example, {}: {}\n", row[0], row[1].substr(0, 300));
  }
  Session session(invocation_, flags_.output_dir, flags_.training.seed, checkpoint.resumed_step());
  tell_memory(memory());
  const PreferenceResult result =
      train(model, session.on_step(invocation_.command, shown), std::move(checkpoints));
  save(flags_.output_dir);
  conclude(session, title, result);
}

void PreferenceRun::conclude(Session& session, const std::string& title,
                             const PreferenceResult& result) {
  nlohmann::ordered_json summary = preference_summary(result);
  summary["examples"] = examples_;
  summary["truncated"] = truncated_;
  summary["dropped"] = dropped_;
  Section section = preference_section(session, result);
  section.tables.push_back(first_);
  session.finish(summary, {.title = title,
                           .introduction = fmt::format("{} of {}, {} steps.", counts_,
                                                       flags_.dataset_name, result.steps),
                           .tiles = preference_tiles(result),
                           .sections = {std::move(section)}});
  say("{}\n", preference_line(result));
}

}  // namespace rlhf
