// The fused feed-forward block beside the three ops that it stands for: the same bits forward and
// backward, whatever wants a gradient.
#include <gtest/gtest.h>

#include <cstring>

#include "core/ops.h"
#include "nn/layers.h"
#include "tests/model_helpers.h"

namespace rlhf {
namespace {

constexpr int64_t rows = 37, width = 24, hidden = 96;

struct Fixture {
  Tensor x;
  Mlp mlp;
};

/// The same numbers every time.
Fixture make_fixture(DType dtype) {
  Fixture block{Tensor::empty({rows, width}, dtype),
                {{Tensor::empty({width, hidden}, dtype), Tensor::empty({hidden}, dtype)},
                 {Tensor::empty({hidden, width}, dtype), Tensor::empty({width}, dtype)}}};
  fill_normal(block.x, 1, 5, "x");
  randomise(block.mlp, 5, 0.5);
  return block;
}

std::vector<Tensor> tensors_of(const Fixture& block) {
  return {block.x, block.mlp.c_fc.weight, block.mlp.c_fc.bias, block.mlp.c_proj.weight,
          block.mlp.c_proj.bias};
}

Tensor step_by_step(const Fixture& block) {
  return block.mlp.c_proj(gelu(block.mlp.c_fc(block.x)));
}

void expect_same_bits(const Tensor& x, const Tensor& y, const std::string& what) {
  ASSERT_EQ(x.defined(), y.defined()) << what;
  if (!x.defined()) return;
  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    EXPECT_EQ(0, std::memcmp(x.data<T>(), y.data<T>(), size_t(x.count()) * sizeof(T))) << what;
  });
}

class MlpBits : public testing::TestWithParam<DType> {};

TEST_P(MlpBits, AreThoseOfItsSteps) {
  for (int wanted = 0; wanted < 32; wanted++) {  // a bit for each tensor
    Fixture fused = make_fixture(GetParam()), plain = make_fixture(GetParam());
    for (Fixture* block : {&fused, &plain}) {
      std::vector<Tensor*> all{&block->x, &block->mlp.c_fc.weight, &block->mlp.c_fc.bias,
                               &block->mlp.c_proj.weight, &block->mlp.c_proj.bias};
      for (int i = 0; i < 5; i++) all[size_t(i)]->set_requires_grad(wanted >> i & 1);
    }
    Tensor d_y = Tensor::empty({rows, width}, GetParam());
    fill_normal(d_y, 1, 6, "d_y");
    for (int pass = 0; pass < 2; pass++) {  // the second one adds to the first one's gradients
      Tape tape;
      const Tensor y = fused.mlp(fused.x, nullptr);
      ASSERT_EQ(y.requires_grad(), wanted != 0);
      if (wanted != 0) tape.backward(y, d_y);
      const Tensor expected = step_by_step(plain);
      if (wanted != 0) tape.backward(expected, d_y);
      expect_same_bits(y, expected, "out");
    }
    const auto got = tensors_of(fused), want = tensors_of(plain);
    for (size_t i = 0; i < 5; i++) {
      expect_same_bits(got[i].grad(), want[i].grad(),
                       "gradient " + std::to_string(i) + " of " + std::to_string(wanted));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, MlpBits, testing::Values(DType::f32, DType::f64),
                         [](const auto& info) { return std::string(name_of(info.param)); });

TEST(Mlp, RefusesWeightsThatDoNotFit) {
  const Fixture block = make_fixture(DType::f32);
  EXPECT_THROW(linear(block.x, block.mlp.c_proj.weight), Error);
  EXPECT_THROW(linear(block.x, block.mlp.c_fc.weight, block.mlp.c_proj.bias), Error);
  EXPECT_THROW(mlp(block.x, block.mlp.c_fc.weight, block.mlp.c_fc.bias, block.mlp.c_fc.weight,
                   block.mlp.c_proj.bias),
               Error);
}

}  // namespace
}  // namespace rlhf
