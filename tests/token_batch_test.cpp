// Sequences as rectangles: padding, packing, and that documents of one row cannot see each other.
#include "nn/token_batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "rl/language_model.h"
#include "tests/model_helpers.h"

namespace rlhf {
namespace {

Tokens values(const Tensor& tensor) { return tensor.to_vector<int32_t>(); }

TEST(TokenBatch, PadsOnTheRight) {
  const std::vector<Tokens> sequences{{5, 6}, {7, 8, 9}, {1}};
  const TokenBatch batch = pad_right(sequences);
  EXPECT_EQ(batch.token.shape(), (Shape{3, 3}));
  EXPECT_EQ(values(batch.token), (Tokens{5, 6, 0, 7, 8, 9, 1, 0, 0}));
  EXPECT_EQ(values(batch.position), (Tokens{0, 1, 2, 0, 1, 2, 0, 1, 2}));
  EXPECT_FALSE(batch.span.begin.defined());
}

TEST(TokenBatch, RecurringSizesAreFewAndNoneIsFarOff) {
  std::set<int64_t> sizes;
  for (int64_t size = 1; size <= 1000; size++) {
    const int64_t recurring = recurring_size(size, 1000);
    ASSERT_GE(recurring, size);
    ASSERT_LE(recurring, std::max(size + 15, size + size / 8));
    ASSERT_EQ(recurring_size(recurring, 1000), recurring);
    sizes.insert(recurring);
  }
  EXPECT_EQ(sizes.size(), 8u + 3 * 8) << "multiples of 16 up to 128, eight to each doubling";
  EXPECT_EQ(*sizes.rbegin(), 1000) << "instead of 1024";
}

TEST(TokenBatch, PadsToShapesThatRecur) {
  const std::vector<Tokens> sequences{{5, 6}, {7, 8, 9}, {1}};
  EXPECT_EQ(pad_right(sequences, {.rows = 8}).token.shape(), (Shape{4, 3}));
  EXPECT_EQ(pad_right(sequences, {.rows = 3}).token.shape(), (Shape{3, 3}));
  EXPECT_EQ(pad_right(sequences, {.rows = 2}).token.shape(), (Shape{3, 3})) << "never cuts";
  const TokenBatch batch = pad_right(sequences, {.rows = 13, .length = 40});
  EXPECT_EQ(batch.token.shape(), (Shape{4, 16}));
  const Tokens token = values(batch.token);
  EXPECT_EQ(Tokens(token.begin() + 16, token.begin() + 20), (Tokens{7, 8, 9, 0}));
  EXPECT_EQ(Tokens(token.begin() + 48, token.end()), Tokens(16, 0));
  EXPECT_EQ(values(batch.position).back(), 15);
  const Padding none = Padding::on(Device::cpu, 8, 40);
  EXPECT_EQ(pad_right(sequences, none).token.shape(), (Shape{3, 3})) << "the CPU records nothing";
}

TEST(TokenBatch, PlacesFirstFitByDecreasingLength) {
  const std::vector<Tokens> documents{Tokens(2), Tokens(5), Tokens(3), Tokens(4), Tokens(1)};
  const auto places = pack_places(documents, 6);
  const std::vector<std::pair<int64_t, int64_t>> expected{{1, 4}, {0, 0}, {2, 0}, {1, 0}, {0, 5}};
  for (size_t d = 0; d < documents.size(); d++) {
    EXPECT_EQ(std::pair(places[d].row, places[d].begin), expected[d]) << d;
  }
}

TEST(TokenBatch, PlacesNeverOverlap) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    const auto documents = random_sequences(40, 9, 5, seed);
    std::set<std::pair<int64_t, int64_t>> slots;
    size_t tokens = 0;
    const auto places = pack_places(documents, 10);
    for (size_t d = 0; d < documents.size(); d++) {
      tokens += documents[d].size();
      ASSERT_LE(places[d].begin + int64_t(documents[d].size()), 10);
      for (size_t t = 0; t < documents[d].size(); t++) {
        slots.insert({places[d].row, places[d].begin + int64_t(t)});
      }
    }
    EXPECT_EQ(slots.size(), tokens);
  }
}

