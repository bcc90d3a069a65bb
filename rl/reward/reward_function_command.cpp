#include "rl/reward/reward_function_command.h"

#include <cmath>
#include <set>

#include "core/check.h"
#include "core/json.h"
#include "rl/reward/line_process.h"

namespace rlhf {
namespace {

using nlohmann::json;

std::string question(const RewardBatch& batch) {
  json out{{"prompts", batch.prompts},
           {"completions", batch.completions},
           {"completion_ids", batch.completion_ids}};
  std::set<std::string> columns;
  for (const PromptRow* row : batch.rows) {
    for (const auto& [name, value] : row->row.columns().items()) columns.insert(name);
  }
  columns.erase("prompt");
  for (const std::string& name : columns) {
    if (out.contains(name)) continue;
    json& list = out[name] = json::array();
    for (const PromptRow* row : batch.rows) {
      const json& values = row->row.columns();
      list.push_back(values.contains(name) ? values[name] : json());
    }
  }
  // Half a character that the policy has sampled is no UTF-8.
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

class CommandReward final : public RewardFunction {
 public:
  CommandReward(const std::string& command, double timeout_seconds)
      : process_(command, timeout_seconds), source_("command:" + command) {}

  std::vector<double> operator()(const RewardBatch& batch) override {
    const json answer = parse_json(process_.ask(question(batch)), source_);
    if (!answer.is_array() || answer.size() != batch.completions.size()) {
      input_error(source_, "expected a list of {} numbers, got {}", batch.completions.size(),
                  answer.is_array() ? fmt::format("one of {}", answer.size()) : json_kind(answer));
    }
    std::vector<double> values;
    for (const json& value : answer) {
      if (!value.is_number() && !value.is_null()) {
        input_error(source_, "expected a number or null as item {}, got {}", values.size() + 1,
                    json_kind(value));
      }
      values.push_back(value.is_null() ? 0 : value.get<double>());
      if (!std::isfinite(float(values.back()))) {
        input_error(source_, "expected a number between -3.4e38 and 3.4e38 as item {}, got {}",
                    values.size(), values.back());
      }
    }
    return values;
  }

 private:
  LineProcess process_;
  std::string source_;
};

}  // namespace

std::unique_ptr<RewardFunction> command_reward(const std::string& command, double timeout_seconds) {
  return std::make_unique<CommandReward>(command, timeout_seconds);
}

}  // namespace rlhf
