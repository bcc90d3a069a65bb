// Every rung of every ladder (bench/ladder) solves its problem as the CPU does.
#include <gtest/gtest.h>

#include "bench/ladder/problems.h"
#include "kernels/device_report.h"
#include "tests/case_runners.h"

namespace rlhf::ladder {
namespace {

Instance instance_of(const auto& contract, std::shared_ptr<Buffers> buffers, auto start) {
  FieldList list;
  contract.visit(list);
  return {buffers, list.fields, start, {}, 0};
}

/// Sizes are odd: tails of tiles, of warps and of blocks are where rungs go wrong.
template <class Contract, class... Sizes>
void check(const Ladder<Contract>& rungs, Contract (*problem)(Buffers&, Sizes...), double tolerance,
           std::type_identity_t<Sizes>... sizes) {
  const std::string why_not = device_problem(Device::cuda);
  if (!why_not.empty()) GTEST_SKIP() << why_not;
  const auto host = std::make_shared<Buffers>(Device::cpu);
  const Contract on_host = problem(*host, sizes...);
  const Instance expected = instance_of(on_host, host, [=] { run(Device::cpu, on_host); });
  expected.run();
  ASSERT_GE(rungs.size(), 4u);
  for (const Rung<Contract>& rung : rungs) {
    SCOPED_TRACE(rung.name);
    const auto buffers = std::make_shared<Buffers>(Device::cuda);
    const Contract contract = problem(*buffers, sizes...);
    const Instance got = instance_of(contract, buffers, [=] { rung.run(contract, {}); });
    run_guarded(got);
    expect_close(got, expected, tolerance);
  }
}

TEST(Ladder, Matmul) { check(matmul(), matmul_problem, 1e-5, 71, 67, 45); }
TEST(Ladder, LayerNorm) { check(layer_norm(), layer_norm_problem, 1e-5, 131, 77); }
TEST(Ladder, CrossEntropy) { check(cross_entropy(), cross_entropy_problem, 1e-5, 5, 1027); }
TEST(Ladder, Attention) { check(attention(), attention_problem, 1e-5, 2, 37, 2, 64); }

}  // namespace
}  // namespace rlhf::ladder
