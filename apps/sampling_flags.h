// The flags that say how tokens are drawn, the same for every command that lets a model write.
#pragma once

#include "apps/flags.h"
#include "nn/generate.h"

namespace rlhf {

void declare_sampling(Flags& flags, SamplingOptions& sampling);

}  // namespace rlhf
