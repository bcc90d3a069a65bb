#include "rl/frozen.h"

#include <algorithm>

#include "core/check.h"

namespace rlhf {

bool begins_with(const std::string& name, const std::string& prefix) {
  static const std::string trunk = "transformer.";
  return name.starts_with(prefix) || name.starts_with(trunk + prefix) ||
         (trunk + name).starts_with(prefix);
}

void check_frozen(const std::vector<std::string>& prefixes, const std::vector<std::string>& frozen,
                  const std::vector<std::string>& learnt) {
  for (const std::string& prefix : prefixes) {
    if (std::none_of(frozen.begin(), frozen.end(),
                     [&](const std::string& name) { return begins_with(name, prefix); })) {
      input_error("--freeze", "expected the beginning of a name such as {}, got \"{}\"",
                  learnt.empty() ? frozen.front() : learnt.front(), prefix);
    }
  }
  if (learnt.empty()) {
    input_error("--freeze", "expected some parameters to train, got all frozen");
  }
}

}  // namespace rlhf
