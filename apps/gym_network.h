// What agents made of networks share in `rlhf gym`: the flags of their layers.
#pragma once

#include <string>
#include <vector>

#include "apps/flags.h"
#include "kernels/activation.h"

namespace rlhf {

class NetworkFlags {
 public:
  /// The defaults are those of `hidden` and `activation`, which set() fills in.
  NetworkFlags(const std::vector<int64_t>& hidden, ActivationKind activation);

  void declare(Flags& flags);
  /// @throws InputError for sizes that no layer can have.
  void set(std::vector<int64_t>& hidden, ActivationKind& activation) const;

 private:
  std::string hidden_, activation_;
};

}  // namespace rlhf
