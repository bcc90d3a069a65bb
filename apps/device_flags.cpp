#include "apps/device_flags.h"

#include <fmt/core.h>

#include <cstdio>

#include "apps/print.h"
#include "apps/terminal.h"
#include "apps/watch.h"
#include "core/check.h"
#include "kernels/cpu/support/gemm_options.h"
#include "kernels/cuda/support/attention_library.h"
#include "kernels/cuda/support/gemm_library.h"

namespace rlhf {

void DeviceFlags::declare(Flags& flags) {
  flags.group("Device");
  flags.choice("device", device_, {"auto", "cpu", "cuda", "emulated"},
               "where to compute; auto: the GPU where there is one, else the CPU; emulated: a GPU "
               "interpreted on the CPU, slowly, to look into its kernels");
  flags.add(
      "bf16", bf16_,
      "GPU: parameters and activations in bfloat16, sums and the optimizer's copy in float32; "
      "CPU: operands of matrix products rounded to bfloat16, all else in float32, up to twice "
      "as fast where the CPU has AVX512-BF16");
  flags.choice(
      "attention", attention_, {"native", "cudnn"},
      "who computes attention on a GPU in bfloat16; cudnn: NVIDIA's library, for the cases "
      "that it has");
}

Placement choose_placement(const std::string& device, bool bf16, const DeviceReport& gpu) {
  if (device == "emulated" && !gpu.emulated) {
    input_error("--device",
                "expected a build that emulates GPUs, got one that does not: start with "
                "RLHF_CUDA=EMULATED ./rlhf, or use --device cpu");
  }
  if (device == "cuda" && gpu.emulated) {
    input_error("--device",
                "expected a build for GPUs, got one that emulates them: use --device emulated, or "
                "--device cpu");
  }
  if (device == "cuda" || device == "emulated") {
    if (!gpu.problem.empty()) input_error("--device", "{}", gpu.problem);
    return {Device::cuda, bf16 ? DType::bf16 : DType::f32};
  }
  if (device == "auto" && gpu.problem.empty() && !gpu.emulated) {
    return {Device::cuda, bf16 ? DType::bf16 : DType::f32};
  }
  return {};
}

void check_attention(const std::string& attention, const Placement& placement,
                     const DeviceReport& gpu, const std::string& library_problem) {
  if (attention == "native") return;
  if (placement.device == Device::cpu || gpu.emulated) {
    input_error("--attention", "expected a GPU for cudnn, got {}: use --attention native",
                gpu.emulated && placement.device == Device::cuda ? "an emulated one" : "the CPU");
  }
  if (!library_problem.empty()) input_error("--attention", "{}", library_problem);
  if (placement.dtype != DType::bf16) {
    input_error("--attention",
                "expected bfloat16 for cudnn, got float32: add --bf16, or use --attention native");
  }
}

DeviceReport gpu_report() {
  if constexpr (has_cuda)
    return on_device(Device::cuda, [](auto tag) { return device_report(tag); });
  return {.name = {}, .problem = device_problem(Device::cuda)};
}

std::string cudnn_problem() {
  if constexpr (has_cuda) return gpu::attention_library_problem();
  return device_problem(Device::cuda);
}

std::string cublaslt_problem() {
  if constexpr (has_cuda) return gpu::gemm_library_problem();
  return device_problem(Device::cuda);
}

std::string gpu_text(const DeviceReport& gpu) {
  if (!gpu.problem.empty()) return gpu.problem;
  if (gpu.emulated) return "emulated on the CPU (--device emulated)";
  return fmt::format("{}, {:.1f} GiB ({:.1f} free), {} multiprocessors, capability {}.{}", gpu.name,
                     double(gpu.total_bytes) / double(1 << 30),
                     double(gpu.free_bytes) / double(1 << 30), gpu.multiprocessors,
                     gpu.capability / 10, gpu.capability % 10);
}

namespace {

void choose_attention(const std::string& attention) {
  using gpu::AttentionLibrary;
  if constexpr (has_cuda) {
    gpu::attention_options().library =
        attention == "cudnn" ? AttentionLibrary::cudnn : AttentionLibrary::native;
    // A command that has the process to itself decides for the threads that it starts, too.
    if (!current_watch()) gpu::begin_attention_with(gpu::attention_options());
  }
}

void choose_products(bool bf16) {
  using cpu::Products;
  cpu::gemm_options().products = bf16 ? Products::bf16 : Products::f32;
  if (!current_watch()) cpu::begin_threads_with(cpu::gemm_options());
  if (!bf16) return;
  note("device: CPU, products in bfloat16{}\n",
       cpu::has_fast_bf16_products()
           ? ""
           : " (no faster than in float32: this build has no AVX512-BF16)");
}

}  // namespace

Placement DeviceFlags::placement() const {
  const DeviceReport gpu = gpu_report();
  const Placement placement = choose_placement(device_, bf16_, gpu);
  // Asked only by who wants it: the answer opens the library.
  check_attention(attention_, placement, gpu, attention_ == "cudnn" ? cudnn_problem() : "");
  choose_attention(attention_);
  choose_products(bf16_ && placement.device == Device::cpu);
  if (placement.device == Device::cuda) {
    note("device: {}{}{}\n", escape_line(gpu_text(gpu)), bf16_ ? ", bfloat16" : "",
         attention_ == "cudnn" ? ", attention by cuDNN" : "");
    const std::string problem = gpu.emulated ? "" : cublaslt_problem();
    if (!problem.empty()) note("matrix products without cuBLASLt: {}\n", problem);
  }
  return placement;
}

Placement DeviceFlags::placement_for_inference() const {
  Placement placement = this->placement();
  placement.keeps_exact = false;
  return placement;
}

}  // namespace rlhf
