#include "kernels/segment_sum.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor segment_sum(const Tensor& x, const Tensor& begin, const Tensor& end, bool mean) {
  const int64_t S = begin.count(), N = x.count();
  check(S > 0 && end.count() == S, "segment_sum",
        "expected as many ends as beginnings, got {} of {}", end.count(), S);
  Tensor out = result({S}, {x});

  dispatch_accumulator(x.dtype(), [&](auto t) {
    using T = decltype(t);
    run(x.device(), SegmentSumForward<T>{out.data<T>(), x.data<T>(), begin.data<int32_t>(),
                                         end.data<int32_t>(), S, N, mean});
  });

  record("segment_sum", {out}, [=] {
    dispatch_accumulator(x.dtype(), [&](auto t) {
      using T = decltype(t);
      run(x.device(),
          SegmentSumBackward<T>{x.grad_out<T>(), out.grad_data<T>(), begin.data<int32_t>(),
                                end.data<int32_t>(), S, N, mean});
    });
  });
  return out;
}

}  // namespace rlhf
