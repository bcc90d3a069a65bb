#include "serve/answer_maker.h"

#include <algorithm>

#include "core/check.h"
#include "kernels/philox.h"
#include "serve/prompt_tokens.h"

namespace rlhf::serve {
namespace {

using namespace std::chrono_literals;

/// Answers that say the same teach nothing: so often another is asked for.
constexpr int kTries = 4;
/// Who has asked for no comparison for so long has left.
constexpr std::chrono::minutes kStay{10};
/// Of a candidate that failed.
constexpr std::chrono::minutes kRest{10};

uint64_t seed_of(uint64_t seed, int64_t prompt, int64_t version, int number) {
  const PhiloxWords words = philox(
      {uint32_t(prompt), uint32_t(uint64_t(prompt) >> 32), uint32_t(version), uint32_t(number)},
      uint32_t(seed), uint32_t(seed >> 32));
  // 53 bits, so that the seed is the same number wherever JSON goes.
  return (uint64_t(words[0]) << 32 | words[1]) >> 11;
}

}  // namespace

AnswerMaker::AnswerMaker(store::Store& store, Policies& policies, ComparisonSettings settings,
                         Complain complain)
    : store_(store),
      policies_(policies),
      settings_(settings),
      complain_(std::move(complain)),
      thread_([this] { work(); }) {}

AnswerMaker::~AnswerMaker() { stop(); }

void AnswerMaker::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

void AnswerMaker::expect(int64_t person) {
  const std::lock_guard lock(mutex_);
  asked_[person] = std::chrono::steady_clock::now();
}

void AnswerMaker::end() {
  const std::lock_guard lock(mutex_);
  ending_ = true;
  changed_.notify_one();
}

void AnswerMaker::stop() {
  end();
  if (thread_.joinable()) thread_.join();
}

void AnswerMaker::work() {
  while (!ending_) {
    bool more = false;
    try {
      busy_ = true;
      more = make_one();
    } catch (const std::exception& error) {
      if (!ending_) complain_(fmt::format("answers for comparisons: {}", error.what()));
    }
    if (more) continue;
    busy_ = false;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 5s, [&] { return woken_ || ending_; });
    woken_ = false;
  }
}

bool AnswerMaker::make_one() { return compare_candidates() || collect(); }

bool AnswerMaker::can_read(const Policy& policy, const store::Prompt& prompt) {
  std::set<int64_t>& unreadable = unreadable_[policy.version];
  if (unreadable.contains(prompt.id)) return false;
  try {
    tokens_of(policy, prompt);
    return true;
  } catch (const InputError& error) {
    unreadable.insert(prompt.id);
    complain_(fmt::format("prompt {}: expected one that version {} can read: {}", prompt.id,
                          policy.version, error.what()));
    return false;
  }
}

std::optional<store::Prompt> AnswerMaker::next(store::PromptQuery query,
                                               const std::vector<Policy>& who) {
  for (;;) {
    query.limit = 1;
    for (const Policy& policy : who) query.limit += int64_t(unreadable_[policy.version].size());
    const auto prompts = store::prompts_without_comparison(store_, query);
    const auto found = std::find_if(prompts.begin(), prompts.end(), [&](const auto& prompt) {
      return std::all_of(who.begin(), who.end(),
                         [&](const Policy& policy) { return can_read(policy, prompt); });
    });
    if (found != prompts.end()) return *found;
    if (int64_t(prompts.size()) < query.limit) return std::nullopt;
  }
}

int64_t AnswerMaker::waiting(store::Purpose purpose, std::optional<int64_t> candidate) {
  std::map<int64_t, std::chrono::steady_clock::time_point> asked;
  {
    const std::lock_guard lock(mutex_);
    const auto left = std::chrono::steady_clock::now() - kStay;
    std::erase_if(asked_, [&](const auto& entry) { return entry.second < left; });
    asked = asked_;
  }
  int64_t fewest = store::queue_counts(store_, purpose, candidate).waiting;
  // What a person has skipped, or is to be judged by a second one, does not wait for that person.
  for (const auto& [person, when] : asked) {
    fewest = std::min(fewest, store::waiting_for(store_, person, purpose, candidate));
  }
  return fewest;
}

bool AnswerMaker::collect() {
  if (waiting(store::Purpose::collect) >= settings_.ahead) return false;
  const Policy policy = policies_.promoted();
  const auto prompt = next({.version = policy.version}, {policy});
  if (!prompt) return false;
  add(*prompt, std::vector(size_t(settings_.answers), policy), store::Purpose::collect, {});
  return true;
}

