// Tensors in a GPU's memory: what moves, what converts, what an allocator there does.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/allocator.h"
#include "core/finite.h"
#include "core/mirror.h"
#include "core/safetensors.h"
#include "core/tensor.h"
#include "tests/files.h"
#include "tests/gpu.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

std::vector<float> values(int64_t count) {
  std::vector<float> list;
  for (int64_t i = 0; i < count; i++) list.push_back(float(i) / 3 - 2);
  return list;
}

TEST(DeviceTensor, ValuesGoThereAndBack) {
  RLHF_NEEDS_GPU();
  const Tensor here = Tensor::from(values(1000), {10, 100});
  const Tensor there = here.to(Device::cuda);
  EXPECT_EQ(there.device(), Device::cuda);
  EXPECT_EQ(there.shape(), here.shape());
  EXPECT_EQ(there.to_vector<float>(), values(1000));
  EXPECT_EQ(there.to(Device::cpu).to_vector<float>(), values(1000));
  EXPECT_EQ(there.to(Device::cuda).data<float>(), there.data<float>()) << "nothing to do";
  EXPECT_EQ(Tensor::from(values(3), {3}, Device::cuda).view(1, {1}).item(), double(1.0f / 3 - 2));
}

TEST(DeviceTensor, CopiesFromAndToViews) {
  RLHF_NEEDS_GPU();
  const Tensor there = Tensor::zeros({6}, DType::f32, Device::cuda);
  there.view(2, {2}).copy_from(Tensor::from(std::vector<float>{5, 6}, {2}));
  there.view(4, {2}).copy_from(there.view(2, {2}));
  EXPECT_EQ(there.to_vector<float>(), (std::vector<float>{0, 0, 5, 6, 5, 6}));
  const Tensor here = Tensor::zeros({2}, DType::f32);
  here.copy_from(there.view(3, {2}));
  EXPECT_EQ(here.to_vector<float>(), (std::vector<float>{6, 5}));
  there.view(3, {3}).fill_zero();
  EXPECT_EQ(there.to_vector<float>(), (std::vector<float>{0, 0, 5, 0, 0, 0}));
}

TEST(DeviceTensor, ConvertsByRoundingToNearestEven) {
  const std::vector<float> exact{1, -0.5f, 0, 256, 1.0f + 0x1p-7f};
  const std::vector<float> odd{1.0f + 0x1p-8f, 1.0f + 3 * 0x1p-8f, 257};
  for (const Device device : {Device::cpu, Device::cuda}) {
    if (device == Device::cuda && !device_problem(device).empty()) continue;
    const auto rounded = [&](const std::vector<float>& list) {
      const Tensor half = Tensor::from(list, {int64_t(list.size())}, device).to(DType::bf16);
      EXPECT_EQ(half.device(), device);
      EXPECT_EQ(half.dtype(), DType::bf16);
      return half.to(DType::f32).to_vector<float>();
    };
    EXPECT_EQ(rounded(exact), exact);
    EXPECT_EQ(rounded(odd), (std::vector<float>{1, 1.0f + 0x1p-6f, 256}));
  }
}

TEST(DeviceTensor, SeesWhatIsNotFinite) {
  RLHF_NEEDS_GPU();
  std::vector<float> list = values(100);
  EXPECT_TRUE(is_finite(Tensor::from(list, {100}, Device::cuda)));
  EXPECT_TRUE(is_finite(Tensor::from(list, {100}, Device::cuda).to(DType::bf16)));
  list[99] = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(is_finite(Tensor::from(list, {100}, Device::cuda)));
  list[99] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(is_finite(Tensor::from(list, {100}, Device::cuda).to(DType::bf16)));
}

