// Modules name their parts once: the names of GPT-2's checkpoints, counts, copies.
#include "nn/module.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/gpt2.h"
#include "nn/init.h"

namespace rlhf {
namespace {

constexpr Gpt2Config tiny{
    .vocab_size = 11, .n_positions = 6, .n_embd = 8, .n_layer = 2, .n_head = 2};

TEST(Module, NamesAreThoseOfTheCheckpoints) {
  ScalarModel model{make_gpt2(tiny, 1), {}};
  model.score = make_score_head(model.transformer, 1, false);
  std::vector<std::string> names;
  for (const NamedTensor& entry : state_dict(model)) names.push_back(entry.name);
  std::vector<std::string> expected{"transformer.wte.weight", "transformer.wpe.weight"};
  for (const std::string layer : {"transformer.h.0.", "transformer.h.1."}) {
    for (const char* part :
         {"ln_1.weight", "ln_1.bias", "attn.c_attn.weight", "attn.c_attn.bias",
          "attn.c_proj.weight", "attn.c_proj.bias", "ln_2.weight", "ln_2.bias", "mlp.c_fc.weight",
          "mlp.c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias"}) {
      expected.push_back(layer + part);
    }
  }
  for (const char* name : {"transformer.ln_f.weight", "transformer.ln_f.bias", "score.weight"}) {
    expected.push_back(name);
  }
  EXPECT_EQ(names, expected);
}

TEST(Module, CountsParameters) {
  Gpt2 model = make_gpt2(tiny, 1);
  const int64_t block = 12 * 8 * 8 + 13 * 8;  // 12 C^2 + 13 C
  EXPECT_EQ(parameter_count(model), (11 + 6) * 8 + 2 * block + 2 * 8);
}

TEST(Module, VisitorsLeaveOutWhatIsAbsent) {
  Linear layer{Tensor::zeros({2, 3}, DType::f32), {}};
  const auto entries = state_dict(layer);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].name, "weight");
}

TEST(Module, FrozenCopyHasMemoryOfItsOwnAndNoGradients) {
  Gpt2 model = make_gpt2(tiny, 1);
  for_each_parameter(model, [](const std::string&, Tensor& t) { t.set_requires_grad(true); });
  Gpt2 copy = frozen_copy(model);
  const auto originals = state_dict(model), copies = state_dict(copy);
  for (size_t i = 0; i < originals.size(); i++) {
    EXPECT_EQ(copies[i].tensor.to_vector<float>(), originals[i].tensor.to_vector<float>());
    EXPECT_NE(copies[i].tensor.data<float>(), originals[i].tensor.data<float>());
    EXPECT_FALSE(copies[i].tensor.requires_grad());
    EXPECT_TRUE(originals[i].tensor.requires_grad());
  }
}

double deviation(const Tensor& tensor) {
  double sum = 0;
  for (const float x : tensor.to_vector<float>()) sum += double(x) * double(x);
  return std::sqrt(sum / double(tensor.count()));
}

TEST(Initialisation, FollowsGpt2) {
  Gpt2 model =
      make_gpt2({.vocab_size = 200, .n_positions = 50, .n_embd = 64, .n_layer = 8, .n_head = 2}, 3);
  for_each_parameter(model, [](const std::string& name, Tensor& tensor) {
    const bool norm = name.find("ln_") != std::string::npos;
    if (name.ends_with("bias") || norm) {
      const float expected = name.ends_with("bias") ? 0 : 1;
      EXPECT_EQ(tensor.to_vector<float>(), std::vector<float>(size_t(tensor.count()), expected));
      return;
    }
    // Projections into the residual stream: 0.02 / sqrt(2 * 8 layers).
    const double expected = name.ends_with("c_proj.weight") ? 0.005 : 0.02;
    // Five standard errors of a deviation estimated from `count` draws.
    EXPECT_NEAR(deviation(tensor) / expected, 1, 5 / std::sqrt(2.0 * double(tensor.count())))
        << name;
  });
}

TEST(Initialisation, DependsOnSeedAndNameAlone) {
  Gpt2Config deeper = tiny;
  deeper.n_layer = 3;
  Gpt2 a = make_gpt2(tiny, 1), b = make_gpt2(tiny, 1), c = make_gpt2(tiny, 2);
  Gpt2 in_double = make_gpt2(tiny, 1, DType::f64);
  const auto weight = [](const Gpt2& model, size_t layer) {
    return model.h[layer].attn.c_attn.weight.to_vector<float>();
  };
  EXPECT_EQ(weight(a, 1), weight(b, 1));
  EXPECT_NE(weight(a, 1), weight(c, 1));
  EXPECT_NE(weight(a, 0), weight(a, 1));
  EXPECT_EQ(weight(a, 1), weight(make_gpt2(deeper, 1), 1)) << "a further layer changes no other";
  const auto doubles = in_double.h[1].attn.c_attn.weight.to_vector<double>();
  const auto floats = weight(a, 1);
  for (size_t i = 0; i < floats.size(); i++) EXPECT_EQ(doubles[i], double(floats[i]));
}

TEST(Initialisation, ScoreHeads) {
  const Gpt2 model =
      make_gpt2({.vocab_size = 2, .n_positions = 2, .n_embd = 1023, .n_layer = 1, .n_head = 1}, 1);
  EXPECT_EQ(make_score_head(model, 1, true).weight.to_vector<float>(),
            std::vector<float>(1023, 0.0f));
  EXPECT_NEAR(deviation(make_score_head(model, 1, false).weight), 1 / 32.0, 0.004);
}

}  // namespace
}  // namespace rlhf
