#include "rl/hierarchical_folder.h"

#include <set>

#include "core/atomic_file.h"
#include "core/finite.h"
#include "data/text_file.h"
#include "rl/model/model_weights.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

// The heads alone as a module, so that names in the file are theirs.
struct Heads {
  HierarchicalPolicy& policy;
  void visit(auto&& v) { policy.visit_heads(v); }
};

Hierarchy read_hierarchy(const fs::path& folder) {
  const std::string source = (folder / "hierarchical.json").string();
  return parse_hierarchy(read_text(source), source);
}

}  // namespace

void save_hierarchy(const fs::path& folder, HierarchicalPolicy& policy,
                    const Hierarchy& hierarchy) {
  Heads heads{policy};
  for_each_parameter(heads, [](const std::string& name, Tensor& tensor) {
    check(is_finite(tensor), "save", "expected finite parameters, got NaN or infinity in {}", name);
  });
  write_safetensors(folder / "hierarchical.safetensors", state_dict(heads));
  atomic_write(folder / "hierarchical.json", hierarchy_text(hierarchy));
}

bool is_hierarchical_folder(const fs::path& folder) {
  std::error_code failure;
  return fs::exists(folder / "hierarchical.json", failure);
}

LoadedHierarchicalPolicy load_hierarchical_policy(const fs::path& folder,
                                                  const Placement& placement) {
  if (!is_hierarchical_folder(folder)) {
    input_error(folder.string(), "expected a folder with hierarchical.json, got none there");
  }
  LoadedLanguageModel base = load_language_model(folder, placement);
  LoadedHierarchicalPolicy loaded{.policy = {},
                                  .hierarchy = read_hierarchy(folder),
                                  .tokenizer = std::move(base.tokenizer),
                                  .stop_tokens = std::move(base.stop_tokens)};
  // Sizes are held against the file before memory is asked for.
  ModelWeights weights(folder, "hierarchical");
  const Gpt2Config& config = base.model.transformer.config;
  const int64_t K = int64_t(loaded.hierarchy.subtasks.size()), C = config.n_embd;
  std::set<std::string> expected;
  const auto expect = [&](const std::string& name, const Shape& shape) {
    weights.require(name, shape, "hierarchical.json");
    expected.insert(name);
  };
  expect("upper.weight", {K, C});
  expect("upper_value.weight", {1, C});
  for (int64_t k = 0; k < K; k++) {
    expect(fmt::format("lower.{}.weight", k), {config.vocab_size, C});
    expect(fmt::format("lower_value.{}.weight", k), {1, C});
  }
  for (const std::string& name : weights.names()) {
    if (!expected.contains(name)) {
      input_error(weights.source(), "expected only heads of its sub-tasks, got \"{}\" as well",
                  name);
    }
  }
  loaded.policy = make_hierarchical_policy(std::move(base.model), K);
  Heads heads{loaded.policy};
  for_each_parameter(heads, [&](const std::string& name, Tensor& tensor) {
    tensor = placed(weights.read(name), placement);
  });
  return loaded;
}

}  // namespace rlhf
