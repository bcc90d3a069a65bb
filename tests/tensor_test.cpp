// Tensors are handles: what shares memory, what shares a gradient, and what is refused.
#include "core/tensor.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "core/allocator.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

Tensor counting(const Shape& shape) {
  std::vector<float> values(size_t(shape.count()));
  std::iota(values.begin(), values.end(), 0.0f);
  return Tensor::from(values, shape);
}

/// Writes `value` as a backward kernel would: the first writer overwrites, later ones add.
void add_gradient(const Tensor& tensor, float value) {
  const GradientOut<float> out = tensor.grad_out<float>();
  for (int64_t i = 0; i < tensor.count(); i++) {
    out.data[i] = out.accumulate ? out.data[i] + value : value;
  }
}

TEST(Tensor, CopiesAreHandles) {
  const Tensor a = counting({2, 3});
  const Tensor b = a;
  b.data<float>()[4] = 70;
  EXPECT_EQ(a.to_vector<float>(), (std::vector<float>{0, 1, 2, 3, 70, 5}));
}

TEST(Tensor, ReshapeSharesMemoryAndGradient) {
  Tensor a = counting({2, 3});
  a.set_requires_grad(true);
  const Tensor b = a.reshape({3, 1, 2});
  EXPECT_EQ(b.shape(), (Shape{3, 1, 2}));
  EXPECT_EQ(b.data<float>(), a.data<float>());
  EXPECT_FALSE(a.has_grad());
  add_gradient(b, 2);
  ASSERT_TRUE(a.has_grad());
  add_gradient(a, 0.5f);
  EXPECT_EQ(b.grad().shape(), b.shape());
  EXPECT_EQ(b.grad().to_vector<float>(), std::vector<float>(6, 2.5f));
}

TEST(Tensor, ViewSharesMemoryAndThePlaceOfTheGradient) {
  Tensor flat = counting({10});
  flat.set_requires_grad(true);
  const Tensor view = flat.view(4, {2, 2});
  EXPECT_EQ(view.to_vector<float>(), (std::vector<float>{4, 5, 6, 7}));
  EXPECT_EQ(view.view(1, {2}).to_vector<float>(), (std::vector<float>{5, 6}));
  add_gradient(flat, 1);
  EXPECT_FALSE(view.has_grad()) << "whether this step wrote is told apart for each view";
  add_gradient(view, 8);
  EXPECT_EQ(flat.grad().to_vector<float>(), (std::vector<float>{1, 1, 1, 1, 8, 8, 8, 8, 1, 1}));
}

TEST(Tensor, CopyFromAndFillStayWithinAView) {
  const Tensor a = counting({6});
  a.view(1, {2}).fill_zero();
  a.view(4, {2}).copy_from(a.view(0, {2, 1}));
  EXPECT_EQ(a.to_vector<float>(), (std::vector<float>{0, 0, 0, 3, 0, 0}));
}

TEST(Tensor, GradientsComeAndGo) {
  Tensor a = counting({2});
  EXPECT_FALSE(a.requires_grad());
  EXPECT_EQ(a.grad_out<float>().data, nullptr);
  EXPECT_FALSE(a.grad().defined());
  a.set_requires_grad(true);
  EXPECT_EQ(a.grad_data<float>(), nullptr);
  add_gradient(a, 3);
  a.set_requires_grad(true);
  EXPECT_TRUE(a.has_grad()) << "asking twice loses nothing";
  a.set_requires_grad(false);
  EXPECT_FALSE(a.has_grad());
}

TEST(Tensor, MemoryGoesBackWithTheLastHandle) {
  Allocator& allocator = Allocator::of(Device::cpu);
  const size_t before = allocator.statistics().live;
  {
    Tensor view;
    {
      const Tensor a = Tensor::zeros({1000}, DType::f64);
      view = a.view(10, {10});
    }
    EXPECT_EQ(allocator.statistics().live - before, Allocator::size_class(8000));
    EXPECT_EQ(view.to_vector<double>(), std::vector<double>(10, 0.0));
  }
  EXPECT_EQ(allocator.statistics().live, before);
}

TEST(Tensor, MessagesNameWhatIsWrong) {
  const Tensor a = counting({2, 3});
  EXPECT_EQ(message_of<Error>([&] { a.data<double>(); }), "[tensor] expected f64, got f32");
  EXPECT_EQ(message_of<Error>([&] { a.to_vector<int32_t>(); }), "[tensor] expected i32, got f32");
  EXPECT_EQ(message_of<Error>([&] { a.item(); }),
            "[tensor] expected one element, got shape (2, 3)");
  EXPECT_EQ(message_of<Error>([&] { a.reshape({4}); }), "[reshape] expected 6 elements, got (4)");
  EXPECT_EQ(message_of<Error>([&] { a.view(3, {4}); }),
            "[view] expected a range within 6, got 3+4");
  EXPECT_EQ(message_of<Error>([&] { a.view(-1, {1}); }),
            "[view] expected a range within 6, got -1+1");
  EXPECT_EQ(message_of<Error>([&] { a.copy_from(Tensor::zeros({6}, DType::f64)); }),
            "[tensor] expected f32 (2, 3) to copy from, got f64 (6)");
  EXPECT_EQ(message_of<Error>([&] {
              Tensor::from(std::vector<float>(5), {2, 3});
            }),
            "[tensor] expected 6 values for (2, 3), got 5");
  EXPECT_EQ(message_of<Error>([&] { Tensor::from(std::vector<int32_t>(1), {1}).item(); }),
            "[dispatch] expected a floating-point tensor, got i32");
  EXPECT_EQ(message_of<Error>([&] {
              Shape({1, 2, 3, 4, 5});
            }),
            "[shape] expected at most 4 extents, got 5");
  EXPECT_EQ(message_of<Error>([&] { Shape({1, -2}); }), "[shape] expected extents >= 0, got -2");
}

TEST(Shape, CountsAndRows) {
  EXPECT_EQ(Shape().count(), 1);
  EXPECT_EQ(Shape().rows(), 1);
  EXPECT_EQ((Shape{2, 3, 4}).count(), 24);
  EXPECT_EQ((Shape{2, 3, 4}).rows(), 6);
  EXPECT_EQ((Shape{2, 0}).count(), 0);
  EXPECT_EQ((Shape{2, 3, 4})[-1], 4);
  EXPECT_EQ((Shape{2, 3, 4}).with_last(7), (Shape{2, 3, 7}));
  EXPECT_NE((Shape{2, 3}), (Shape{2, 3, 1}));
  EXPECT_EQ((Shape{2, 3}).text(), "(2, 3)");
}

}  // namespace
}  // namespace rlhf
