// Votes a second that survive a power cut, and how long a person waits for "saved": many people at
// once lease a comparison and vote on it.
//
//   bench_store --people 50 --seconds 10 --folder /a/disk
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include "serve/store/maintenance.h"
#include "serve/store/people.h"
#include "serve/store/statistics.h"
#include "serve/store/versions.h"
#include "serve/store/votes.h"

namespace rlhf::store {
namespace {

using Seconds = std::chrono::duration<double>;

double since(std::chrono::steady_clock::time_point begin) {
  return Seconds(std::chrono::steady_clock::now() - begin).count();
}

template <class Action>
double timed(Action&& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return since(begin);
}

/// REQUIRES: times is sorted and not empty.
double quantile(const std::vector<double>& times, double share) {
  return times[std::min(times.size() - 1, size_t(share * double(times.size())))];
}

void print_times(const char* what, std::vector<double> times, double seconds) {
  if (times.empty()) return;
  std::sort(times.begin(), times.end());
  fmt::print("{:<8} {:8.0f} a second   p50 {:6.2f} ms   p99 {:6.2f} ms   longest {:6.2f} ms\n",
             what, double(times.size()) / seconds, 1e3 * quantile(times, 0.5),
             1e3 * quantile(times, 0.99), 1e3 * times.back());
}

/// Comparisons for so many votes, a hundred prompts at a time.
void prepare(Store& store, int64_t people, int64_t votes) {
  add_version(store, the_program, {.path = "m", .method = "m"});
  for (int64_t i = 0; i < people; i++) {
    add_person(store, the_program, fmt::format("person {}", i), Role::annotator);
  }
  std::vector<NewPrompt> prompts;
  for (int i = 0; i < 100; i++) prompts.push_back({.text = fmt::format("prompt {}", i)});
  add_prompts(store, the_program, prompts);
  std::vector<std::thread> threads;
  for (int64_t part = 0; part < 50; part++) {
    threads.emplace_back([&, part] {
      for (int64_t i = part; i < votes; i += 50) {
        NewComparison fresh{.prompt = 1 + i % 100, .wanted_votes = 1};
        for (int slot = 0; slot < 2; slot++) {
          fresh.answers.push_back({.text = std::string(400, char('a' + slot)), .version = 1});
        }
        add_comparison(store, fresh);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

void measure(Store& store, size_t people, double seconds) {
  std::vector<std::vector<double>> leases(people), votes(people);
  std::atomic<bool> empty = false;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (size_t i = 0; i < people; i++) {
    threads.emplace_back([&, i] {
      const int64_t person = int64_t(i) + 1;
      for (int64_t n = 0; since(begin) < seconds && !empty; n++) {
        std::optional<Lease> lease;
        leases[i].push_back(timed([&] { lease = lease_next(store, person); }));
        if (!lease) {
          empty = true;
          return;
        }
        votes[i].push_back(timed([&] {
          cast_vote(store, person,
                    {.request_id = std::to_string(n), .lease = lease->id, .place = int(n % 2)});
        }));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const double taken = since(begin);
  const auto joined = [](const std::vector<std::vector<double>>& parts) {
    std::vector<double> all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  print_times("leases", joined(leases), taken);
  print_times("votes", joined(votes), taken);
  if (empty) fmt::print("ended early: all comparisons were judged\n");
}

void run(int64_t people, double seconds, int64_t comparisons, const std::filesystem::path& folder) {
  const auto place = folder / fmt::format("bench_store_{}", ::getpid());
  std::filesystem::create_directory(place);
  {
    Store store(place / "votes.db");
    const double made = timed([&] { prepare(store, people, comparisons); });
    fmt::print("{} people, {} comparisons made in {:.1f} s\n", people, comparisons, made);
    measure(store, size_t(people), seconds);
    fmt::print("statistics of {} votes: {:.1f} ms; ", votes_after(store, 0),
               1e3 * timed([&] { statistics(store); }));
    fmt::print("backup of {:.1f} MB: {:.1f} ms\n",
               double(std::filesystem::file_size(store.file())) / 1e6,
               1e3 * timed([&] { backup(store, the_program, place / "copy.db"); }));
  }
  std::filesystem::remove_all(place);
}

}  // namespace
}  // namespace rlhf::store

int main(int argc, char** argv) {
  CLI::App app("Durable votes a second");
  int64_t people = 50, comparisons = 30'000;
  double seconds = 10;
  std::string folder = std::filesystem::temp_directory_path();
  app.add_option("--people", people, "who vote at once")->check(CLI::Range(1, 1000));
  app.add_option("--seconds", seconds, "for how long");
  app.add_option("--comparisons", comparisons, "that wait for a vote");
  app.add_option("--folder", folder, "on the disk to measure")->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  rlhf::store::run(people, seconds, comparisons, folder);
}
