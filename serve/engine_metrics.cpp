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
      const auto total = [&](const char* name, const char* help, uint64_t count) {
        registry.counter(name, help, labels).set(double(count));
      };
      total("rlhf_prompt_tokens_total", "read", stats.prompt_tokens);
      total("rlhf_prompt_tokens_cached_total", "of the prompt tokens: found in the cache",
            stats.cached_tokens);
      total("rlhf_generation_tokens_total", "generated", stats.generated_tokens);
      total("rlhf_requests_refused_total", "because the queue was full", stats.refused);
      const auto times = [&](const char* name, const char* help, const engine::Histogram& seconds) {
        registry.histogram(name, help, {seconds.bounds.begin(), seconds.bounds.end()}, labels)
            .set(seconds.buckets, seconds.sum);
      };
      times("rlhf_time_to_first_token_seconds", "from a request", stats.time_to_first_token);
      times("rlhf_time_per_output_token_seconds", "between two tokens", stats.time_per_token);
      times("rlhf_request_duration_seconds", "of generations", stats.request_duration);
    }
    const MachineUse machine = machine_use();
    registry.gauge("rlhf_resident_memory_bytes", "of this process").set(double(machine.rss_bytes));
  });
}

}  // namespace rlhf::serve
