// The data of `rlhf demo`, made by data/demo_corpus.h, and its files in the formats that the other
// commands read, so that every stage can be run again by hand.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/demo_sizes.h"
#include "data/datasets.h"

namespace rlhf {

struct DemoData {
  std::vector<std::string> documents;
  std::vector<PromptCompletion> sft_train, sft_val;
  std::vector<Preference> pairs_train, pairs_val;
  std::vector<std::string> prompts, eval_prompts;

  /// documents.jsonl, sft.jsonl, sft_val.jsonl, pairs.jsonl, pairs_val.jsonl, prompts.jsonl,
  /// eval_prompts.jsonl.
  void write(const std::filesystem::path& folder) const;
};

/// Every part is drawn from a seed of its own: no review of one is in another but by chance.
DemoData make_demo_data(const DemoSizes& sizes, uint64_t seed);

}  // namespace rlhf
