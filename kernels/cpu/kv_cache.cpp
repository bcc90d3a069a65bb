// Appending to the cache: two copies a token.
#include "kernels/kv_cache.h"

#include <algorithm>

#include "kernels/cpu/support/parallel.h"

namespace rlhf {

template <class T>
void run(Cpu, const KvCacheAppend<T>& c, Stream) {
  cpu::parallel_for(c.B * c.T_new, double(c.B * c.T_new * c.C), [&](int64_t row) {
    const int64_t b = row / c.T_new, t = row % c.T_new;
    const T* const qkv = c.qkv + row * 3 * c.C;
    const int64_t slot = c.place(b, t);
    std::copy_n(qkv + c.C, c.C, c.keys + slot);
    std::copy_n(qkv + 2 * c.C, c.C, c.values + slot);
  });
}

template void run(Cpu, const KvCacheAppend<float>&, Stream);
template void run(Cpu, const KvCacheAppend<double>&, Stream);

}  // namespace rlhf
