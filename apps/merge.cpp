// rlhf merge: an adapter and its base as one model, for programs that know no adapters, and faster.
#include <fmt/core.h>

#include "apps/commands.h"
#include "apps/print.h"
#include "apps/session.h"
#include "apps/terminal.h"
#include "rl/hierarchical_folder.h"
#include "rl/model/adapter_folder.h"
#include "rl/model/model_folder.h"

namespace rlhf {
namespace {

struct Options {
  std::string model_name_or_path, output_dir;
};

template <class Loaded>
void merge(Loaded loaded, const std::string& output_dir) {
  merge_adapters(loaded.model.transformer);
  save_model(output_dir, loaded.model, *loaded.tokenizer);
}

// The heads of its sub-tasks go with the trunk.
void merge_hierarchy(const Options& o) {
  LoadedHierarchicalPolicy loaded = load_hierarchical_policy(o.model_name_or_path);
  merge_adapters(loaded.policy.base.transformer);
  save_model(o.output_dir, loaded.policy.base, *loaded.tokenizer);
  save_hierarchy(o.output_dir, loaded.policy, loaded.hierarchy);
}

int merge_main(const Options& o) {
  const std::optional<Adapter> adapter = find_adapter(o.model_name_or_path);
  if (!adapter) {
    input_error("--model_name_or_path", "expected a folder with adapter_config.json, got \"{}\"",
                o.model_name_or_path);
  }
  check_output_dir(o.output_dir, {o.model_name_or_path});
  if (adapter->config.scalar) {
    merge(load_scalar_model(o.model_name_or_path), o.output_dir);
  } else if (is_hierarchical_folder(o.model_name_or_path)) {
    merge_hierarchy(o);
  } else {
    merge(load_language_model(o.model_name_or_path), o.output_dir);
  }
  say("{} + {} in {}\n", escape_line(adapter->base().string()), escape_line(o.model_name_or_path),
      escape_line(o.output_dir));
  return 0;
}

}  // namespace

Command merge_command() {
  auto o = std::make_shared<Options>();
  return {
      .name = "merge",
      .summary = "put an adapter into the model that it belongs to",
      .example = "rlhf merge --model_name_or_path runs/lora --output_dir runs/merged",
      .declare =
          [o](Flags& flags) {
            flags.add("model_name_or_path", o->model_name_or_path, "adapter folder")
                .required()
                .shown_as("DIR");
            flags.add("output_dir", o->output_dir, "the whole model").required().shown_as("DIR");
          },
      .run = [o](const Invocation&) { return merge_main(*o); }};
}

}  // namespace rlhf
