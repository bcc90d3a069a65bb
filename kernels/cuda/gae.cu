// Advantages by one warp a row, which reads 32 steps at a time: a backward recurrence with a
// constant factor is a scan, so its steps need not wait for one another. Ends of episodes cut it:
// nothing is taken over from lanes behind one.
#include "kernels/gae.h"

#include "kernels/cuda/support/block.h"

namespace rlhf {
namespace {

using namespace gpu;

constexpr int rows_per_block = 4;

/// sum over l >= 0 of decay^l value[lane + l], within the warp and up to the first of the `ends`
/// (bits of lanes) from this lane on.
__device__ inline float discounted_suffix(float value, float decay, unsigned ends) {
  const unsigned from_here = ends >> lane();
  float factor = decay;
  for (int distance = 1; distance < warp_size; distance *= 2) {
    const float later = __shfl_down_sync(full_mask, value, unsigned(distance));
    const bool cut = from_here & ((1u << distance) - 1);
    if (lane() + distance < warp_size && !cut) value = fmaf(factor, later, value);
    factor *= factor;
  }
  return value;
}

__global__ void gae_kernel(Gae<float> c) {
  const int64_t b = int64_t(blockIdx.x) * rows_per_block + warp();
  const bool exists = b < c.B;
  const int64_t row = exists ? b * c.T_max : 0, length = exists ? c.length[b] : 0;
  const float last_value = exists && c.bootstrap ? c.bootstrap[b] : 0;
  const float decay = c.gamma * c.lambda;
  const float reach = powf(decay, float(warp_size - lane()));  // to the first step after these 32
  float next_advantage = 0;
  const int64_t pieces = (c.T_max + warp_size - 1) / warp_size;
  for (int64_t piece = pieces - 1; piece >= 0; piece--) {
    const int64_t t = piece * warp_size + lane();
    const bool counts = t < length;
    const bool end = counts && c.ends && c.ends[row + t];
    const unsigned ends = __ballot_sync(full_mask, end);
    const float value = counts ? c.values[row + t] : 0;
    float delta = 0;
    if (counts) {
      const float next_value = end ? 0 : t + 1 < length ? c.values[row + t + 1] : last_value;
      delta = fmaf(c.gamma, next_value, c.rewards[row + t]) - value;
    }
    const float behind = ends >> lane() ? 0 : next_advantage;
    const float advantage = fmaf(reach, behind, discounted_suffix(delta, decay, ends));
    if (exists && t < c.T_max) {
      c.advantages[row + t] = counts ? advantage : 0;
      c.returns[row + t] = counts ? advantage + value : 0;
    }
    next_advantage = __shfl_sync(full_mask, advantage, 0);
  }
}

}  // namespace

template <class T>
void run(Cuda, const Gae<T>& c, Stream stream) {
  if (c.B == 0 || c.T_max == 0) return;
  launch({"gae", blocks_for(c.B, rows_per_block), rows_per_block * warp_size, stream}, gae_kernel,
         c);
}

template void run(Cuda, const Gae<float>&, Stream);

}  // namespace rlhf
