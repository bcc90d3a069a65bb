#include "data/feedback_weights.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <unordered_map>

#include "core/check.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

bool is_vote(const Item& item) {
  return !item.annotator.empty() && (item.kind == ItemKind::pair || item.kind == ItemKind::label);
}

std::map<std::string, int32_t> annotators_of(std::span<const Item> items) {
  std::map<std::string, int32_t> ids;
  for (const Item& item : items) {
    if (!item.annotator.empty()) ids.emplace(item.annotator, 0);
  }
  int32_t next = 0;
  for (auto& [name, id] : ids) id = next++;
  return ids;
}

std::vector<Vote> votes_of(std::span<const Item> items,
                           const std::map<std::string, int32_t>& annotators) {
  std::vector<Vote> votes;
  std::unordered_map<std::string, int32_t> subjects;
  std::set<std::pair<int32_t, int32_t>> known;
  for (const Item& item : items) {
    if (!is_vote(item)) continue;
    const std::string subject = std::string(plural_of(item.kind)) + subject_of(item);
    const int32_t id = subjects.emplace(subject, int32_t(subjects.size())).first->second;
    const int32_t annotator = annotators.at(item.annotator);
    if (known.emplace(id, annotator).second)
      votes.push_back({id, annotator, double(vote_of(item))});
  }
  return votes;
}

}  // namespace

AnnotatorReport report_annotators(std::span<const Item> items) {
  AnnotatorReport report;
  const auto annotators = annotators_of(items);
  const std::vector<Vote> votes = votes_of(items, annotators);
  const auto reliability = annotator_reliability(votes, int32_t(annotators.size()));
  for (const auto& [name, id] : annotators) {
    report.annotators.push_back({reliability[size_t(id)], name});
  }
  std::map<int32_t, int64_t> per_item;
  for (const Vote& vote : votes) per_item[vote.item]++;
  for (const auto& [item, count] : per_item) report.shared_items += count > 1;
  report.percent = percent_agreement(votes);
  report.kappa =
      annotators.size() == 2 ? cohen_kappa(votes, 0, 1) : std::numeric_limits<double>::quiet_NaN();
  report.alpha = krippendorff_alpha(votes, VoteLevel::nominal);
  return report;
}

std::map<std::string, double> parse_source_weights(const std::string& text) {
  std::map<std::string, double> weights;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string entry = text.substr(at, end - at);
    const size_t equals = entry.rfind('=');
    double value = -1;
    if (equals != std::string::npos && equals > 0) {
      const char* last = entry.data() + entry.size();
      const auto [stop, failure] = std::from_chars(entry.data() + equals + 1, last, value);
      if (failure != std::errc{} || stop != last) value = -1;
    }
    if (!(value >= 0 && value <= 1e6)) {
      input_error("--source_weights",
                  "expected source=weight, ... with weights from 0 to 1e6, got {}", quote(entry));
    }
    weights[entry.substr(0, equals)] = value;
    at = end + 1;
  }
  return weights;
}

std::vector<double> feedback_weights(std::span<const Feedback> rows,
                                     const std::map<std::string, double>& source_weights,
                                     const AnnotatorReport* report) {
  std::set<std::string> sources;
  for (const Feedback& row : rows) sources.insert(row.item.source);
  for (const auto& [source, weight] : source_weights) {
    if (sources.contains(source)) continue;
    std::string known;
    for (const std::string& name : sources) known += (known.empty() ? "" : ", ") + quote(name);
    input_error("--source_weights", "expected sources among {}, got {}", known, quote(source));
  }
  std::map<std::string, double> trust;
  double annotated = 0, annotated_sum = 0;
  if (report) {
    for (const AnnotatorSummary& person : report->annotators) trust[person.name] = person.weight;
    for (const Feedback& row : rows) {
      if (row.item.annotator.empty()) continue;
      annotated++;
      annotated_sum += trust.at(row.item.annotator);
    }
  }
  std::vector<double> weights;
  double sum = 0;
  for (const Feedback& row : rows) {
    double weight = row.weight;
    if (const auto found = source_weights.find(row.item.source); found != source_weights.end()) {
      weight *= found->second;
    }
    if (report && !row.item.annotator.empty() && annotated_sum > 0) {
      weight *= trust.at(row.item.annotator) * annotated / annotated_sum;
    }
    weights.push_back(weight);
    sum += weight;
  }
  if (!rows.empty() && !(sum > 0)) {
    input_error("weights", "expected a row that counts, got weight 0 for all");
  }
  for (double& weight : weights) weight *= double(rows.size()) / sum;
  return weights;
}

}  // namespace rlhf
