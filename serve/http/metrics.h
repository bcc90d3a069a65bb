// Numbers for Prometheus, in its text format 0.0.4: counters, gauges and histograms by name and
// labels. Updating one is an atomic operation; whoever counts often keeps the reference.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rlhf::http {

inline constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";

class Counter {
 public:
  void add(double amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  /// For what is counted elsewhere: its total so far.
  void set(double total) { value_.store(total, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  /// `bounds`: upper ends of the buckets, rising, without +Inf.
  explicit Histogram(std::vector<double> bounds);
  void observe(double value);
  /// For what is counted elsewhere: its buckets so far, +Inf last, and its sum.
  /// @throws Error for another number of buckets.
  void set(std::span<const uint64_t> counts, double sum);
  const std::vector<double>& bounds() const { return bounds_; }
  /// How many values each bucket has, +Inf last; not cumulative.
  std::vector<uint64_t> counts() const;
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

/// Bounds for times of answers, in seconds: 0.5 ms to 60 s.
std::vector<double> time_bounds();

using Labels = std::vector<std::pair<std::string, std::string>>;

class Registry {
 public:
  /// The metric of that name and labels, made when it is new. References stay good as long as the
  /// registry. Names: [a-z_][a-z0-9_]*, beginning with "rlhf_", with base units as suffix; counters
  /// end in _total. @throws Error for another name, or one that is there as another kind.
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram& histogram(const std::string& name, const std::string& help,
                       const std::vector<double>& bounds, const Labels& labels = {});

  /// The gauges of that name, for what comes and goes: other labels than these are there no longer.
  /// REQUIRES: nobody keeps a reference to one of them.
  void set_gauges(const std::string& name, const std::string& help,
                  std::span<const std::pair<Labels, double>> values);

  /// Called before each text(), to set gauges of what is counted elsewhere.
  void before_text(std::function<void()> collect);

  /// Everything, by name.
  std::string text() const;

 private:
  struct Family;
  Family& family(const std::string& name, const std::string& help, std::string_view kind);

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Family>> families_;
  std::vector<std::function<void()>> collectors_;
};

}  // namespace rlhf::http
