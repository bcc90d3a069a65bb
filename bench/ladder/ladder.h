// A ladder climbs from the first kernel that comes to mind to the one that the engine uses. Each
// rung solves the same problem, given by a kernel contract, and is short enough to be read at a
// glance; docs/kernels/ tells what each step buys.
#pragma once

#include <vector>

#include "kernels/attention.h"
#include "kernels/gemm.h"
#include "kernels/layer_norm.h"
#include "kernels/log_prob.h"

namespace rlhf::ladder {

template <class Contract>
struct Rung {
  const char* name;
  const char* idea;  ///< what it does that the rung below does not
  void (*run)(const Contract&, Stream);
};
template <class Contract>
using Ladder = std::vector<Rung<Contract>>;

/// The last rung of each is the engine's own kernel.
Ladder<LayerNormForward<float>> layer_norm();
/// Cross-entropy is minus the log-probability of the target. Rungs leave the entropy alone.
Ladder<LogProbForward<float>> cross_entropy();
/// Float throughout: the step to the tensor cores is from `float` to `bf16` in bench_kernels.
Ladder<Gemm<float>> matmul();
/// REQUIRES: one causal sequence a row, no dropout; D a multiple of 32, at most 128.
Ladder<AttentionForward<float>> attention();

/// The topmost rung: what the engine runs.
template <class Contract>
Rung<Contract> engine() {
  return {"engine", "what the engine runs",
          [](const Contract& c, Stream stream) { run(Cuda{}, c, stream); }};
}

}  // namespace rlhf::ladder
