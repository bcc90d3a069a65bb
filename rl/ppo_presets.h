// Settings that others have published, under one name each: --preset. A preset is a list of flags
// with the values that it gives them where nobody has said otherwise.
#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace rlhf {

struct PpoPreset {
  std::string_view name;
  std::string_view source;
  std::vector<std::pair<std::string_view, std::string_view>> values;  ///< by flag
};

std::span<const PpoPreset> ppo_presets();

/// @returns null for a name that none has.
const PpoPreset* find_ppo_preset(std::string_view name);

}  // namespace rlhf
