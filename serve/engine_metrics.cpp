#include "serve/engine_metrics.h"

#include "rl/run/version.h"
#include "serve/machine.h"

namespace rlhf::serve {

void collect_engine_metrics(http::Registry& registry, Policies& policies) {
  registry
      .gauge("rlhf_build_info", "1, labelled with the program's version",
             {{"version", std::string(version)}})
      .set(1);
  registry.before_text([&registry, &policies] {
    for (const Policy& policy : policies.loaded()) {
      const engine::Stats stats = policy.engine->stats();
      const http::Labels labels{{"model", policy.name}};
      const auto set = [&](const char* name, const char* help, double value) {
        registry.gauge(name, help, labels).set(value);
      };
      set("rlhf_requests_running", "requests that have a slot", double(stats.running));
      set("rlhf_requests_waiting", "requests that wait for a slot", double(stats.waiting));
      set("rlhf_kv_cache_usage_ratio", "share of the cache that running requests hold",
          stats.kv_cache_usage);
      set("rlhf_generation_tokens_per_second", "generated over the last five seconds",
          stats.tokens_per_second);
      set("rlhf_prompt_tokens", "prompt tokens read since the start", double(stats.prompt_tokens));
      set("rlhf_prompt_tokens_cached", "of these, found in the cache", double(stats.cached_tokens));
      set("rlhf_generation_tokens", "tokens generated since the start",
          double(stats.generated_tokens));
      const auto mean = [](const engine::Histogram& h) { return h.count ? h.sum / h.count : 0; };
      set("rlhf_time_to_first_token_seconds_mean", "since the start",
          mean(stats.time_to_first_token));
      set("rlhf_time_per_output_token_seconds_mean", "since the start", mean(stats.time_per_token));
    }
    const MachineUse machine = machine_use();
    registry.gauge("rlhf_resident_memory_bytes", "of this process").set(double(machine.rss_bytes));
  });
}

}  // namespace rlhf::serve