bool AnswerMaker::compare_candidates() {
  for (const store::ModelVersion& version : store::versions(store_)) {
    if (version.state != store::VersionState::candidate) continue;
    if (const auto rests = resting_.find(version.id); rests != resting_.end()) {
      if (std::chrono::steady_clock::now() < rests->second) continue;
      resting_.erase(rests);
    }
    try {
      if (compare(version.id)) return true;
    } catch (const store::NoRoom&) {
      throw;
    } catch (const std::exception& error) {
      if (ending_) throw;
      resting_[version.id] = std::chrono::steady_clock::now() + kRest;
      complain_(fmt::format("version {} is not compared for {} minutes: {}", version.id,
                            kRest.count(), error.what()));
    }
  }
  return false;
}

bool AnswerMaker::compare(int64_t candidate) {
  const auto purpose = store::Purpose::promotion;
  const store::QueueCounts queue = store::queue_counts(store_, purpose, candidate);
  const int64_t wait = waiting(purpose, candidate);
  if (wait >= settings_.ahead || wait + queue.leased + queue.done >= settings_.candidate_votes) {
    return false;
  }
  const std::vector<Policy> who{policies_.promoted(), policies_.version(candidate)};
  const auto prompt = next({.candidate = candidate}, who);
  if (!prompt) return false;
  try {
    add(*prompt, who, purpose, candidate);
  } catch (const store::Conflict&) {  // a decision has come while it was made: look again
  }
  return true;
}

int64_t AnswerMaker::length_of(const Policy& policy) const {
  return std::min(settings_.max_tokens, policy.engine->capacity() / 2);
}

Tokens AnswerMaker::tokens_of(const Policy& policy, const store::Prompt& prompt) const {
  Tokens tokens = prompt_tokens(*policy.model, prompt);
  const int64_t room = policy.engine->capacity() - length_of(policy);
  if (tokens.empty() || int64_t(tokens.size()) > room) {
    input_error("prompt", "expected 1 to {} tokens, got {}", room, tokens.size());
  }
  return tokens;
}

void AnswerMaker::add(const store::Prompt& prompt, const std::vector<Policy>& who,
                      store::Purpose purpose, std::optional<int64_t> candidate) {
  store::NewComparison comparison{.prompt = prompt.id,
                                  .purpose = purpose,
                                  .candidate = candidate,
                                  .doubled = settings_.doubled,
                                  .answers = {}};
  if (purpose == store::Purpose::promotion) comparison.wanted_votes = 1;
  int number = 0;
  for (const Policy& policy : who) {
    engine::Job job{.prompt = tokens_of(policy, prompt), .client = "comparisons"};
    job.sampling.max_new_tokens = length_of(policy);
    job.sampling.temperature = float(settings_.temperature);
    job.sampling.top_p = float(settings_.top_p);
    job.sampling.stop_tokens = policy.model->stop_tokens;
    store::NewAnswer answer;
    for (int attempt = 0; attempt < kTries; attempt++) {
      job.sampling.seed = seed_of(settings_.seed, prompt.id, policy.version, number++);
      answer = answer_of(policy, job);
      const auto same = [&](const store::NewAnswer& other) { return other.text == answer.text; };
      if (std::none_of(comparison.answers.begin(), comparison.answers.end(), same)) break;
    }
    comparison.answers.push_back(std::move(answer));
  }
  store::add_comparison(store_, comparison);
}

store::NewAnswer AnswerMaker::answer_of(const Policy& policy, engine::Job job) const {
  using engine::FinishReason;
  check(!ending_, "answers", "expected a server that stays, got one that stops");
  const engine::Completion completion = engine::complete(*policy.engine, job);
  const FinishReason reason = completion.finish.reason;
  check(reason == FinishReason::stop || reason == FinishReason::length, "answers",
        "expected an answer of version {}, got none: {}", policy.version,
        completion.finish.error.empty() ? "its engine stops" : completion.finish.error);
  return {.text = completion.text,
          .version = policy.version,
          .sampling = {.temperature = settings_.temperature,
                       .top_p = settings_.top_p,
                       .top_k = 0,
                       .max_tokens = job.sampling.max_new_tokens,
                       .seed = job.sampling.seed},
          .ended = reason == FinishReason::stop};
}

}  // namespace rlhf::serve
