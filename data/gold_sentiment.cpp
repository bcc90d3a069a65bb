#include "data/gold_sentiment.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "data/demo_grammar.h"

namespace rlhf {
namespace {

/// Lower-case words (letters and apostrophes) and marks (one byte each) of a text.
std::vector<std::string> judge_tokens(std::string_view text) {
  std::vector<std::string> tokens;
  bool in_word = false;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    const bool letter = (c >= 'a' && c <= 'z') || c == '\'';
    if (letter && in_word) {
      tokens.back() += c;
    } else if (c != ' ' && c != '\n' && c != '\t') {
      tokens.emplace_back(1, c);
    }
    in_word = letter;
  }
  return tokens;
}

template <size_t N>
bool is_any(std::string_view token, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), token) != std::end(list);
}

bool is_negator(std::string_view token) {
  static constexpr std::string_view list[] = {"not",     "never", "no",      "nothing", "hardly",
                                              "without", "nor",   "neither", "cannot",  "nobody"};
  return is_any(token, list) || token.ends_with("n't");
}

bool ends_clause(std::string_view token) {
  static constexpr std::string_view list[] = {
      ".", ",", "!", "?", ";", ":", "but", "and", "however", "although", "though", "because"};
  return is_any(token, list);
}

bool ends_concession(std::string_view token) {
  static constexpr std::string_view list[] = {".", ",", "!", "?", ";"};
  return is_any(token, list);
}

/// More than half of the words have been said before. Below eight words that happens by chance.
bool is_degenerate(const std::vector<std::string>& tokens) {
  const std::set<std::string_view> distinct(tokens.begin(), tokens.end());
  return tokens.size() >= 8 && 2 * distinct.size() < tokens.size();
}

}  // namespace

double gold_sentiment(std::string_view text) {
  constexpr double concession = 0.4;  // two mild words conceded weigh less than one that is not
  constexpr int negation_reach = 6;   // "nothing about the camera work was dull"
  const auto tokens = judge_tokens(text);

  struct Said {
    std::string_view word;
    double value;
  };
  std::vector<Said> said;
  int negated = 0;  // words that a negation still reaches
  bool conceding = false;
  for (const std::string_view token : tokens) {
    negated = ends_clause(token) ? 0 : std::max(0, negated - 1);
    if (ends_concession(token)) conceding = false;
    if (is_negator(token)) negated = negation_reach + 1;
    if (token == "although" || token == "though") conceding = true;
    if (token == "but" || token == "however") {
      for (auto& earlier : said) earlier.value *= concession;
    }
    double value = demo_valence(token);
    if (value == 0) continue;
    if (negated > 0) value = value > 0 ? -1 : 1;
    if (conceding) value *= concession;
    negated = 0;
    const bool repeated = std::any_of(said.begin(), said.end(), [&](const Said& earlier) {
      return earlier.word == token && (earlier.value > 0) == (value > 0);
    });
    if (!repeated) said.push_back({token, value});
  }

  double sum = 0, weight = 1;
  for (const auto& [word, value] : said) {
    sum += value;
    weight += std::abs(value);
  }
  return is_degenerate(tokens) ? std::min(sum / weight, 0.0) : sum / weight;
}

bool gold_positive(std::string_view text) { return gold_sentiment(text) > 0; }

}  // namespace rlhf
