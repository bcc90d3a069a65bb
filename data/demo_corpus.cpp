#include "data/demo_corpus.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include "core/check.h"
#include "data/demo_grammar.h"

namespace rlhf {
namespace {

/// Sites of the random numbers, so that one seed serves all three.
enum Site : uint32_t { review_site, prompt_site, preference_site };

std::string_view draw_topic(DemoDice& dice) {
  return demo_topics()[dice.below(demo_topics().size())];
}

std::string draw_completion(std::string_view topic, DemoDice& dice) {
  return std::string(" ").append(demo_expand("completion", topic, dice));
}

/// `make(dice)` for each of `count` texts, each with its own random numbers.
template <class Make>
auto generate(uint64_t seed, Site site, int64_t count, Make make) {
  check(count >= 0, "demo corpus", "expected count >= 0, got {}", count);
  std::vector<decltype(make(std::declval<DemoDice&>()))> out;
  out.reserve(size_t(count));
  for (int64_t i = 0; i < count; i++) {
    DemoDice dice(seed, site, uint64_t(i));
    out.push_back(make(dice));
  }
  return out;
}

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

std::vector<PromptCompletion> demo_reviews(uint64_t seed, int64_t count) {
  return generate(seed, review_site, count, [](DemoDice& dice) {
    const auto topic = draw_topic(dice);
    std::string prompt = demo_expand("opening", topic, dice);
    return PromptCompletion{std::move(prompt), draw_completion(topic, dice)};
  });
}

std::vector<std::string> demo_documents(uint64_t seed, int64_t count) {
  std::vector<std::string> documents;
  for (const auto& review : demo_reviews(seed, count))
    documents.push_back(review.prompt + review.completion);
  return documents;
}

std::vector<std::string> demo_prompts(uint64_t seed, int64_t count) {
  return generate(seed, prompt_site, count, [](DemoDice& dice) {
    const auto topic = draw_topic(dice);
    return demo_expand("opening", topic, dice);
  });
}

std::vector<Preference> demo_preferences(uint64_t seed, int64_t count, double noise) {
  if (!(noise >= 0 && noise <= 1)) {
    input_error("noise", "expected a probability in [0, 1], got {}", noise);
  }
  return generate(seed, preference_site, count, [noise](DemoDice& dice) {
    const auto topic = draw_topic(dice);
    Preference pair{demo_expand("opening", topic, dice), draw_completion(topic, dice), "", 0};
    // Between equals there is no preference to record.
    do {
      pair.rejected = draw_completion(topic, dice);
    } while (gold_sentiment(pair.rejected) == gold_sentiment(pair.chosen));
    const bool wrong = gold_sentiment(pair.rejected) > gold_sentiment(pair.chosen);
    const bool err = dice.uniform() < noise;
    if (wrong != err) std::swap(pair.chosen, pair.rejected);
    return pair;
  });
}

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
