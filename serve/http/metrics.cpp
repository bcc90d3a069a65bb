#include "serve/http/metrics.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace rlhf::http {
namespace {

bool is_metric_name(std::string_view name) {
  return name.starts_with("rlhf_") && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// The shortest text that reads back as the same value.
std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string escaped_text(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string label_text(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escaped_text(value, true));
  }
  return out;
}

std::string sample(std::string_view name, const std::string& labels, double value) {
  return labels.empty() ? fmt::format("{} {}\n", name, number(value))
                        : fmt::format("{}{{{}}} {}\n", name, labels, number(value));
}

std::string histogram_text(const std::string& name, const std::string& labels,
                           const Histogram& histogram) {
  const std::string before = labels.empty() ? "" : labels + ",";
  const std::vector<uint64_t> counts = histogram.counts();
  std::string out;
  uint64_t total = 0;
  for (size_t i = 0; i < counts.size(); i++) {
    total += counts[i];
    const double bound = i < histogram.bounds().size() ? histogram.bounds()[i] : INFINITY;
    out +=
        sample(name + "_bucket", fmt::format("{}le=\"{}\"", before, number(bound)), double(total));
  }
  return out + sample(name + "_sum", labels, histogram.sum()) +
         sample(name + "_count", labels, double(total));
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {
  check(std::is_sorted(bounds_.begin(), bounds_.end()), "histogram", "expected rising bounds");
}

void Histogram::observe(double value) {
  const size_t bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

void Histogram::set(std::span<const uint64_t> counts, double sum) {
  check(counts.size() == counts_.size(), "histogram", "expected {} buckets, got {}", counts_.size(),
        counts.size());
  for (size_t i = 0; i < counts.size(); i++) {
    counts_[i].store(counts[i], std::memory_order_relaxed);
  }
  sum_.store(sum, std::memory_order_relaxed);
}

std::vector<uint64_t> Histogram::counts() const {
  std::vector<uint64_t> counts;
  for (const auto& count : counts_) counts.push_back(count.load(std::memory_order_relaxed));
  return counts;
}

std::vector<double> time_bounds() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
}

struct Registry::Family {
  std::string help;
  std::string_view kind;
  std::map<std::string, std::unique_ptr<Counter>> counters;
  std::map<std::string, std::unique_ptr<Gauge>> gauges;
  std::map<std::string, std::unique_ptr<Histogram>> histograms;
};

Registry::Family& Registry::family(const std::string& name, const std::string& help,
                                   std::string_view kind) {
  check(is_metric_name(name), "metric", "expected rlhf_ and [a-z0-9_], got {}", name);
  check(name.ends_with("_total") == (kind == "counter"), "metric",
        "expected _total at the end of counters alone, got {}", name);
  std::shared_ptr<Family>& family = families_[name];
  if (!family) family = std::make_shared<Family>(Family{help, kind, {}, {}, {}});
  check(family->kind == kind, "metric", "expected {} as a {}, got a {}", name, family->kind, kind);
  return *family;
}

Counter& Registry::counter(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& made = family(name, help, "counter").counters[label_text(labels)];
  if (!made) made = std::make_unique<Counter>();
  return *made;
}

Gauge& Registry::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& made = family(name, help, "gauge").gauges[label_text(labels)];
  if (!made) made = std::make_unique<Gauge>();
  return *made;
}

void Registry::set_gauges(const std::string& name, const std::string& help,
                          std::span<const std::pair<Labels, double>> values) {
  const std::lock_guard lock(mutex_);
  auto& gauges = family(name, help, "gauge").gauges;
  gauges.clear();
  for (const auto& [labels, value] : values) {
    auto& made = gauges[label_text(labels)] = std::make_unique<Gauge>();
    made->set(value);
  }
}

Histogram& Registry::histogram(const std::string& name, const std::string& help,
                               const std::vector<double>& bounds, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& made = family(name, help, "histogram").histograms[label_text(labels)];
  if (!made) made = std::make_unique<Histogram>(bounds);
  return *made;
}

void Registry::before_text(std::function<void()> collect) {
  const std::lock_guard lock(mutex_);
  collectors_.push_back(std::move(collect));
}

std::string Registry::text() const {
  std::vector<std::function<void()>> collectors;
  {
    const std::lock_guard lock(mutex_);
    collectors = collectors_;
  }
  for (const auto& collect : collectors) collect();  // they may add metrics
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped_text(family->help, false),
                       name, family->kind);
    for (const auto& [labels, counter] : family->counters) {
      out += sample(name, labels, counter->value());
    }
    for (const auto& [labels, gauge] : family->gauges) out += sample(name, labels, gauge->value());
    for (const auto& [labels, histogram] : family->histograms) {
      out += histogram_text(name, labels, *histogram);
    }
  }
  return out;
}

}  // namespace rlhf::http
