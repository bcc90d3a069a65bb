// Which parameters --freeze keeps from learning: those whose names begin as somebody said.
#pragma once

#include <string>
#include <vector>

#include "nn/lora.h"
#include "nn/module.h"

namespace rlhf {

/// Whether a name begins so. A language model's trunk and a reward model's are named with and
/// without `transformer.` in front; both forms are taken for both.
bool begins_with(const std::string& name, const std::string& prefix);

/// `frozen`, `learnt`: the names of a model's parameters, taken apart by `prefixes`. @throws
/// InputError for a prefix that none of them has, or when nothing is left to learn.
void check_frozen(const std::vector<std::string>& prefixes, const std::vector<std::string>& frozen,
                  const std::vector<std::string>& learnt);

/// The same of a model that no Trainer has yet, so that a run is refused before it has a folder.
template <class Module>
void check_frozen(Module& model, const std::vector<std::string>& prefixes) {
  const FrozenBases bases(model);
  std::vector<std::string> frozen, learnt;
  for_each_parameter(model, [&](const std::string& name, Tensor&) {
    bool held = bases.hold(name);
    for (const std::string& prefix : prefixes) held = held || begins_with(name, prefix);
    (held ? frozen : learnt).push_back(name);
  });
  check_frozen(prefixes, frozen, learnt);
}

}  // namespace rlhf
