#include "apps/best_of_n_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/session.h"
#include "rl/answer_rows.h"
#include "rl/group_advantages.h"
#include "rl/model/chat_encoding.h"

namespace rlhf {
namespace {

/// A mean and its error, as two cells of a row.
void add_cells(const Estimate& e, std::vector<std::string>& row) {
  row.push_back(fmt::format("{:.3f}", e.mean));
  row.push_back(fmt::format("{:.3f}", e.error));
}

/// One figure of the curve, over n or over the KL.
Chart curve_chart(std::span<const BestOfNPoint> curve, bool over_kl, const std::string& title,
                  const std::string& name, Estimate BestOfNPoint::*field) {
  Series series{.name = name};
  for (const BestOfNPoint& point : curve) {
    series.x.push_back(over_kl ? point.kl : double(point.n));
    series.y.push_back((point.*field).mean);
  }
  return {.title = title,
          .x_label = over_kl ? "KL to the policy, nats a response, at most" : "n",
          .y_label = "mean over prompts",
          .series = {std::move(series)},
          .smoothing = 0};
}

}  // namespace

std::vector<BestOfNPoint> best_of_n_curve(std::span<const RankedResponses> ranked,
                                          const ByPrompt& judged) {
  ByPrompt scores, lengths, positive = judged;
  for (const RankedResponses& r : ranked) {
    scores.push_back(scores_of(r.responses));
    std::vector<double>& row = lengths.emplace_back();
    for (const Episode& e : r.responses) row.push_back(double(e.length()));
  }
  for (std::vector<double>& row : positive) {
    for (double& x : row) x = x > 0;
  }
  std::vector<BestOfNPoint> curve;
  for (const int64_t n : best_of_n_sizes(int64_t(scores.front().size()))) {
    BestOfNPoint point{.n = n,
                       .kl = best_of_n_kl(n),
                       .score = best_of_n_estimate(scores, scores, n),
                       .length = best_of_n_estimate(scores, lengths, n)};
    if (!judged.empty()) {
      point.judge = best_of_n_estimate(scores, judged, n);
      point.positive = best_of_n_estimate(scores, positive, n);
    }
    curve.push_back(point);
  }
  return curve;
}

nlohmann::ordered_json curve_json(std::span<const BestOfNPoint> curve, bool judged) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const BestOfNPoint& point : curve) {
    nlohmann::ordered_json& entry = list.emplace_back();
    entry = {{"n", point.n}, {"kl", point.kl}};
    const auto add = [&](const std::string& name, const Estimate& e) {
      entry[name] = e.mean;
      entry[name + "_error"] = e.error;
    };
    add("score", point.score);
    add("length", point.length);
    if (!judged) continue;
    add("judge", point.judge);
    add("judge_positive", point.positive);
  }
  return list;
}

Table curve_table(std::span<const BestOfNPoint> curve, bool judged) {
  Table table{.caption = "The best of n by the score: means over prompts, ± their standard errors",
              .columns = {"n", "KL at most", "score", "±", "tokens"}};
  if (judged) table.columns.insert(table.columns.end(), {"judge", "±", "judge above 0", "±"});
  for (const BestOfNPoint& point : curve) {
    std::vector<std::string>& row = table.rows.emplace_back();
    row = {fmt::to_string(point.n), fmt::format("{:.3f}", point.kl)};
    add_cells(point.score, row);
    row.push_back(fmt::format("{:.1f}", point.length.mean));
    if (!judged) continue;
    add_cells(point.judge, row);
    add_cells(point.positive, row);
  }
  return table;
}

std::vector<Tile> best_of_n_tiles(std::span<const BestOfNPoint> curve, bool judged) {
  const BestOfNPoint &one = curve.front(), &all = curve.back();
  const auto tile = [&](const char* label, Estimate BestOfNPoint::*field) {
    return Tile{fmt::format("{} of the best of {}", label, all.n), figure((all.*field).mean),
                "of one: " + figure((one.*field).mean)};
  };
  std::vector<Tile> tiles{tile("Score", &BestOfNPoint::score)};
  if (judged) tiles.push_back(tile("Judge's score", &BestOfNPoint::judge));
  tiles.push_back({"KL", figure(all.kl), "nats a response, at most"});
  tiles.push_back(tile("Tokens", &BestOfNPoint::length));
  return tiles;
}

Section best_of_n_section(std::span<const BestOfNPoint> curve, bool judged,
                          std::span<const RankedResponses> ranked, const Tokenizer& tokenizer) {
  constexpr size_t kSamples = 8;
  Section section{
      .heading = "The best of n",
      .paragraphs = {
          "For each n the mean over all subsets of n of the responses sampled, in closed form: "
          "what "
          "n fresh responses are expected to give. The KL is log n - (n - 1) / n, which is exact "
          "where no two responses score the same, and an upper bound otherwise."}};
  const auto add = [&](const std::string& title, const std::string& name,
                       Estimate BestOfNPoint::*field) {
    section.charts.push_back(curve_chart(curve, false, title + " against n", name, field));
    section.charts.push_back(curve_chart(curve, true, title + " against KL", name, field));
  };
  add("Score", "score", &BestOfNPoint::score);
  if (judged) {
    section.paragraphs.push_back(
        "The judge never chooses: it says what the choice by the score is worth. Where its curve "
        "bends down while the score rises, the score is over-optimised.");
    add("Judge's score", "judge", &BestOfNPoint::judge);
  }
  section.tables = {curve_table(curve, judged)};
  for (size_t i = 0; i < std::min(kSamples, ranked.size()); i++) {
    const RankedResponses& r = ranked[i];
    const Episode &best = r.responses[r.best], &worst = r.responses[r.worst];
    section.samples.push_back({readable(tokenizer, best.prompt),
                               {{"best", answer_text(tokenizer, best.response), best.score},
                                {"worst", answer_text(tokenizer, worst.response), worst.score}}});
  }
  return section;
}

}  // namespace rlhf
