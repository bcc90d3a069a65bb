// The presets against the published tables, row by row; that each flag exists with such a value is
// shown by ppo_end_to_end_test.cpp, which trains with every one.
#include "rl/ppo_presets.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace rlhf {
namespace {

using Values = std::map<std::string_view, std::string_view>;

Values values_of(std::string_view name) {
  const PpoPreset* preset = find_ppo_preset(name);
  if (!preset) return {};
  EXPECT_FALSE(preset->source.empty());
  const Values values(preset->values.begin(), preset->values.end());
  EXPECT_EQ(values.size(), preset->values.size()) << "a flag twice";
  return values;
}

/// One row of the table: the flag, and what oai, trl, nplus and ppo_max give it; "": nothing.
struct TableRow {
  const char* flag;
  const char* by_preset[4];
};

TEST(PpoPresets, AreWhatWasPublished) {
  const TableRow table[] = {{"learning_rate", {"1e-5", "3e-6", "3e-6", "5e-7"}},
                            {"critic_rate", {"1", "1", "1", "3"}},
                            {"lr_scheduler_type", {"linear", "linear", "linear", "inverse_sqrt"}},
                            {"adam_epsilon", {"1e-5", "1e-8", "1e-5", "1e-6"}},
                            {"adam_beta2", {"0.999", "0.999", "0.999", "0.95"}},
                            {"adam_epsilon_form", {"tf", "torch", "torch", "torch"}},
                            {"episodes_per_update", {"512", "", "512", "128"}},
                            {"num_mini_batches", {"1", "1", "1", "4"}},
                            {"num_ppo_epochs", {"4", "4", "4", "1"}},
                            {"cliprange", {"0.2", "0.2", "0.2", "0.2"}},
                            {"cliprange_value", {"0.2", "0.2", "0.2", "0.2"}},
                            {"vf_coef", {"0.1", "0.1", "0.1", "1"}},
                            {"gamma", {"1", "1", "1", "1"}},
                            {"lam", {"0.95", "0.95", "0.95", "0.95"}},
                            {"kl_coef", {"0.15", "0.05", "0.05", "0.01"}},
                            {"kl_target", {"6", "0", "0", "0"}},
                            {"kl_horizon", {"10000", "", "", ""}},
                            {"whiten_rewards", {"true", "false", "false", "false"}},
                            {"whiten_scope", {"minibatch", "batch", "batch", "batch"}},
                            {"score_scaling", {"", "", "", "deviation"}},
                            {"temperature", {"0.7", "0.7", "0.7", "0.8"}},
                            {"response_length", {"24", "53", "53", "512"}},
                            {"max_grad_norm", {"0", "0", "0", "1"}},
                            {"total_episodes", {"1000000", "", "1000000", ""}},
                            {"missing_eos", {"replace", "keep", "replace", "keep"}},
                            {"critic", {"head", "", "", ""}}};
  const char* names[] = {"oai", "trl", "nplus", "ppo_max"};
  EXPECT_EQ(ppo_presets().size(), 4u);
  for (int p = 0; p < 4; p++) {
    const Values values = values_of(names[p]);
    for (const TableRow& row : table) {
      const auto found = values.find(row.flag);
      EXPECT_EQ(found == values.end() ? "" : found->second, row.by_preset[p])
          << names[p] << " " << row.flag;
    }
  }
  EXPECT_EQ(find_ppo_preset("openai"), nullptr);
}

}  // namespace
}  // namespace rlhf
