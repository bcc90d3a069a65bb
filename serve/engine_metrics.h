// What the engines count, under the names that Prometheus reads (docs/serve-api.md).
#pragma once

#include "serve/http/metrics.h"
#include "serve/policies.h"

namespace rlhf::serve {

/// Both must outlive the registry's last text().
void collect_engine_metrics(http::Registry& registry, Policies& policies);

}  // namespace rlhf::serve
