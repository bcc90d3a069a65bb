// --weight_dtype as a person gives it: where it is taken, that it changes little, and where it is
// refused.
#include "tests/small_runs.h"

namespace rlhf::end_to_end {
namespace {

class EndToEndWeightDtype : public Models {};

json measured(const std::string& model, const std::string& data, const std::string& type) {
  const Finished done = succeed({"eval", "--model_name_or_path", at(model), "--dataset_name",
                                 at(data), "--json", "--weight_dtype", type});
  return json::parse(done.out);
}

TEST_F(EndToEndWeightDtype, ChangesFiguresLittle) {
  for (const auto& [model, data] :
       {std::pair{"lm", "corpus.txt"}, {"sft", "sft.jsonl"}, {"rm", "pairs.jsonl"}}) {
    const double exact = measured(model, data, "auto")["val_loss"];
    for (const char* type : {"bf16", "int8"}) {
      const double loss = measured(model, data, type)["val_loss"];
      EXPECT_NEAR(loss / exact, 1, 0.01) << model << " " << type;
      EXPECT_NE(loss, exact) << model << " " << type;
    }
  }
}

TEST_F(EndToEndWeightDtype, GeneratesTheSameOnAnyThreads) {
  for (const char* type : {"bf16", "int8"}) {
    const Arguments call{"generate",          "--model_name_or_path", at("sft"), "--dataset_name",
                         at("prompts.jsonl"), "--weight_dtype",       type,      "--json"};
    EXPECT_EQ(succeed(call, 1).out, succeed(call, 2).out) << type;
  }
}

TEST_F(EndToEndWeightDtype, IsRefusedWhereItCannotBe) {
  const auto call = [](const Arguments& more) {
    return Arguments{"generate", "--model_name_or_path", at("lm"), "--prompt", "the"} + more;
  };
  expect_refused(call({"--weight_dtype", "int4"}),
                 "[--weight_dtype] expected one of auto, bf16, int8, got \"int4\"");
  expect_refused(pretrain("out", {"--weight_dtype", "int8"}), "weight_dtype");
  expect_refused(sft("out", {"--weight_dtype", "bf16"}), "weight_dtype");
}

}  // namespace
}  // namespace rlhf::end_to_end
