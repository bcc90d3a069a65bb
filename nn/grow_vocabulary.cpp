#include "nn/grow_vocabulary.h"

#include <algorithm>
#include <vector>

namespace rlhf {

void grow_vocabulary(Gpt2& model, int64_t known, int64_t ids) {
  const int64_t before = model.config.vocab_size, C = model.config.n_embd;
  check(known >= 1 && known <= ids, "vocabulary", "expected 1 to {} known ids, got {}", ids, known);
  known = std::min(known, before);
  const int64_t rows = std::max(before, ids);
  Tensor& embedding = model.wte.weight;
  // Of a rounded embedding, what it was before grows and is rounded again.
  const Tensor exact = embedding.rounded_from();
  const Tensor source = exact.defined() ? exact : embedding;
  dispatch(source.dtype(), [&](auto t) {
    using T = decltype(t);
    std::vector<T> values = source.to_vector<T>();
    std::vector<double> mean(size_t(C), 0);
    for (int64_t i = 0; i < known * C; i++) mean[size_t(i % C)] += double(values[size_t(i)]);
    values.resize(size_t(rows * C));
    for (int64_t i = known * C; i < ids * C; i++) {
      values[size_t(i)] = T(mean[size_t(i % C)] / double(known));
    }
    embedding = placed(Tensor::from(values, {rows, C}, source.device()),
                       {embedding.device(), embedding.dtype()});
  });
  model.config.vocab_size = rows;
  model.config.sampled_ids = ids < rows ? ids : 0;
}

}  // namespace rlhf
