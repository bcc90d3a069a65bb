#include "apps/gym_seeds.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/gym_report.h"
#include "apps/number_list.h"
#include "apps/print.h"
#include "apps/session.h"
#include "apps/text_table.h"

namespace rlhf {
namespace {

struct SeedRun {
  uint64_t seed;
  GymEvaluation evaluation;
  Series returns;  ///< charts/episodic_return by step
};

Series learning_curve(const std::filesystem::path& folder, const std::string& name) {
  Series series{.name = name};
  for (const auto& [update, metrics] : read_metrics(folder / "metrics.jsonl")) {
    const auto figure_of = [&metrics](const char* name) {
      return std::find_if(metrics.begin(), metrics.end(),
                          [&](const auto& entry) { return entry.first == name; });
    };
    const auto step = figure_of("global_step"), value = figure_of("charts/episodic_return");
    if (step == metrics.end() || value == metrics.end()) continue;
    series.x.push_back(step->second);
    series.y.push_back(value->second);
  }
  return series;
}

/// The curve at a step, straight between its points and level beyond them.
double curve_at(const Series& curve, double step) {
  const size_t after =
      size_t(std::lower_bound(curve.x.begin(), curve.x.end(), step) - curve.x.begin());
  if (after == 0) return curve.y.front();
  if (after == curve.x.size()) return curve.y.back();
  const double share = (step - curve.x[after - 1]) / (curve.x[after] - curve.x[after - 1]);
  return curve.y[after - 1] + share * (curve.y[after] - curve.y[after - 1]);
}

/// Mean and deviation over seeds, at the steps of the first.
Chart spread_chart(const std::vector<SeedRun>& runs) {
  Series mean{.name = "mean"}, low{.name = "mean - sd"}, high{.name = "mean + sd"};
  for (const double step : runs.front().returns.x) {
    std::vector<double> values;
    for (const SeedRun& run : runs) {
      if (!run.returns.x.empty()) values.push_back(curve_at(run.returns, step));
    }
    const Spread spread = spread_of(values);
    for (Series* series : {&mean, &low, &high}) series->x.push_back(step);
    mean.y.push_back(spread.mean);
    low.y.push_back(spread.mean - spread.sd);
    high.y.push_back(spread.mean + spread.sd);
  }
  return {.title = "Return of an episode, mean over seeds",
          .x_label = "global_step",
          .series = {mean, low, high},
          .reference_lines = return_lines(runs.front().evaluation),
          .smoothing = 0};
}

Spread spread_over(const std::vector<SeedRun>& runs, double (*value)(const SeedRun&)) {
  std::vector<double> values;
  for (const SeedRun& run : runs) values.push_back(value(run));
  return spread_of(values);
}

double mean_return(const SeedRun& run) { return run.evaluation.played.mean; }
double exact_return(const SeedRun& run) { return run.evaluation.exact->agent; }

Table table_of(const std::vector<SeedRun>& runs) {
  Table table{.caption = fmt::format("{} episodes without exploration for each seed; sd: of a "
                                     "sample (n - 1), over episodes and over seeds",
                                     runs.front().evaluation.played.returns.size()),
              .columns = {"seed", "mean", "sd", "min", "max"}};
  const bool exact = runs.front().evaluation.exact.has_value();
  if (exact) table.columns.push_back("exact");
  const auto row = [](const std::string& name, double mean, double sd, double min, double max) {
    return std::vector{name, figure(mean), figure(sd), figure(min), figure(max)};
  };
  for (const SeedRun& run : runs) {
    const classical::Evaluation& e = run.evaluation.played;
    table.rows.push_back(row(fmt::to_string(run.seed), e.mean, e.deviation, e.min, e.max));
    if (exact) table.rows.back().push_back(figure(exact_return(run)));
  }
  const Spread s = spread_over(runs, mean_return);
  table.rows.push_back(row("over seeds", s.mean, s.sd, s.min, s.max));
  if (exact) table.rows.back().push_back(spread_text(spread_over(runs, exact_return)));
  return table;
}

nlohmann::ordered_json summary_of(const GymOptions& o, const std::vector<SeedRun>& runs) {
  nlohmann::ordered_json summary{{"algo", o.algo}, {"env", o.env}};
  summary["seeds"] = nlohmann::ordered_json::array();
  for (const SeedRun& run : runs) {
    nlohmann::ordered_json entry{{"seed", run.seed}};
    entry.update(run.evaluation.summary());
    summary["seeds"].push_back(entry);
  }
  const auto add = [&](const char* name, const Spread& spread) {
    summary[name] = spread.mean;
    summary[name + std::string("_sd")] = spread.sd;
  };
  add("eval_return", spread_over(runs, mean_return));
  if (runs.front().evaluation.exact) add("exact_return", spread_over(runs, exact_return));
  return summary;
}

}  // namespace

std::vector<uint64_t> parse_seeds(const std::string& text) {
  const std::string expected = "different whole numbers as in 1,2,3";
  const std::vector<uint64_t> seeds = parse_numbers("--seeds", text, expected);
  for (auto seed = seeds.begin(); seed != seeds.end(); ++seed) {
    if (std::find(seeds.begin(), seed, *seed) != seed) {
      input_error("--seeds", "expected {}, got \"{}\"", expected, text);
    }
  }
  return seeds;
}

void train_gym_seeds(const GymOptions& o, const Invocation& invocation) {
  if (!o.checkpoint.resume_from_checkpoint.empty()) {
    input_error("--resume_from_checkpoint",
                "expected one run to go on with, as {}/seed-1, got --seeds {}", o.output_dir,
                o.seeds);
  }
  std::vector<SeedRun> runs;
  for (const uint64_t seed : parse_seeds(o.seeds)) {
    GymOptions one = o;
    one.seed = seed;
    one.seeds = "";
    one.output_dir = (std::filesystem::path(o.output_dir) / fmt::format("seed-{}", seed)).string();
    Invocation called = invocation;
    called.flags["seed"] = seed;
    called.flags["seeds"] = "";
    called.flags["output_dir"] = one.output_dir;
    GymEvaluation evaluation = train_gym_agent(one, called);
    runs.push_back({seed, std::move(evaluation),
                    learning_curve(one.output_dir, fmt::format("seed {}", seed))});
  }
  const Table table = table_of(runs);
  Chart each{.title = "Return of an episode, exploration included",
             .x_label = "global_step",
             .reference_lines = return_lines(runs.front().evaluation)};
  for (const SeedRun& run : runs) each.series.push_back(run.returns);
  Session session(invocation, o.output_dir, runs.front().seed);
  session.finish(
      summary_of(o, runs),
      {.title = fmt::format("{} in {}, {} seeds", o.algo, o.env, runs.size()),
       .introduction = "The same run with each seed, in a folder of its own beside this "
                       "page.",
       .tiles = {{"Mean return", spread_text(spread_over(runs, mean_return)),
                  fmt::format("over {} seeds", runs.size())}},
       .sections = {
           {.heading = "Seeds", .charts = {spread_chart(runs), each}, .tables = {table}}}});
  say("{}", table_text(table));
}

}  // namespace rlhf
