#include "rl/preference_data.h"

#include <algorithm>

#include "core/check.h"
#include "rl/model/chat_encoding.h"
#include "rl/prompt.h"

namespace rlhf {
namespace {

/// A row's prompt is explicit from here on.
struct Prompted {
  std::string prompt, chosen, rejected;
  Dialogue first, second;
};

/// Bytes that two texts share as a prompt: up to their first difference, less a space before it,
/// which tokenizers take with the word behind it; a text never is its prompt alone.
size_t shared_prompt(const std::string& a, const std::string& b) {
  const size_t shorter = std::min(a.size(), b.size());
  size_t at = 0;
  while (at < shorter && a[at] == b[at]) at++;
  if (at == shorter) at--;
  if (at > 0 && a[at - 1] == ' ') at--;
  while (at > 0 && (static_cast<unsigned char>(a[at]) & 0xc0) == 0x80) at--;
  return at;
}

size_t shared_messages(const Dialogue& a, const Dialogue& b) {
  const size_t shorter = std::min(a.messages.size(), b.messages.size());
  size_t at = 0;
  while (at + 1 < shorter && a.messages[at] == b.messages[at]) at++;
  return at;
}

Prompted prompted(const Preference& row) {
  Prompted out{row.prompt, row.chosen, row.rejected, row.first, row.second};
  if (!row.first.empty()) {
    if (row.prompted) return out;
    const size_t shared = shared_messages(row.first, row.second);
    const auto answers = [&](const Dialogue& d) { return d.messages[shared].role; };
    if (shared == 0 || answers(row.first) != Role::assistant ||
        answers(row.second) != Role::assistant) {
      input_error(row.where,
                  "expected chosen and rejected to answer the same messages, got others");
    }
    out.first.given = out.second.given = shared;
    return out;
  }
  if (!row.prompted) {
    const size_t shared = shared_prompt(row.chosen, row.rejected);
    out = {row.chosen.substr(0, shared),
           row.chosen.substr(shared),
           row.rejected.substr(shared),
           {},
           {}};
  }
  if (!out.prompt.empty()) return out;
  input_error(row.where, "expected {}, got none",
              row.prompted
                  ? "a prompt that is not empty"
                  : "a column \"prompt\", or chosen and rejected that begin with the same");
}

/// @returns without a token to learn when the prompt fills max_length alone.
Example encode_text(const Tokenizer& tokenizer, const std::string& prompt,
                    const std::string& completion, const PreferenceLengths& lengths,
                    bool& truncated) {
  Example example{encode_prompt(tokenizer, prompt), {}};
  Tokens& tokens = example.tokens;
  if (lengths.max_prompt_length > 0 && int64_t(tokens.size()) > lengths.max_prompt_length) {
    tokens.erase(tokens.begin(), tokens.end() - lengths.max_prompt_length);
    truncated = true;
  }
  example.learn.assign(tokens.size(), 0);
  const Tokens answer = tokenizer.encode(completion);
  tokens.insert(tokens.end(), answer.begin(), answer.end());
  tokens.push_back(tokenizer.eos());
  if (int64_t(tokens.size()) > lengths.max_length) {
    tokens.resize(size_t(lengths.max_length));
    truncated = true;
  }
  example.learn.resize(tokens.size(), 1);
  return example;
}

/// The same without its `count` oldest messages behind the system message.
Dialogue without_oldest(const Dialogue& dialogue, size_t count) {
  Dialogue out = dialogue;
  const auto first = out.messages.begin() + (out.messages[0].role == Role::system);
  out.messages.erase(first, first + int64_t(count));
  out.given -= std::min(out.given, count);
  return out;
}

/// Dialogues (one, or two of a pair) after as few exchanges as leave every one of them within the
/// lengths. @returns none when the last exchange alone is too long.
std::vector<Example> encode_dialogues(const Tokenizer& tokenizer,
                                      std::span<const Dialogue* const> dialogues,
                                      const PreferenceLengths& lengths, bool& truncated) {
  for (size_t out = 0;; out += 2) {
    std::vector<Example> examples;
    for (const Dialogue* dialogue : dialogues) {
      const size_t system = dialogue->messages[0].role == Role::system;
      if (system + out + 2 > dialogue->given + 1) return {};
      int64_t more = 0;
      Example example =
          encode_dialogue(tokenizer, without_oldest(*dialogue, out), lengths.max_length, {}, &more);
      if (more != 0) break;
      const auto prompt = std::find(example.learn.begin(), example.learn.end(), 1);
      if (lengths.max_prompt_length > 0 &&
          prompt - example.learn.begin() > lengths.max_prompt_length) {
        break;
      }
      examples.push_back(std::move(example));
    }
    truncated = out > 0;
    if (examples.size() == dialogues.size()) return examples;
  }
}

PreferenceLengths within(const PreferenceLengths& lengths, int64_t n_positions) {
  return {length_limit(lengths, n_positions), lengths.max_prompt_length};
}

void check_left(int64_t left, const char* flag, int64_t max_length) {
  if (left > 0) return;
  input_error(flag, "expected a row with different completions within {} tokens, got none",
              max_length);
}

}  // namespace

int64_t JudgedCompletion::prompt_length() const {
  return std::find(example.learn.begin(), example.learn.end(), 1) - example.learn.begin();
}

PreferenceData encode_pairs(const Tokenizer& tokenizer, std::span<const Preference> rows,
                            const PreferenceLengths& lengths, int64_t n_positions,
                            const char* flag) {
  const PreferenceLengths limits = within(lengths, n_positions);
  PreferenceData data;
  for (const Preference& given : rows) {
    const Prompted row = prompted(given);
    bool cut = false;
    PreferencePair pair;
    if (row.first.empty()) {
      pair.chosen = encode_text(tokenizer, row.prompt, row.chosen, limits, cut);
      pair.rejected = encode_text(tokenizer, row.prompt, row.rejected, limits, cut);
    } else {
      const Dialogue* const both[] = {&row.first, &row.second};
      std::vector<Example> examples = encode_dialogues(tokenizer, both, limits, cut);
      if (!examples.empty()) pair = {std::move(examples[0]), std::move(examples[1])};
    }
    if (pair.chosen.targets() == 0 || pair.rejected.targets() == 0 ||
        pair.chosen.tokens == pair.rejected.tokens) {
      data.dropped++;
      continue;
    }
    data.truncated += cut;
    data.rows.push_back(std::move(pair));
  }
  check_left(data.size(), flag, limits.max_length);
  return data;
}

JudgedData encode_judged(const Tokenizer& tokenizer, std::span<const UnpairedPreference> rows,
                         const PreferenceLengths& lengths, int64_t n_positions, const char* flag) {
  const PreferenceLengths limits = within(lengths, n_positions);
  JudgedData data;
  for (const UnpairedPreference& row : rows) {
    bool cut = false;
    JudgedCompletion judged{.example = {}, .desirable = row.desirable};
    if (!row.dialogue.empty()) {
      const Dialogue* const one[] = {&row.dialogue};
      std::vector<Example> examples = encode_dialogues(tokenizer, one, limits, cut);
      if (!examples.empty()) judged.example = std::move(examples[0]);
    } else if (row.prompt.empty()) {
      input_error(row.where, "expected a prompt that is not empty, got none");
    } else {
      judged.example = encode_text(tokenizer, row.prompt, row.completion, limits, cut);
    }
    if (judged.example.targets() == 0) {
      data.dropped++;
      continue;
    }
    data.truncated += cut;
    data.rows.push_back(std::move(judged));
  }
  check_left(data.size(), flag, limits.max_length);
  return data;
}

std::vector<UnpairedPreference> unpaired(std::span<const Preference> rows) {
  std::vector<UnpairedPreference> out;
  for (const Preference& given : rows) {
    const Prompted row = prompted(given);
    out.push_back({row.prompt, row.chosen, row.first, true, given.where});
    out.push_back({row.prompt, row.rejected, row.second, false, given.where});
  }
  return out;
}

Example mismatched(const JudgedCompletion& prompt, const JudgedCompletion& completion,
                   int64_t max_length) {
  const int64_t asked = prompt.prompt_length(), answered = completion.prompt_length();
  const Example &x = prompt.example, &y = completion.example;
  Example out{{x.tokens.begin(), x.tokens.begin() + asked},
              {x.learn.begin(), x.learn.begin() + asked}};
  out.tokens.insert(out.tokens.end(), y.tokens.begin() + answered, y.tokens.end());
  out.learn.insert(out.learn.end(), y.learn.begin() + answered, y.learn.end());
  const size_t length = std::min(out.tokens.size(), size_t(max_length));
  out.tokens.resize(length);
  out.learn.resize(length);
  return out;
}

int64_t length_limit(const PreferenceLengths& lengths, int64_t n_positions) {
  return lengths.max_length > 0 ? std::min(lengths.max_length, n_positions) : n_positions;
}

}  // namespace rlhf
