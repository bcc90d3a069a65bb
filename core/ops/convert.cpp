#include "kernels/convert.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor to_accumulator(const Tensor& x, bool parameter) {
  if (x.dtype() == accumulator_of(x.dtype())) return x;
  Tensor out = result(x.shape(), {x}, accumulator_of(x.dtype()));
  run(x.device(), Convert<bf16, float>{{out.data<float>()}, x.data<bf16>(), x.count()});

  record("to_accumulator", {out}, [=] {
    const float* d_out = out.grad_data<float>();
    if (parameter) {
      run(x.device(), Convert<float, float>{x.grad_out<float>(), d_out, x.count()});
    } else {
      run(x.device(), Convert<float, bf16>{x.grad_out<bf16>(), d_out, x.count()});
    }
  });
  return out;
}

}  // namespace rlhf
