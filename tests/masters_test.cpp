// The float copies that a bfloat16 model's updates are added to begin as the weights that were
// drawn or read, not as their roundings.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "nn/gpt2.h"
#include "nn/grow_vocabulary.h"
#include "nn/optimizer.h"
#include "tests/gpu.h"

namespace rlhf {
namespace {

using Values = std::map<std::string, std::vector<float>>;

constexpr Placement on_gpu{Device::cuda, DType::bf16};

Gpt2 tiny() {
  Gpt2Config config{.vocab_size = 11, .n_positions = 6, .n_embd = 8, .n_layer = 1, .n_head = 2};
  return make_gpt2(config, 3);
}

Values values_of(Gpt2& model) {
  Values values;
  for_each_parameter(model, [&](const std::string& name, const Tensor& tensor) {
    values[name] = tensor.to(DType::f32).to_vector<float>();
  });
  return values;
}

Values masters_of(Gpt2& model) {
  const ParameterArena arena(model);
  const Optimizer optimizer(arena, {});
  Values values;
  optimizer.for_each_master([&](const std::string& name, const Tensor& master) {
    values[name] = master.to_vector<float>();
  });
  return values;
}

bool same_bits(const Values& x, const Values& y) {
  for (const auto& [name, values] : x) {
    const std::vector<float>& others = y.at(name);
    if (values.size() != others.size()) return false;
    if (std::memcmp(values.data(), others.data(), values.size() * sizeof(float)) != 0) return false;
  }
  return x.size() == y.size();
}

TEST(Masters, BeginAsWhatWasDrawn) {
  RLHF_NEEDS_GPU();
  Gpt2 model = tiny();
  const Values drawn = values_of(model);
  move_parameters(model, on_gpu);
  EXPECT_FALSE(same_bits(values_of(model), drawn)) << "rounding is to change something";
  EXPECT_TRUE(same_bits(masters_of(model), drawn));
}

TEST(Masters, OfACopyBeginAlike) {
  RLHF_NEEDS_GPU();
  Gpt2 model = tiny();
  const Values drawn = values_of(model);
  move_parameters(model, on_gpu);
  Gpt2 copy = copy_of(model), frozen = frozen_copy(model);
  EXPECT_TRUE(same_bits(masters_of(model), drawn));
  EXPECT_TRUE(same_bits(masters_of(copy), drawn)) << "after the original's were taken";
  EXPECT_FALSE(frozen.wte.weight.rounded_from().defined()) << "host memory for nobody";
}

TEST(Masters, OfAGrownVocabularyBeginAsTheFloatsGrew) {
  RLHF_NEEDS_GPU();
  Gpt2 on_cpu = tiny(), model = tiny();
  grow_vocabulary(on_cpu, 11, 14);
  move_parameters(model, on_gpu);
  grow_vocabulary(model, 11, 14);
  EXPECT_TRUE(same_bits(masters_of(model), values_of(on_cpu)));
}

TEST(Masters, BeginAsTheParametersWhereThoseWereWrittenSince) {
  RLHF_NEEDS_GPU();
  Gpt2 model = tiny();
  move_parameters(model, on_gpu);
  model.wte.weight.fill_zero();
  const std::vector<float> master = masters_of(model).at("wte.weight");
  EXPECT_EQ(master, std::vector<float>(master.size(), 0.0f));
}

TEST(Masters, BeginAsTheParametersWhereNobodyKeptMore) {
  RLHF_NEEDS_GPU();
  Gpt2 model = tiny();
  Placement inference = on_gpu;
  inference.keeps_exact = false;
  move_parameters(model, inference);
  const Values rounded = values_of(model);
  EXPECT_TRUE(same_bits(masters_of(model), rounded));
}

TEST(Masters, TheArenaLetsGoOfTheHostsMemory) {
  RLHF_NEEDS_GPU();
  Gpt2 model = tiny();
  move_parameters(model, on_gpu);
  ParameterArena arena(model);
  EXPECT_TRUE(arena.entries()[0].exact.defined());
  EXPECT_FALSE(model.wte.weight.rounded_from().defined());
  arena.forget_exact();
  EXPECT_FALSE(arena.entries()[0].exact.defined());
}

}  // namespace
}  // namespace rlhf
