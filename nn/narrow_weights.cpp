#include "nn/narrow_weights.h"

#include "core/allocator.h"

namespace rlhf {
namespace {

void narrow(Linear& layer, DType dtype) {
  layer.narrow = NarrowMatrix(layer.weight, /*transposed=*/false, dtype, "weights");
  layer.weight = {};
}

void narrow(Embedding& table, DType dtype) {
  if (!table.defined()) return;
  table.narrow = NarrowMatrix(table.weight, /*transposed=*/true, dtype, "weights");
  table.weight = {};
}

}  // namespace

void narrow_weights(Gpt2& model, DType dtype) {
  check(model.dtype() == DType::f32, "narrow_weights", "expected a model of f32, got one of {}",
        name_of(model.dtype()));
  if (model.lora) merge_adapters(model);
  for (Block& block : model.h) {
    for (Linear* layer :
         {&block.attn.c_attn, &block.attn.c_proj, &block.mlp.c_fc, &block.mlp.c_proj}) {
      narrow(*layer, dtype);
    }
  }
  narrow(model.wte, dtype);
  narrow(model.lm_head, dtype);
  // Nobody will ask for blocks of these sizes again.
  Allocator::of(model.device()).trim();
}

}  // namespace rlhf