TEST(DeviceTensor, IsWrittenToFilesAsItIs) {
  RLHF_NEEDS_GPU();
  const TemporaryFolder folder;
  const auto path = folder / "device_tensor.safetensors";
  const Tensor there = Tensor::from(values(20), {4, 5}, Device::cuda).to(DType::bf16);
  write_safetensors(path, {{"x", there}});
  const Tensor read = read_safetensors(path).at("x");
  EXPECT_EQ(read.dtype(), DType::bf16);
  EXPECT_EQ(read.device(), Device::cpu);
  EXPECT_EQ(read.to(DType::f32).to_vector<float>(), there.to(DType::f32).to_vector<float>());
}

TEST(DeviceTensor, GradientsOfParametersAreSummedInFloat) {
  for (const bool as_parameter : {false, true}) {
    Tensor x = Tensor::from(values(4), {4}).to(DType::bf16);
    x.set_requires_grad(true);
    if (as_parameter) {
      EXPECT_FALSE(x.grad_out<float>().accumulate);
      EXPECT_TRUE(x.grad_out<float>().accumulate);
      EXPECT_EQ(x.grad().dtype(), DType::f32);
      EXPECT_EQ(message_of<Error>([&] { x.grad_out<bf16>(); }),
                "[gradient] expected bf16, got f32");
    } else {
      EXPECT_FALSE(x.grad_out<bf16>().accumulate);
      EXPECT_EQ(x.grad().dtype(), DType::bf16);
      EXPECT_EQ(message_of<Error>([&] { x.grad_out<float>(); }),
                "[gradient] expected f32, got bf16");
    }
  }
}

TEST(DeviceAllocator, UsesBlocksAgainAndCounts) {
  RLHF_NEEDS_GPU();
  Allocator allocator(Device::cuda);
  void* const a = allocator.allocate(1000);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a) % 256, 0u);
  EXPECT_EQ(allocator.statistics().live, 1024u);
  void* const small = allocator.allocate(10);
  EXPECT_EQ(allocator.statistics().live, 1024u + 256u) << "what a GPU hands out";
  allocator.release(a, 1000);
  EXPECT_EQ(allocator.allocate(900), a);
  allocator.release(a, 900);
  allocator.release(small, 10);
  EXPECT_EQ(allocator.statistics().cached, 1280u);
  allocator.trim();
  EXPECT_EQ(allocator.statistics().cached, 0u);
  EXPECT_EQ(allocator.statistics().peak, 1280u);
}

TEST(DeviceAllocator, SaysWhatIsInTheWay) {
  RLHF_NEEDS_GPU();
  Allocator allocator(Device::cuda);
  allocator.release(allocator.allocate(1 << 20), 1 << 20);
  const std::string line = message_of<Error>([&] { allocator.allocate(size_t{1} << 50); });
  EXPECT_NE(line.find("expected room for 1125899906842624 bytes, got none (0 bytes live, 1048576 "
                      "cached; "),
            std::string::npos)
      << line;
  EXPECT_NE(line.find(" free on "), std::string::npos) << line;
  EXPECT_EQ(allocator.statistics().cached, 0u) << "given back before giving up";
}

TEST(Mirror, KernelsReadWhatTheHostHasDecided) {
  const std::vector<int32_t> first{1, 2, 3}, second{4, 5, 6}, longer{7, 8, 9, 10};
  Mirror<int32_t> here(Device::cpu);
  EXPECT_EQ(here.publish(first), first.data()) << "the CPU needs no copy";
  EXPECT_EQ(here.publish(std::span<const int32_t>()), nullptr);
  RLHF_NEEDS_GPU();
  Mirror<int32_t> there(Device::cuda);
  const auto read = [](const int32_t* from, size_t count) {
    std::vector<int32_t> values(count);
    on_device(Device::cuda, [&](auto tag) {
      download(tag, values.data(), from, count * sizeof(int32_t), Stream{});
    });
    return values;
  };
  const int32_t* const place = there.publish(first);
  EXPECT_EQ(read(place, 3), first);
  EXPECT_EQ(there.publish(second), place) << "a recorded launch finds it where it was";
  EXPECT_EQ(read(place, 3), second);
  EXPECT_EQ(read(there.publish(longer), 4), longer);
}

}  // namespace
}  // namespace rlhf
