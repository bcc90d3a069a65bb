// The comparison before and after: figures over fixed prompts, the same for the same policy.
#include "rl/policy_evaluation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/tiny_models.h"

namespace rlhf {
namespace {

std::vector<double> response_lengths(std::span<const Episode> episodes) {
  std::vector<double> scores;
  for (const Episode& e : episodes) scores.push_back(double(e.length()));
  return scores;
}

class PolicyEvaluationTest : public testing::Test {
 protected:
  PolicyEvaluation evaluate(const Gpt2& policy, float temperature, size_t count = 80) const {
    const std::vector<Tokens> prompts(count, tokenizer.encode("ab"));
    return evaluate_policy(responder(policy), reference, prompts, tokenizer, response_lengths,
                           {.max_new_tokens = 6,
                            .temperature = temperature,
                            .stop_tokens = {tokenizer.eos()},
                            .seed = 3});
  }
  CharTokenizer tokenizer = tiny_tokenizer();
  Gpt2 reference = make_gpt2(tiny_config(tokenizer.vocab_size()), 1);
  Gpt2 other = make_gpt2(tiny_config(tokenizer.vocab_size()), 2);
};

TEST_F(PolicyEvaluationTest, AnUnchangedPolicyHasNoKl) {
  const PolicyEvaluation e = evaluate(reference, 0.7f);
  EXPECT_EQ(e.kl, 0);
  EXPECT_EQ(e.prompts, std::vector<std::string>(80, "ab"));
  EXPECT_EQ(e.mean_score, e.mean_length) << "the score is the length";
  EXPECT_GT(e.stopped, 0);
  EXPECT_LT(e.stopped, 1);
}

TEST_F(PolicyEvaluationTest, IsAFunctionOfTheSeed) {
  const PolicyEvaluation a = evaluate(other, 1), b = evaluate(other, 1);
  EXPECT_EQ(a.responses, b.responses);
  EXPECT_EQ(a.kl, b.kl);
  EXPECT_GT(a.kl, 0.1) << "another model is far away";
  const PolicyEvaluation part = evaluate(other, 1, 70);
  EXPECT_EQ(part.responses, std::vector<std::string>(a.responses.begin(), a.responses.begin() + 70))
      << "a response does not depend on the prompts beside it";
}

TEST_F(PolicyEvaluationTest, GreedyResponsesToOnePromptAreOne) {
  const PolicyEvaluation e = evaluate(other, 0);
  for (const std::string& response : e.responses) EXPECT_EQ(response, e.responses[0]);
  EXPECT_TRUE(std::isfinite(e.kl));
}

TEST_F(PolicyEvaluationTest, OfNoPromptsIsEmpty) {
  const PolicyEvaluation e = evaluate(other, 1, 0);
  EXPECT_TRUE(e.scores.empty());
  EXPECT_EQ(e.mean_score, 0);
}

}  // namespace
}  // namespace rlhf
