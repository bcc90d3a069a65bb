// What `rlhf generate` says where the folder holds a policy of two levels: which sub-task wrote
// which segment.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "rl/hierarchical_folder.h"

namespace rlhf {

/// Each prompt's response, by segments.
std::vector<Episode> generate_segments(const LoadedHierarchicalPolicy& loaded,
                                       std::span<const Tokens> prompts, SamplingOptions sampling);

/// "[warm] a charming film [short] ." for people.
std::string segments_text(const Episode& episode, const LoadedHierarchicalPolicy& loaded);
/// [{"subtask": "warm", "text": ..., "tokens": [...], "log_probs": [...]}, ...]
nlohmann::ordered_json segments_json(const Episode& episode,
                                     const LoadedHierarchicalPolicy& loaded);

}  // namespace rlhf
