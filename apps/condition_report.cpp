#include "apps/condition_report.h"

#include "core/unicode.h"

namespace rlhf {
namespace {

double score_itself(size_t, double score) { return score; }

double mean_of(const PolicyEvaluation& evaluation, size_t condition,
               const ConditionComparison::Value& value) {
  double sum = 0;
  for (const double score : evaluation.scores) sum += value(condition, score);
  return sum / double(evaluation.scores.size());
}

}  // namespace

ConditionComparison::ConditionComparison(PolicyRun& run, std::vector<std::string> conditions,
                                         std::string flag)
    : run_(run),
      conditions_(std::move(conditions)),
      asked_(condition_prompts(run.tokenizer(), conditions_, run.asked_rows(), run.n_positions(),
                               run.config().responses.length, flag)),
      plain_(run.evaluate(run.policy())),
      before_(answers()) {}

std::vector<PolicyEvaluation> ConditionComparison::answers() const {
  std::vector<PolicyEvaluation> answers;
  for (const std::vector<Tokens>& asked : asked_) {
    answers.push_back(run_.evaluate(run_.policy(), asked));
  }
  return answers;
}

void ConditionComparison::answer_again() { after_ = answers(); }

double ConditionComparison::before(size_t condition, const Value& value) const {
  return mean_of(before_[condition], condition, value);
}

double ConditionComparison::after(size_t condition, const Value& value) const {
  return mean_of(after_[condition], condition, value);
}

void ConditionComparison::summarise(nlohmann::ordered_json& summary) const {
  summary["score_plain_before"] = plain_.mean_score;
  nlohmann::ordered_json under = nlohmann::ordered_json::object();
  for (size_t c = 0; c < conditions_.size(); c++) {
    under[conditions_[c]] = after(c, score_itself);
  }
  summary["score_under"] = std::move(under);
}

Section ConditionComparison::section(const std::string& heading,
                                     const std::vector<Column>& more) const {
  Table table{.caption = fmt::format("The same {} prompts after each text; the score of the model "
                                     "before training without any was {}",
                                     plain_.scores.size(), figure(plain_.mean_score)),
              .columns = {"text", "score before", "score after", "tokens after", "KL after"}};
  for (const Column& column : more) table.columns.push_back(column.name);
  for (size_t c = 0; c < conditions_.size(); c++) {
    std::vector<std::string>& row = table.rows.emplace_back();
    row = {escaped(conditions_[c]), figure(before(c, score_itself)), figure(after(c, score_itself)),
           figure(after_[c].mean_length), figure(after_[c].kl)};
    for (const Column& column : more) row.push_back(column.cell(c));
  }
  return {.heading = heading, .tables = {std::move(table)}};
}

}  // namespace rlhf
