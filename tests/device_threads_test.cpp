// Every kernel beside every other: threads of the host that share a device, each of which must find
// what it finds alone, bit for bit.
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "kernels/graph.h"
#include "tests/case_runners.h"
#include "tests/gpu.h"

namespace rlhf {
namespace {

constexpr Device cuda = Device::cuda;

struct Part {
  const Case* which;
  bool backward;
  Instance alone;

  Instance again() const {
    return backward ? make_backward(*which, Element::f32, cuda)
                    : make(which->forward, Element::f32, cuda);
  }
};

/// What each kernel computes while nobody else is there.
std::vector<Part> parts() {
  std::vector<Part> all;
  for (const Case& c : case_table().tests) {
    for (const bool backward : {false, true}) {
      if (backward && !c.backward) continue;
      all.push_back({&c, backward, {}});
      all.back().alone = all.back().again();
      run_guarded(all.back().alone);
    }
  }
  return all;
}

/// Begins somewhere else than others do.
void compute(const std::vector<Part>& parts, size_t first) {
  for (size_t i = 0; i < parts.size(); i++) {
    const Part& part = parts[(first + i) % parts.size()];
    const Instance instance = part.again();
    run_guarded(instance);
    expect_same_bits(instance, part.alone);
  }
}

/// A few kernels in each graph.
void record_and_replay(const std::vector<Part>& parts, size_t first) {
  constexpr size_t most = 8;
  for (size_t i = 0; i < parts.size(); i += most) {
    std::vector<std::pair<Instance, const Instance*>> recorded;
    for (size_t k = i; k < std::min(i + most, parts.size()); k++) {
      const Part& part = parts[(first + k) % parts.size()];
      recorded.emplace_back(part.again(), &part.alone);
      fill_outputs_with_nan(recorded.back().first);
    }
    on_device(cuda, [&](auto tag) {
      if constexpr (std::is_same_v<decltype(tag), Cuda>) {
        begin_recording(tag, {});
        for (const auto& [instance, alone] : recorded) instance.start();
        void* const recording = end_recording(tag, {});
        replay(tag, recording, {});
        synchronize(tag, {});
        release_recording(tag, recording);
      }
    });
    for (const auto& [instance, alone] : recorded) expect_same_bits(instance, *alone);
  }
}

/// Up, across and down again, more than goes at once, until `done`.
void copy_about(const std::atomic<bool>& done) {
  constexpr size_t count = 700'000, bytes = count * sizeof(uint32_t);
  on_device(cuda, [&](auto tag) {
    void* const there = allocate(tag, bytes);
    void* const elsewhere = allocate(tag, bytes);
    for (uint32_t round = 0; !done; round++) {
      std::vector<uint32_t> values(count), back(count);
      for (uint32_t i = 0; i < count; i++) values[i] = i * 2654435761u + round;
      upload(tag, there, values.data(), bytes, {});
      fill(tag, elsewhere, 0, bytes, {});
      copy(tag, elsewhere, there, bytes, {});
      download(tag, back.data(), elsewhere, bytes, {});
      ASSERT_EQ(back, values);
    }
    release(tag, there);
    release(tag, elsewhere);
  });
}

TEST(DeviceThreads, ComputeWhatTheyComputeAlone) {
  RLHF_NEEDS_GPU();
  const std::vector<Part> all = parts();
  std::atomic<bool> done = false;
  std::thread copies([&] { copy_about(done); });
  std::vector<std::thread> threads;
  for (const size_t third : {0, 1}) {
    threads.emplace_back([&, third] { compute(all, third * all.size() / 3); });
  }
  threads.emplace_back([&] { record_and_replay(all, 2 * all.size() / 3); });
  for (std::thread& thread : threads) thread.join();
  done = true;
  copies.join();
}

}  // namespace
}  // namespace rlhf
