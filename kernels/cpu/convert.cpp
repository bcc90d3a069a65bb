// Changing the element type on the CPU.
#include "kernels/convert.h"

#include "kernels/cpu/support/parallel.h"

namespace rlhf {

template <class From, class To>
void run(Cpu, const Convert<From, To>& c, Stream) {
  using Sum = Accumulator<To>;
  if (!c.out) return;
  cpu::parallel_ranges(c.count, 4096, c.flops(), [&](int64_t begin, int64_t end) {
    To* out = c.out.data;
    if (c.out.accumulate) {
      for (int64_t i = begin; i < end; i++) out[i] = To(Sum(out[i]) + Sum(c.in[i]));
    } else {
      for (int64_t i = begin; i < end; i++) out[i] = To(Sum(c.in[i]));
    }
  });
}

template void run(Cpu, const Convert<float, float>&, Stream);
template void run(Cpu, const Convert<double, double>&, Stream);
template void run(Cpu, const Convert<bf16, float>&, Stream);
template void run(Cpu, const Convert<float, bf16>&, Stream);

}  // namespace rlhf
