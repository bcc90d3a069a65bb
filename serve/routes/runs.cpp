// What the Runs page shows: runs, their curves, samples and rewards as they grow, and the machine.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/check.h"
#include "core/json.h"
#include "data/text_file.h"
#include "rl/run/samples_log.h"
#include "serve/application.h"
#include "serve/machine.h"
#include "serve/routes/respond.h"
#include "serve/routes/routes.h"

namespace rlhf::serve {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

ordered_json numbers(const std::vector<double>& values) {
  ordered_json out = ordered_json::array();
  for (const double value : values) out.push_back(finite_or_null(value));
  return out;
}

fs::path file_of(Application& app, const http::Request& request, const char* name) {
  try {
    const fs::path file = app.runs.folder(request.parameters.at(0)) / name;
    if (fs::is_regular_file(file)) return file;
  } catch (const InputError&) {
  }
  throw http::HttpError(404, fmt::format("expected a run with a file {}, found none", name));
}

ordered_json run_json(const RunSummary& run) {
  constexpr const char* states[] = {"running", "ended", "stopped"};
  ordered_json out{{"id", run.id},           {"name", run.name},
                   {"command", run.command}, {"state", states[int(run.state)]},
                   {"steps", run.steps},     {"total_steps", or_null(run.total_steps)},
                   {"started", run.started}, {"updated", run.updated},
                   {"metrics", run.metrics}};
  if (!run.problem.empty()) out["problem"] = run.problem;
  return out;
}

http::Response list(Application& app, const http::Request&) {
  ordered_json all = ordered_json::array();
  for (const RunSummary& run : app.runs.list()) all.push_back(run_json(run));
  return http::json_response({{"runs", all}});
}

/// The step after which the caller wants to read on. What it has read of a run that has started
/// anew since does not count.
int64_t read_until(const http::Request& request, const char* name, int64_t started) {
  const int64_t after = http::query_integer(request, name, -1, -1, INT64_MAX);
  return http::query_integer(request, "started", started, 0, INT64_MAX) == started ? after : -1;
}

http::Response metrics_of(Application& app, const http::Request& request) {
  file_of(app, request, "metrics.jsonl");
  const int64_t started = app.runs.started(request.parameters[0]);
  const int64_t after = read_until(request, "after_step", started);
  const RunCurves curves = app.runs.curves(request.parameters[0], after);
  ordered_json metrics = ordered_json::object();
  for (const auto& [name, values] : curves.metrics) metrics[name] = numbers(values);
  return http::json_response({{"started", started},
                              {"steps", curves.steps},
                              {"metrics", metrics},
                              {"last_step", curves.steps.empty() ? after : curves.steps.back()}});
}

http::Response samples_of(Application& app, const http::Request& request) {
  const size_t limit = size_t(http::query_integer(request, "limit", 200, 1, 1000));
  const fs::path file = file_of(app, request, "samples.jsonl");
  const int64_t started = app.runs.started(request.parameters[0]);
  const auto steps = read_samples(file, read_until(request, "after", started));
  ordered_json rows = ordered_json::array(), known = ordered_json::array();
  for (const StepSamples& step : steps) {
    known.push_back(step.step);
    for (const Sample& sample : step.samples) {
      if (rows.size() == limit) break;
      rows.push_back({{"step", step.step},
                      {"prompt", sample.prompt},
                      {"response", sample.response},
                      {"score", finite_or_null(sample.score)},
                      {"kl", finite_or_null(sample.kl)},
                      {"length", sample.length}});
    }
  }
  return http::json_response({{"started", started}, {"rows", rows}, {"steps", known}});
}

/// Equal bins between the least and the largest score.
ordered_json histogram(std::vector<double> scores) {
  constexpr int bins = 20;
  std::erase_if(scores, [](double score) { return !std::isfinite(score); });
  if (scores.empty()) return {{"edges", ordered_json::array()}, {"counts", ordered_json::array()}};
  const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
  const double least = *low, width = std::max(*high - *low, 1e-9) / bins;
  std::vector<double> edges;
  std::vector<int64_t> counts(bins);
  for (int i = 0; i <= bins; i++) edges.push_back(least + i * width);
  for (const double score : scores) {
    counts[size_t(std::clamp(int((score - least) / width), 0, bins - 1))]++;
  }
  return {{"edges", edges}, {"counts", counts}};
}

http::Response rewards_of(Application& app, const http::Request& request) {
  const int64_t step = http::query_integer(request, "step", -1, -1, INT64_MAX);
  const auto all = read_samples(file_of(app, request, "samples.jsonl"));
  const auto found = step < 0 ? (all.empty() ? all.end() : all.end() - 1)
                              : std::find_if(all.begin(), all.end(),
                                             [&](const StepSamples& s) { return s.step == step; });
  if (found == all.end()) throw http::HttpError(404, "expected a step with samples, found none");
  ordered_json out = histogram(found->scores);
  out["step"] = found->step;
  return http::json_response(out);
}

http::Response config_of(Application& app, const http::Request& request) {
  const fs::path file = file_of(app, request, "run_config.json");
  return http::json_response(ordered_json(parse_json(read_text(file), request.parameters[0])));
}

/// The page has its styles inside and neither scripts nor requests; its own policy says so as well.
http::Response report_of(Application& app, const http::Request& request) {
  return {.body = read_text(file_of(app, request, "report.html")),
          .type = "text/html; charset=utf-8",
          .headers = {{"Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
                       "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}}};
}

ordered_json gpu_json(const GpuUse& gpu) {
  return {
      {"name", gpu.name}, {"used_mb", gpu.used_bytes >> 20}, {"total_mb", gpu.total_bytes >> 20}};
}

http::Response machine(Application& app, const http::Request&) {
  const MachineUse use = machine_use();
  const Policy policy = app.policies.promoted();
  const engine::Stats stats = policy.engine->stats();
  const auto gpu = gpu_use(policy.model->model.transformer.device());
  return http::json_response({{"cpu",
                               {{"name", use.processor},
                                {"cores", use.cores},
                                {"load", use.load},
                                {"rss_mb", use.rss_bytes >> 20},
                                {"total_mb", use.total_bytes >> 20}}},
                              {"gpu", gpu ? gpu_json(*gpu) : ordered_json(nullptr)},
                              {"engine",
                               {{"running", stats.running},
                                {"waiting", stats.waiting},
                                {"slots", stats.slots},
                                {"tokens_per_second", stats.tokens_per_second}}}});
}

}  // namespace

void add_run_routes(http::Router& router, Application& app) {
  using http::Method, http::UserRole;
  router.add(Method::get, "/api/runs", UserRole::annotator, responding(app, list));
  router.add(Method::get, "/api/runs/{id}/metrics", UserRole::annotator,
             responding(app, metrics_of));
  router.add(Method::get, "/api/runs/{id}/samples", UserRole::annotator,
             responding(app, samples_of));
  router.add(Method::get, "/api/runs/{id}/rewards", UserRole::annotator,
             responding(app, rewards_of));
  router.add(Method::get, "/api/runs/{id}/config", UserRole::annotator, responding(app, config_of));
  router.add(Method::get, "/api/runs/{id}/report", UserRole::annotator, responding(app, report_of));
  router.add(Method::get, "/api/machine", UserRole::annotator, responding(app, machine));
}

}  // namespace rlhf::serve
