// The second kernel of a product whose sums were cut: adds the parts.
#include "kernels/cuda/support/gemm_product.h"

namespace rlhf::gpu {
namespace {

template <class T, class Out>
__global__ void sum_parts_kernel(Epilogue<T, Out> end, const float* parts, int64_t count) {
  constexpr int width = Epilogue<T, Out>::width;
  const int64_t columns = (end.N + width - 1) / width;
  const int64_t place = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t row = place / columns, column = place % columns * width;
  if (row < end.M) {
    Values<width> sums = {};
    for (int64_t part = 0; part < count; part++) {
      const float* const from = parts + (part * end.M + row) * end.N + column;
      if (end.packs) {
        const Values<width> more = load<width>(from);
#pragma unroll
        for (int i = 0; i < width; i++) sums[i] += more[i];
      } else {
        for (int i = 0; i < width && column + i < end.N; i++) sums[i] += from[i];
      }
    }
    end.put_some(sums, row, column, 0);
  }
}

}  // namespace

template <class T, class Out>
void sum_parts(const Epilogue<T, Out>& epilogue, int64_t parts, Stream stream) {
  if (parts == 1) return;
  constexpr unsigned block = 128;
  constexpr int width = Epilogue<T, Out>::width;
  Epilogue<T, Out> end = epilogue;
  end.parts = nullptr;
  const int64_t places = end.M * ((end.N + width - 1) / width);
  launch({"gemm_sum_parts", blocks_for(places, block), block, stream}, sum_parts_kernel<T, Out>,
         end, static_cast<const float*>(epilogue.parts), parts);
}

template void sum_parts(const Epilogue<float, float>&, int64_t, Stream);
template void sum_parts(const Epilogue<bf16, bf16>&, int64_t, Stream);
template void sum_parts(const Epilogue<bf16, float>&, int64_t, Stream);

}  // namespace rlhf::gpu
