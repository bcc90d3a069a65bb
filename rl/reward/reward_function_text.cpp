// The built-in functions of text.
#include "rl/reward/reward_function_text.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/check.h"
#include "data/gold_sentiment.h"
#include "data/text_metrics.h"

namespace rlhf {
namespace {

constexpr std::string_view kFlag = "--reward_funcs";

class Length final : public RewardFunction {
 public:
  Length(LengthUnit unit, double target, double most) : unit_(unit), target_(target), most_(most) {}

  std::vector<double> operator()(const RewardBatch& batch) override {
    std::vector<double> out;
    for (size_t i = 0; i < batch.completions.size(); i++) {
      const double length = count(batch, i);
      const double off = target_ > 0 ? std::abs(length - target_) / target_
                                     : std::max(0.0, length - most_) / most_;
      out.push_back(std::max(-1.0, (target_ > 0 ? 1 : 0) - off));
    }
    return out;
  }

 private:
  double count(const RewardBatch& batch, size_t i) const {
    if (unit_ == LengthUnit::tokens) return double(batch.completion_ids[i].size());
    const Tokenise unit = unit_ == LengthUnit::words ? Tokenise::words : Tokenise::characters;
    return double(tokenise(batch.completions[i], unit).size());
  }

  LengthUnit unit_;
  double target_, most_;
};

/// Patterns run in time linear in the text, whatever they are: RE2 has no backtracking.
std::unique_ptr<re2::RE2> compile(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_unique<re2::RE2>(pattern, options);
  if (!compiled->ok()) {
    input_error(kFlag, "expected a regular expression of RE2, got \"{}\": {}", pattern,
                compiled->error());
  }
  return compiled;
}

class Pattern final : public RewardFunction {
 public:
  Pattern(const std::string& pattern, bool counts) : pattern_(compile(pattern)), counts_(counts) {}

  std::vector<double> operator()(const RewardBatch& batch) override {
    std::vector<double> out;
    for (const std::string& text : batch.completions) {
      out.push_back(counts_ ? double(matches(text)) : re2::RE2::PartialMatch(text, *pattern_));
    }
    return out;
  }

 private:
  // Matches that do not overlap; those of nothing are none.
  int64_t matches(const std::string& text) const {
    int64_t count = 0;
    re2::StringPiece found;
    for (size_t at = 0; at < text.size() &&
                        pattern_->Match(text, at, text.size(), re2::RE2::UNANCHORED, &found, 1);) {
      count += !found.empty();
      at = size_t(found.data() - text.data()) + std::max<size_t>(1, found.size());
    }
    return count;
  }
  std::unique_ptr<re2::RE2> pattern_;
  bool counts_;
};

/// A keyword's letters at its edges must also be edges of words; writing without spaces has none.
std::string keyword_pattern(const std::vector<std::string>& words) {
  const auto is_word = [](char c) { return std::isalnum(uint8_t(c)) || c == '_'; };
  std::string pattern;
  for (const std::string& word : words) {
    if (word.empty()) input_error(kFlag, "expected words between |, got an empty one");
    pattern += pattern.empty() ? "(?i)(?:" : "|";
    if (is_word(word.front())) pattern += "\\b";
    pattern += re2::RE2::QuoteMeta(word);
    if (is_word(word.back())) pattern += "\\b";
  }
  return pattern + ")";
}

class Overlap final : public RewardFunction {
 public:
  Overlap(OverlapKind kind, Tokenise unit, std::string column)
      : kind_(kind), unit_(unit), column_(std::move(column)) {}

  std::vector<double> operator()(const RewardBatch& batch) override {
    std::vector<double> out;
    for (size_t i = 0; i < batch.completions.size(); i++) {
      const std::string reference = batch.rows[i]->row.text(column_);
      const std::span<const std::string> hypothesis(&batch.completions[i], 1),
          wanted(&reference, 1);
      out.push_back(kind_ == OverlapKind::bleu ? bleu(hypothesis, wanted, unit_) / 100
                                               : rouge(hypothesis, wanted, unit_).rouge_l);
    }
    return out;
  }
  void check_row(const PromptRow& row) const override { row.row.non_empty_text(column_); }

 private:
  OverlapKind kind_;
  Tokenise unit_;
  std::string column_;
};

class DemoJudge final : public RewardFunction {
 public:
  std::vector<double> operator()(const RewardBatch& batch) override {
    std::vector<double> out;
    for (size_t i = 0; i < batch.completions.size(); i++) {
      out.push_back(gold_positive(batch.prompts[i] + batch.completions[i]));
    }
    return out;
  }
};

}  // namespace

std::unique_ptr<RewardFunction> length_reward(LengthUnit unit, double target, double most) {
  return std::make_unique<Length>(unit, target, most);
}

std::unique_ptr<RewardFunction> keyword_reward(const std::vector<std::string>& words, bool counts) {
  return std::make_unique<Pattern>(keyword_pattern(words), counts);
}

std::unique_ptr<RewardFunction> regex_reward(const std::string& pattern, bool counts) {
  return std::make_unique<Pattern>(pattern, counts);
}

std::unique_ptr<RewardFunction> overlap_reward(OverlapKind kind, Tokenise unit,
                                               const std::string& column) {
  return std::make_unique<Overlap>(kind, unit, column);
}

std::unique_ptr<RewardFunction> demo_judge_reward() { return std::make_unique<DemoJudge>(); }

}  // namespace rlhf
