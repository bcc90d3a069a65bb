#include "rl/whitening.h"

#include "kernels/run.h"
#include "kernels/whiten.h"

namespace rlhf {

void whiten(std::vector<Episode>& episodes, std::vector<float> Episode::*field, bool shift_mean,
            Device device) {
  const std::vector<float> flat = flatten(pointers(episodes), field);
  const int64_t count = int64_t(flat.size());
  const Tensor in = Tensor::from(flat, {count}, device);
  const Tensor mask = Tensor::from(std::vector<float>(flat.size(), 1), {count}, device);
  const Tensor out = Tensor::empty({count}, DType::f32, device);
  run(device,
      Whiten<float>{out.data<float>(), in.data<float>(), mask.data<float>(), count, shift_mean});
  scatter(out.to_vector<float>(), episodes, field);
}

}  // namespace rlhf
