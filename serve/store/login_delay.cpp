#include "serve/store/login_delay.h"

#include <algorithm>
#include <iterator>

#include "data/normalise.h"

namespace rlhf::store {
namespace {

constexpr int free_tries = 5;
constexpr int64_t longest = int64_t{60} * 1'000'000;
/// Made-up names must not fill the memory; nobody waits for the oldest of so many.
constexpr size_t most_names = 4096;

std::string key_of(std::string_view name) {
  return normalised(name.substr(0, 256), {.ignore_case = true});
}

}  // namespace

int64_t LoginDelay::seconds_left(std::string_view name, int64_t now) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(key_of(name));
  if (found == names_.end() || found->second.until <= now) return 0;
  // A clock that was set back must not lock anybody out for longer than the longest wait.
  return (std::min(found->second.until - now, longest) + 999'999) / 1'000'000;
}

void LoginDelay::failed(std::string_view name, int64_t now) {
  const std::lock_guard lock(mutex_);
  if (names_.size() >= most_names) {
    std::erase_if(names_, [&](const auto& entry) { return entry.second.until <= now; });
    if (names_.size() >= most_names) names_.clear();
  }
  Failures& failures = names_[key_of(name)];
  failures.count++;
  if (failures.count < free_tries) return;
  const int doublings = std::min(failures.count - free_tries, 6);
  failures.until = now + std::min((int64_t{1} << doublings) * 1'000'000, longest);
}

void LoginDelay::succeeded(std::string_view name) {
  const std::lock_guard lock(mutex_);
  names_.erase(key_of(name));
}

}  // namespace rlhf::store
