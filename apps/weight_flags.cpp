#include "apps/weight_flags.h"

#include "nn/narrow_weights.h"

namespace rlhf {

void WeightFlags::declare(Flags& flags) {
  flags.choice(
      "weight_dtype", weight_dtype_, {"auto", "bf16", "int8"},
      "of weights in memory, which decoding waits for: auto as what is computed with them, "
      "int8 with a scale an output; sums stay in float32");
}

DType WeightFlags::dtype(DType activations) const {
  return weight_dtype_ == "auto" ? activations : weight_dtype_ == "bf16" ? DType::bf16 : DType::i8;
}

void WeightFlags::check(DType activations) const {
  if (narrow() && activations != DType::f32) {
    input_error("--weight_dtype",
                "expected float32 to compute in, got --bf16, whose weights are bfloat16 anyway");
  }
}

void WeightFlags::apply(Gpt2& model) const {
  check(model.dtype());
  if (narrow()) narrow_weights(model, dtype(DType::f32));
}

}  // namespace rlhf
