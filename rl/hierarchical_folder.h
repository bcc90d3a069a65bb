// A hierarchical policy on disk: a model folder in Hugging Face's layout, or an adapter folder in
// PEFT's, the trunk and the head that all began as, and beside it hierarchical.safetensors, the
// heads of both levels, and hierarchical.json, what the sub-tasks are.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "rl/hierarchical_policy.h"
#include "rl/model/model_folder.h"

namespace rlhf {

struct LoadedHierarchicalPolicy {
  HierarchicalPolicy policy;
  Hierarchy hierarchy;
  std::unique_ptr<Tokenizer> tokenizer;
  std::vector<int32_t> stop_tokens;
};

/// Writes the two files beside the model that save_model has written there.
void save_hierarchy(const std::filesystem::path& folder, HierarchicalPolicy& policy,
                    const Hierarchy& hierarchy);

bool is_hierarchical_folder(const std::filesystem::path& folder);

/// @throws InputError as load_language_model does, and naming what is wrong with the two files.
LoadedHierarchicalPolicy load_hierarchical_policy(const std::filesystem::path& folder,
                                                  const Placement& placement = {});

}  // namespace rlhf
