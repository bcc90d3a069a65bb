// --device, --bf16 and --attention: what is chosen, and what is said where it cannot be.
#include "apps/device_flags.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/check.h"
#include "kernels/cpu/support/gemm_options.h"
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

TEST(DeviceFlags, OnTheCpuBfloat16IsOfProductsAlone) {
  for (const auto& [device, gpu] :
       {std::pair{"cpu", &real}, {"auto", &none}, {"auto", &emulated}}) {
    const Placement placement = choose_placement(device, true, *gpu);
    EXPECT_EQ(placement.device, Device::cpu);
    EXPECT_EQ(placement.dtype, DType::f32);
  }
}

TEST(DeviceFlags, SayInWhatTheCpuMultiplies) {
  const cpu::WithGemmOptions scope({});
  for (const bool bf16 : {true, false}) {
    DeviceFlags device;
    Flags flags;
    device.declare(flags);
    flags.find("device")->set("cpu");
    flags.find("bf16")->set(bf16 ? "true" : "false");
    testing::internal::CaptureStderr();
    EXPECT_EQ(device.placement().dtype, DType::f32);
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(said.starts_with("device: CPU, products in bfloat16"), bf16) << said;
    EXPECT_EQ(said.find("no faster") != std::string::npos, bf16 && !cpu::has_fast_bf16_products());
    EXPECT_EQ(cpu::gemm_options().products, bf16 ? cpu::Products::bf16 : cpu::Products::f32);
    cpu::Products of_new_thread{};
    std::thread([&] { of_new_thread = cpu::gemm_options().products; }).join();
    EXPECT_EQ(of_new_thread, cpu::gemm_options().products);
  }
}

TEST(DeviceFlags, AttentionIsOursOrWhatTheBuildAndTheDeviceHave) {
  const Placement on_cpu{}, on_gpu{Device::cuda, DType::f32},
      on_gpu_bf16{Device::cuda, DType::bf16};
  const auto said = [](const Placement& placement, const DeviceReport& gpu,
                       const std::string& why) {
    check_attention("native", placement, gpu, why);  // always ours to have
    return message_of<InputError>([&] { check_attention("cudnn", placement, gpu, why); });
  };
  EXPECT_NO_THROW(check_attention("cudnn", on_gpu_bf16, real, ""));
  EXPECT_EQ(said(on_gpu_bf16, real, "expected a build with cuDNN, got one without"),
            "[--attention] expected a build with cuDNN, got one without");
  EXPECT_EQ(
      said(on_gpu, real, ""),
      "[--attention] expected bfloat16 for cudnn, got float32: add --bf16, or use --attention "
      "native");
  for (const DeviceReport* gpu : {&real, &emulated, &none}) {
    EXPECT_EQ(said(on_cpu, *gpu, ""),
              "[--attention] expected a GPU for cudnn, got the CPU: use --attention native");
  }
  EXPECT_EQ(said(on_gpu_bf16, emulated, ""),
            "[--attention] expected a GPU for cudnn, got an emulated one: use --attention native");
}

}  // namespace
}  // namespace rlhf
