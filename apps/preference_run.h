// One run of dpo, kto, orpo or simpo as a person sees it: what is read, what it is held to, and
// what remains of it. The algorithm comes in between.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/preference_flags.h"
#include "apps/session.h"
#include "rl/memory_plan.h"
#include "rl/model/model_folder.h"

namespace rlhf {

class PreferenceRun {
 public:
  /// Loads the model. The flags must outlive the run.
  PreferenceRun(const PreferenceFlags& flags, const Invocation& invocation);

  template <class Data>
  struct Sets {
    Data train, eval;  ///< eval is empty without --eval_dataset_name
  };
  /// The rows of both files as tokens of the model, which gets a chat template for dialogues.
  /// @throws InputError "[file:line] ..." for the first thing wrong.
  Sets<PreferenceData> read_pairs();
  /// The same of judged completions; a file of pairs gives two a row.
  Sets<JudgedData> read_judged();

  /// What the policy is held to: --ref_model, or the model as it is now.
  /// @throws InputError when its tokenizer is another one.
  Gpt2 reference();

  using Train =
      std::function<PreferenceResult(Gpt2& model, const OnStep& on_step, Checkpoints checkpoints)>;
  /// Trains within a session, saves the model and writes the report.
  void run(const std::string& title, const std::vector<std::string>& shown, const Train& train);

 private:
  struct Row {
    std::string side;
    const Example* example;
  };
  MemoryUse& memory();
  Gpt2 noted(Gpt2 reference);
  void ensure_template(bool any_dialogue);
  void keep_first(const std::vector<Row>& rows);
  void conclude(Session& session, const std::string& title, const PreferenceResult& result);

  const PreferenceFlags& flags_;
  const Invocation& invocation_;
  LoadedLanguageModel loaded_;
  std::map<std::string, std::string> inputs_;  // digests, by flag
  std::string counts_;                         // "300 pairs"
  int64_t truncated_ = 0, dropped_ = 0, examples_ = 0;
  int64_t sequences_ = 1;                 // of an example: a pair has two
  size_t longest_ = 0;                    // tokens of one
  std::optional<MemoryUse> memory_ = {};  // once the model is as it will be trained
  Table first_;
};

}  // namespace rlhf
