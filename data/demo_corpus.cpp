#include "data/demo_corpus.h"

#include <string_view>
#include <utility>

#include "core/check.h"
#include "data/demo_grammar.h"
#include "data/gold_sentiment.h"

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

}  // namespace

std::vector<PromptCompletion> demo_reviews(uint64_t seed, int64_t count) {
  return demo_generate(seed, review_site, count, [](DemoDice& dice) {
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
  return demo_generate(seed, prompt_site, count, [](DemoDice& dice) {
    const auto topic = draw_topic(dice);
    return demo_expand("opening", topic, dice);
  });
}

std::vector<Preference> demo_preferences(uint64_t seed, int64_t count, double noise) {
  if (!(noise >= 0 && noise <= 1)) {
    input_error("noise", "expected a probability in [0, 1], got {}", noise);
  }
  return demo_generate(seed, preference_site, count, [noise](DemoDice& dice) {
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

}  // namespace rlhf
