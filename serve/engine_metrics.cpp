#include "serve/engine_metrics.h"

#include "rl/run/version.h"
#include "serve/machine.h"

namespace rlhf::serve {
namespace {

struct Loaded {
  http::Labels labels;
  engine::Stats stats;
};

std::vector<Loaded> loaded_in(const Policies& policies) {
  std::vector<Loaded> all;
  for (const Policy& policy : policies.loaded()) {
    all.push_back({{{"model", policy.name}}, policy.engine->stats()});
  }
  return all;
}

/// How it is now, of what is in memory now.
void set_gauges(http::Registry& registry, const std::vector<Loaded>& all) {
  const auto set = [&](const char* name, const char* help, auto engine::Stats::*what) {
    std::vector<std::pair<http::Labels, double>> values;
    for (const Loaded& one : all) values.emplace_back(one.labels, double(one.stats.*what));
    registry.set_gauges(name, help, values);
  };
  set("rlhf_requests_running", "requests that have a slot", &engine::Stats::running);
  set("rlhf_requests_waiting", "requests that wait for a slot", &engine::Stats::waiting);
  set("rlhf_kv_cache_usage_ratio", "share of the cache that running requests hold",
      &engine::Stats::kv_cache_usage);
  set("rlhf_generation_tokens_per_second", "generated over the last five seconds",
      &engine::Stats::tokens_per_second);
}

/// What has been since the start; of a model that has gone it stays.
void set_totals(http::Registry& registry, const Loaded& one) {
  const engine::Stats& stats = one.stats;
  const auto total = [&](const char* name, const char* help, uint64_t count) {
    registry.counter(name, help, one.labels).set(double(count));
  };
  total("rlhf_prompt_tokens_total", "read", stats.prompt_tokens);
  total("rlhf_prompt_tokens_cached_total", "of the prompt tokens: found in the cache",
        stats.cached_tokens);
  total("rlhf_generation_tokens_total", "generated", stats.generated_tokens);
  total("rlhf_requests_refused_total", "because the queue was full", stats.refused);
  const auto times = [&](const char* name, const char* help, const engine::Histogram& seconds) {
    registry.histogram(name, help, {seconds.bounds.begin(), seconds.bounds.end()}, one.labels)
        .set(seconds.buckets, seconds.sum);
  };
  times("rlhf_time_to_first_token_seconds", "from a request", stats.time_to_first_token);
  times("rlhf_time_per_output_token_seconds", "between two tokens", stats.time_per_token);
  times("rlhf_request_duration_seconds", "of generations", stats.request_duration);
}

}  // namespace

void collect_engine_metrics(http::Registry& registry, Policies& policies) {
  registry
      .gauge("rlhf_build_info", "1, labelled with the program's version",
             {{"version", std::string(version)}})
      .set(1);
  registry.before_text([&registry, &policies] {
    const std::vector<Loaded> all = loaded_in(policies);
    set_gauges(registry, all);
    for (const Loaded& one : all) set_totals(registry, one);
    const MachineUse machine = machine_use();
    registry.gauge("rlhf_resident_memory_bytes", "of this process").set(double(machine.rss_bytes));
  });
}

}  // namespace rlhf::serve
