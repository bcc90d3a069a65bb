#include "apps/memory_line.h"

#include <fmt/core.h>

#include "apps/print.h"

namespace rlhf {

MemoryUse memory_of_training(const Gpt2& model, const TrainingConfig& config, int64_t sequences,
                             int64_t positions) {
  MemoryUse use;
  use.dtype = model.dtype();
  use.masters = use.dtype == DType::bf16 && config.optimizer.masters;
  use.gradient_checkpointing = model.gradient_checkpointing;
  use.device = model.device();
  use.train_sequences = sequences;
  use.positions = positions;
  use.add("model", model, /*trained=*/true);
  return use;
}

void tell_memory(const MemoryUse& use) { note("{}\n", memory_plan(use).text()); }

}  // namespace rlhf
