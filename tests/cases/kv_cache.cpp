// Appending to caches that are filled to different lengths, and to some rows of one.
#include "kernels/kv_cache.h"

#include "tests/case.h"

namespace rlhf {
namespace {

struct KvCacheCase {
  struct Shape {
    std::string label;
    int64_t B, T_new, C, capacity;
    std::vector<int32_t> rows = {};  ///< of each sequence
    int64_t cache_rows = 0;
  };
  static constexpr const char* name = "kv_cache";
  static std::vector<Shape> shapes() {
    return {{"one_token", 3, 1, 8, 5},
            {"prompt", 2, 4, 12, 4},
            {"parallel", 8, 16, 512, 40},
            {"rows", 3, 2, 12, 7, {5, 0, 2}, 6}};
  }
  static std::vector<Shape> bench_shapes() { return {{"8x256", 8, 1, 256, 512}}; }

  template <class T>
  static KvCacheAppend<T> forward(Buffers& b, const Shape& s) {
    std::vector<int32_t> length;
    for (int64_t row = 0; row < s.B; row++) {
      length.push_back(int32_t(row * 2 % (s.capacity - s.T_new + 1)));
    }
    const int64_t size = (s.rows.empty() ? s.B : s.cache_rows) * s.capacity * s.C;
    return {.keys = b.normal<T>(size),
            .values = b.normal<T>(size),
            .qkv = b.normal<T>(s.B * s.T_new * 3 * s.C),
            .length = b.hold(length),
            .B = s.B,
            .T_new = s.T_new,
            .C = s.C,
            .capacity = s.capacity,
            .cache_row = s.rows.empty() ? nullptr : b.hold(s.rows),
            .cache_rows = s.cache_rows};
  }

  static void reference(const KvCacheAppend<double>& c) {
    for (int64_t b = 0; b < c.B; b++) {
      for (int64_t slot = c.length[b]; slot < c.length[b] + c.T_new; slot++) {
        for (int64_t i = 0; i < c.C; i++) {
          const double* token = c.qkv + (b * c.T_new + slot - c.length[b]) * 3 * c.C;
          const int64_t row = c.cache_row ? c.cache_row[b] : b;
          c.keys[(row * c.capacity + slot) * c.C + i] = token[c.C + i];
          c.values[(row * c.capacity + slot) * c.C + i] = token[2 * c.C + i];
        }
      }
    }
  }
  static constexpr Tolerance tolerance = {.bf16 = 1e-12};  // copies
};
const Register<KvCacheCase> registered;

}  // namespace
}  // namespace rlhf
