// --device and --bf16: what is chosen, and what is said where it cannot be.
#include "apps/device_flags.h"

#include <gtest/gtest.h>

#include "core/check.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

const DeviceReport real{.name = "GPU", .problem = {}, .total_bytes = 1, .free_bytes = 1};
const DeviceReport emulated{.name = "emulator", .problem = {}, .emulated = true};
const DeviceReport none{.name = {}, .problem = "expected a GPU, found none: use --device cpu"};

std::string refusal(const std::string& device, bool bf16, const DeviceReport& gpu) {
  return message_of<InputError>([&] { choose_placement(device, bf16, gpu); });
}

TEST(DeviceFlags, AutoTakesAGpuThatWorksAndNeverAnEmulatedOne) {
  EXPECT_EQ(choose_placement("auto", false, real).device, Device::cuda);
  EXPECT_EQ(choose_placement("auto", false, emulated).device, Device::cpu);
  EXPECT_EQ(choose_placement("auto", false, none).device, Device::cpu);
  EXPECT_EQ(choose_placement("auto", true, real).dtype, DType::bf16);
  EXPECT_EQ(choose_placement("auto", false, real).dtype, DType::f32);
}

TEST(DeviceFlags, WhatIsNamedIsTakenOrRefusedInOneLine) {
  EXPECT_EQ(choose_placement("cpu", false, real).device, Device::cpu);
  EXPECT_EQ(choose_placement("cuda", false, real).device, Device::cuda);
  EXPECT_EQ(choose_placement("emulated", true, emulated).dtype, DType::bf16);
  EXPECT_EQ(refusal("cuda", false, none),
            "[--device] expected a GPU, found none: use --device cpu");
  EXPECT_EQ(refusal("cuda", false, emulated),
            "[--device] expected a build for GPUs, got one that emulates them: use --device "
            "emulated, or --device cpu");
  for (const DeviceReport* other : {&real, &none}) {
    EXPECT_EQ(refusal("emulated", false, *other),
              "[--device] expected a build that emulates GPUs, got one that does not: start with "
              "RLHF_CUDA=EMULATED ./rlhf, or use --device cpu");
  }
}

TEST(DeviceFlags, TheCpuHasNoBfloat16) {
  const std::string line = "[--bf16] expected a GPU, got the CPU, which computes in float32 only";
  EXPECT_EQ(refusal("cpu", true, real), line);
  EXPECT_EQ(refusal("auto", true, none), line);
}

}  // namespace
}  // namespace rlhf
