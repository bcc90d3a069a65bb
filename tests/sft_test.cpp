// Supervised fine-tuning: which tokens count, that packing changes nothing, and that a model learns
// both to answer and to stop.
#include "rl/sft.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/tiny_models.h"

namespace rlhf {
namespace {

const OnStep kQuiet = [](int64_t, int64_t, const Metrics&) {};

TEST(EncodeExample, LearnsTheCompletionAndItsEndOnly) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const PromptCompletion row{"ab", "cd."};
  const Example example = encode_example(tokenizer, row, 24, true);
  Tokens expected = tokenizer.encode("abcd.");
  expected.push_back(tokenizer.eos());
  EXPECT_EQ(example.tokens, expected);
  EXPECT_EQ(example.learn, (std::vector<char>{0, 0, 1, 1, 1, 1}));
  EXPECT_EQ(example.targets(), 4);
  EXPECT_EQ(encode_example(tokenizer, row, 24, false).targets(), 5) << "all but the first";
  const Example cut = encode_example(tokenizer, row, 4, true);
  EXPECT_EQ(cut.tokens, Tokens(expected.begin(), expected.begin() + 4));
  EXPECT_EQ(cut.targets(), 2);
}

TEST(EncodeSft, CountsWhatIsCutAndRefusesWhatTeachesNothing) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const std::vector<PromptCompletion> rows{{"ab", "cd"}, {"abcdef", "gh"}, {"", "abcdefgh"}};
  SftConfig config;
  config.max_length = 6;
  const SftData data = encode_sft(tokenizer, rows, {}, 24, config);
  EXPECT_EQ(data.truncated, 1);
  EXPECT_EQ(data.train.size(), 2u) << "the second one's prompt fills the row alone";
  EXPECT_EQ(data.dropped, 1);
  EXPECT_EQ(encode_sft(tokenizer, rows, rows, 5, config).val.size(), 2u) << "the model's limit";

  const std::vector<PromptCompletion> hopeless{{"abcdefgh", "a"}};
  EXPECT_EQ(message_of<InputError>([&] { encode_sft(tokenizer, hopeless, {}, 24, config); }),
            "[--dataset_name] expected an example with a completion within 6 tokens, got none");
  const std::vector<PromptCompletion> foreign{{"a", "xyz"}};
  EXPECT_NE(message_of<InputError>([&] { encode_sft(tokenizer, foreign, {}, 24, config); }), "");
}

/// Answers that follow from the prompt: its letter, three times.
std::vector<PromptCompletion> repetitions() {
  std::vector<PromptCompletion> rows;
  for (const char* letter : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    const std::string l = letter;
    rows.push_back({l + " ", l == "a" || l == "e" ? l + "." : l + l + l + "."});
  }
  return rows;
}

SftConfig config_of(int64_t steps) {
  SftConfig config;
  config.training.max_steps = steps;
  config.training.batch_size = 4;
  config.training.gradient_accumulation_steps = 2;
  config.training.schedule = {.kind = ScheduleKind::constant, .peak = 1e-2};
  config.training.optimizer.weight_decay = 0;
  return config;
}

TEST(Sft, TeachesToAnswerAndToStop) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const auto rows = repetitions();
  Gpt2 model = make_gpt2(tiny_config(tokenizer.vocab_size()), 2);
  const SftConfig config = config_of(120);
  const SftData data = encode_sft(tokenizer, rows, rows, 24, config);
  const SftResult result = sft(model, data, config, kQuiet);
  EXPECT_LT(result.val_loss, 0.05);
  EXPECT_EQ(result.steps, 120);
  std::vector<Tokens> prompts;
  for (const PromptCompletion& row : rows) prompts.push_back(tokenizer.encode(row.prompt));
  const auto generated = generate(
      model, prompts, {.max_new_tokens = 10, .temperature = 0, .stop_tokens = {tokenizer.eos()}});
  for (size_t i = 0; i < rows.size(); i++) {
    EXPECT_EQ(tokenizer.decode(generated[i].tokens), rows[i].completion);
    EXPECT_TRUE(generated[i].stopped);
  }
}

TEST(Sft, LeavesThePromptUnlearnt) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const std::vector<PromptCompletion> rows{{"abcabcabc", "d"}};
  std::vector<double> prompt_losses;
  for (const bool completion_only : {true, false}) {
    Gpt2 model = make_gpt2(tiny_config(tokenizer.vocab_size()), 2);
    SftConfig config = config_of(60);
    config.completion_only_loss = completion_only;
    sft(model, encode_sft(tokenizer, rows, {}, 24, config), config, kQuiet);
    const std::vector<Example> prompt{{tokenizer.encode("abcabcabc"), std::vector<char>(9, 1)}};
    prompt_losses.push_back(evaluate_likelihood(model, prompt, 1).mean());
  }
  EXPECT_GT(prompt_losses[0], 1);
  EXPECT_LT(prompt_losses[1], 0.1);
}

TEST(Sft, PackingAndPaddingTrainTheSameModel) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const auto rows = repetitions();
  std::vector<SftResult> results;
  std::vector<std::vector<float>> parameters;
  for (const bool packing : {false, true}) {
    Gpt2 model = make_gpt2(tiny_config(tokenizer.vocab_size()), 2);
    SftConfig config = config_of(5);
    config.packing = packing;
    config.training.batch_size = 8;  // the whole data in a step, whatever the rows
    config.training.optimizer.kind = OptimizerKind::sgd;
    const SftData data = encode_sft(tokenizer, rows, rows, 24, config);
    results.push_back(sft(model, data, config, kQuiet));
    parameters.push_back(parameters_of(model));
  }
  EXPECT_NEAR(results[0].train_loss, results[1].train_loss, 1e-6);
  EXPECT_EQ(results[0].tokens, results[1].tokens);
  for (size_t i = 0; i < parameters[0].size(); i++) {
    ASSERT_NEAR(parameters[0][i], parameters[1][i], 1e-6) << i;
  }
}

TEST(Sft, CountsEpochsWhenNoStepsAreGiven) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const auto rows = repetitions();
  Gpt2 model = make_gpt2(tiny_config(tokenizer.vocab_size()), 2);
  SftConfig config = config_of(0);
  config.num_train_epochs = 2;
  config.training.batch_size = 3;
  config.training.gradient_accumulation_steps = 1;
  config.logging_steps = 1;
  double last_epoch = 0;
  const SftData data = encode_sft(tokenizer, rows, {}, 24, config);
  const SftResult result = sft(model, data, config, [&](int64_t, int64_t, const Metrics& metrics) {
    for (const auto& [name, value] : metrics) {
      if (name == "epoch") last_epoch = value;
    }
  });
  EXPECT_EQ(result.steps, 6);
  EXPECT_DOUBLE_EQ(last_epoch, 2);
  int64_t tokens = 0;
  for (const Example& example : data.train) tokens += int64_t(example.tokens.size());
  EXPECT_EQ(result.tokens, 2 * tokens);
}

}  // namespace
}  // namespace rlhf
