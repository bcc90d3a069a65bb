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

void AnswerMaker::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void AnswerMaker::work() {
  for (;;) {
    bool more = false;
    try {
      busy_ = true;
      more = make_one();
    } catch (const std::exception& error) {
      complain_(fmt::format("answers for comparisons: {}", error.what()));
    }
    std::unique_lock lock(mutex_);
    if (!more) {
      busy_ = false;
      changed_.wait_for(lock, 5s, [&] { return woken_ || stopping_; });
      woken_ = false;
    }
    if (stopping_) return;
  }
}

bool AnswerMaker::make_one() { return compare_candidates() || collect(); }

std::optional<store::Prompt> AnswerMaker::next(store::PromptQuery query, const Policy& policy) {
  for (;;) {
    query.limit = int64_t(unusable_.size()) + 1;
    const auto prompts = store::prompts_without_comparison(store_, query);
    const auto fresh = std::find_if(prompts.begin(), prompts.end(), [&](const auto& prompt) {
      return !unusable_.contains(prompt.id);
    });
    if (fresh == prompts.end()) return std::nullopt;
    try {
      tokens_of(policy, *fresh);
      return *fresh;
    } catch (const InputError& error) {
      unusable_.insert(fresh->id);
      complain_(fmt::format("prompt {}: expected one that the policy can read: {}", fresh->id,
                            error.what()));
    }
  }
}

bool AnswerMaker::collect() {
  const store::QueueCounts queue = store::queue_counts(store_, store::Purpose::collect);
  if (queue.waiting >= settings_.ahead) return false;
  const Policy policy = policies_.promoted();
  const auto prompt = next({.version = policy.version}, policy);
  if (!prompt) return false;
  add(*prompt, std::vector(size_t(settings_.answers), policy), store::Purpose::collect, {});
  return true;
}

bool AnswerMaker::compare_candidates() {
  for (const store::ModelVersion& version : store::versions(store_)) {
    if (version.state != store::VersionState::candidate) continue;
    const auto purpose = store::Purpose::promotion;
    const store::QueueCounts queue = store::queue_counts(store_, purpose, version.id);
    if (queue.waiting >= settings_.ahead ||
        queue.waiting + queue.leased + queue.done >= settings_.candidate_votes) {
      continue;
    }
    const auto candidate = loaded(version.id);
    if (!candidate) continue;
    const auto prompt = next({.candidate = version.id}, *candidate);
    if (!prompt) continue;
    add(*prompt, {policies_.promoted(), *candidate}, purpose, version.id);
    return true;
  }
  return false;
}

std::optional<Policy> AnswerMaker::loaded(int64_t version) {
  if (broken_.contains(version)) return std::nullopt;
  try {
    return policies_.version(version);
  } catch (const InputError& error) {
    broken_.insert(version);
    complain_(fmt::format("version {} is not compared: {}", version, error.what()));
    return std::nullopt;
  }
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
    const int64_t length = length_of(policy);
    job.sampling.max_new_tokens = length;
    job.sampling.temperature = float(settings_.temperature);
    job.sampling.top_p = float(settings_.top_p);
    job.sampling.stop_tokens = policy.model->stop_tokens;
    store::NewAnswer answer;
    for (int attempt = 0; attempt < kTries; attempt++) {
      job.sampling.seed = seed_of(settings_.seed, prompt.id, policy.version, number++);
      const engine::Completion completion = engine::complete(*policy.engine, job);
      const engine::FinishReason reason = completion.finish.reason;
      check(reason == engine::FinishReason::stop || reason == engine::FinishReason::length,
            "answers", "expected an answer of version {}, got none: {}", policy.version,
            completion.finish.error.empty() ? "the server stops" : completion.finish.error);
      answer = {.text = completion.text,
                .version = policy.version,
                .sampling = {.temperature = settings_.temperature,
                             .top_p = settings_.top_p,
                             .top_k = 0,
                             .max_tokens = length,
                             .seed = job.sampling.seed},
                .ended = reason == engine::FinishReason::stop};
      const auto same = [&](const store::NewAnswer& other) { return other.text == answer.text; };
      if (std::none_of(comparison.answers.begin(), comparison.answers.end(), same)) break;
    }
    comparison.answers.push_back(std::move(answer));
  }
  store::add_comparison(store_, comparison);
}

}  // namespace rlhf::serve
