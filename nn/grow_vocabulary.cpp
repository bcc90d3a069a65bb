#include "nn/grow_vocabulary.h"

#include <algorithm>
#include <vector>

namespace rlhf {
namespace {

// (V, C) with rows up to `rows`: from `known` to `ids` the mean of the known ones, then zeros.
void grow(Tensor& table, int64_t known, int64_t ids, int64_t rows) {
  const int64_t C = table.shape()[1];
  // Of a rounded table, what it was before grows and is rounded again.
  const Tensor exact = table.rounded_from();
  const Tensor source = exact.defined() ? exact : table;
  dispatch(source.dtype(), [&](auto t) {
    using T = decltype(t);
    std::vector<T> values = source.to_vector<T>();
    std::vector<double> mean(size_t(C), 0);
    for (int64_t i = 0; i < known * C; i++) mean[size_t(i % C)] += double(values[size_t(i)]);
    values.resize(size_t(rows * C));
    for (int64_t i = known * C; i < ids * C; i++) {
      values[size_t(i)] = T(mean[size_t(i % C)] / double(known));
    }
    table =
        placed(Tensor::from(values, {rows, C}, source.device()), {table.device(), table.dtype()});
  });
}

}  // namespace

void grow_vocabulary(Gpt2& model, int64_t known, int64_t ids) {
  const int64_t before = model.config.vocab_size;
  check(known >= 1 && known <= ids, "vocabulary", "expected 1 to {} known ids, got {}", ids, known);
  known = std::min(known, before);
  const int64_t rows = std::max(before, ids);
  grow(model.wte.weight, known, ids, rows);
  if (!model.tied()) grow(model.lm_head.weight, known, ids, rows);
  model.config.vocab_size = rows;
  model.config.sampled_ids = ids < rows ? ids : 0;
}

}  // namespace rlhf
