// Dropout on the GPU. One Philox call makes the words of four neighbours, as on the CPU.
#include "kernels/dropout.h"

#include "kernels/cuda/support/pointwise.h"

namespace rlhf {
namespace {

struct Drop {
  float probability, scale;
  RandomSite random;

  template <int n>
  __device__ gpu::Values<n> operator()(int64_t first, const gpu::Values<n>& x) const {
    gpu::Values<n> out;
    if constexpr (n == 1) {
      out[0] = random.uniform(uint64_t(first)) >= probability ? scale * x[0] : 0.0f;
    } else {
#pragma unroll
      for (int quad = 0; quad < n; quad += 4) {
        const PhiloxWords words = random_words(random.state->seed, random.stream, random.site,
                                               random.state->draw, uint64_t(first + quad) / 4);
#pragma unroll
        for (int i = 0; i < 4; i++) {
          const bool keep = unit_float(words[size_t(i)]) >= probability;
          out[quad + i] = keep ? scale * x[quad + i] : 0.0f;
        }
      }
    }
    return out;
  }
};

}  // namespace

template <class T>
void run(Cuda, const Dropout<T>& d, Stream stream) {
  const Drop drop{d.probability, 1.0f / (1.0f - d.probability), d.random};
  gpu::pointwise("dropout", stream, d.out, d.count, drop, d.in);
}

template void run(Cuda, const Dropout<float>&, Stream);
template void run(Cuda, const Dropout<bf16>&, Stream);

}  // namespace rlhf