TEST(TokenBatch, RefusesDocumentsThatFitNoRow) {
  const std::vector<Tokens> empty{{}}, long_one{Tokens(7)};
  EXPECT_THROW(pack_places(empty, 6), Error);
  EXPECT_THROW(pack_places(long_one, 6), Error);
}

TEST(TokenBatch, PacksWithSpans) {
  const std::vector<Tokens> documents{{5, 6}, {7, 8, 9}};
  const std::vector<PackedPlace> places{{0, 3}, {0, 0}};
  const TokenBatch batch = pack(documents, places, 6);
  EXPECT_EQ(batch.B, 1);
  EXPECT_EQ(values(batch.token), (Tokens{7, 8, 9, 5, 6, 0}));
  EXPECT_EQ(values(batch.position), (Tokens{0, 1, 2, 0, 1, 0}));
  EXPECT_EQ(values(batch.span.begin), (Tokens{0, 0, 0, 3, 3, 5}));
  EXPECT_EQ(values(batch.span.end), (Tokens{1, 2, 3, 4, 5, 6}));
}

std::vector<Example> examples(uint64_t seed) {
  std::vector<Example> list;
  for (Tokens tokens : random_sequences(9, 11, 13, seed)) {
    tokens.push_back(2);
    std::vector<char> learn(tokens.size());
    for (size_t t = 0; t < learn.size(); t++) learn[t] = (t + tokens.size()) % 3 != 0;
    list.push_back({tokens, learn});
  }
  return list;
}

template <class T>
void compare_losses(double tolerance) {
  Gpt2 model =
      empty_gpt2({.vocab_size = 13, .n_positions = 16, .n_embd = 12, .n_layer = 2, .n_head = 3},
                 dtype_of<T>());
  randomise(model, 3, 0.4);
  const auto list = examples(4);
  int64_t targets = 0;
  for (const Example& example : list) targets += example.targets();
  double separate = 0;
  for (const Example& example : list) {
    const TargetBatch alone = pad_examples({&example, 1});
    EXPECT_EQ(alone.targets, example.targets());
    separate += language_model_loss(model, alone, targets, nullptr).item();
  }
  const TargetBatch padded = pad_examples(list), packed = pack_examples(list, 16);
  EXPECT_EQ(padded.targets, targets);
  EXPECT_EQ(packed.targets, targets);
  EXPECT_LT(packed.batch.B, padded.batch.B);
  EXPECT_NEAR(language_model_loss(model, padded, targets, nullptr).item(), separate, tolerance);
  EXPECT_NEAR(language_model_loss(model, packed, targets, nullptr).item(), separate, tolerance);
  const Likelihood likelihood = evaluate_likelihood(model, list, 4);
  EXPECT_EQ(likelihood.targets, targets);
  EXPECT_NEAR(likelihood.mean(), separate, tolerance);
}

TEST(TokenBatch, PackedPaddedAndSeparateLossesAgree) {
  compare_losses<double>(1e-12);
  compare_losses<float>(1e-5);
}

TEST(TokenBatch, WindowsCoverEachTokenButTheFirstOnce) {
  for (const size_t length : {2, 9, 10, 11, 20, 21}) {
    Tokens stream(length);
    for (size_t i = 0; i < length; i++) stream[i] = int32_t(i);
    Tokens seen;
    for (const Example& window : windows(stream, 5)) {
      EXPECT_LE(window.targets(), 5);
      EXPECT_EQ(window.targets() + 1, int64_t(window.tokens.size()));
      seen.insert(seen.end(), window.tokens.begin() + 1, window.tokens.end());
    }
    EXPECT_EQ(seen, Tokens(stream.begin() + 1, stream.end())) << length;
  }
}

}  // namespace
}  // namespace rlhf
