// The small language of --reward_funcs, and of --subtasks.
#include <map>

#include "core/check.h"
#include "rl/reward/reward_function_command.h"
#include "rl/reward/reward_function_text.h"

namespace rlhf {
namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\n");
  return first == std::string::npos
             ? ""
             : text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// At each `;` but those written `\;`.
std::vector<std::string> descriptions_of(const std::string& text) {
  std::vector<std::string> parts{""};
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ';') {
      parts.back() += text[++i];
    } else if (text[i] == ';') {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  std::vector<std::string> kept;
  for (const std::string& part : parts) {
    if (!trimmed(part).empty()) kept.push_back(trimmed(part));
  }
  return kept;
}

/// `key=value,key=value`, of the keys given.
class Options {
 public:
  Options(std::string_view flag, const std::string& description, const std::string& text,
          std::initializer_list<const char*> keys)
      : flag_(flag), description_(description) {
    for (const std::string& part : split(text, ',')) {
      if (trimmed(part).empty()) continue;
      const size_t equals = part.find('=');
      const std::string key = trimmed(part.substr(0, equals));
      bool known = false;
      std::string names;
      for (const char* name : keys) {
        known |= key == name;
        names += (names.empty() ? "" : ", ") + std::string(name) + "=";
      }
      if (!known || equals == std::string::npos) {
        input_error(flag, "expected {} after \"{}\", got \"{}\"", names, description, part);
      }
      values_[key] = trimmed(part.substr(equals + 1));
    }
  }

  std::string text(const std::string& key, const std::string& otherwise) const {
    const auto found = values_.find(key);
    return found == values_.end() ? otherwise : found->second;
  }

  /// A whole number from 1; 0 when it is not given.
  double count(const std::string& key) const {
    const std::string value = text(key, "0");
    const bool whole = !value.empty() && value.size() < 10 &&
                       value.find_first_not_of("0123456789") == std::string::npos;
    if (!whole || (values_.contains(key) && std::stol(value) == 0)) {
      input_error(flag_, "expected a whole number from 1 as {} of \"{}\", got \"{}\"", key,
                  description_, value);
    }
    return double(std::stol(value));
  }

  Tokenise unit() const {
    return choose<Tokenise>("unit", "words",
                            {{"words", Tokenise::words}, {"characters", Tokenise::characters}});
  }

  template <class Enum>
  Enum choose(const std::string& key, const std::string& otherwise,
              const std::map<std::string, Enum>& words) const {
    const auto found = words.find(text(key, otherwise));
    if (found != words.end()) return found->second;
    std::string names;
    for (const auto& [word, value] : words) names += (names.empty() ? "" : ", ") + word;
    input_error(flag_, "expected {} as {} of \"{}\", got \"{}\"", names, key, description_,
                text(key, otherwise));
  }

 private:
  std::string_view flag_;
  std::string description_;
  std::map<std::string, std::string> values_;
};

std::unique_ptr<RewardFunction> make_length(std::string_view flag, const std::string& argument) {
  const Options options(flag, "length", argument, {"target", "max", "unit"});
  const double target = options.count("target"), most = options.count("max");
  if ((target > 0) == (most > 0)) {
    input_error(flag, "expected length:target=N or length:max=N, got \"length:{}\"", argument);
  }
  const auto unit = options.choose<LengthUnit>("unit", "tokens",
                                               {{"tokens", LengthUnit::tokens},
                                                {"words", LengthUnit::words},
                                                {"characters", LengthUnit::characters}});
  return length_reward(unit, target, most);
}

std::unique_ptr<RewardFunction> make_demo_judge(std::string_view flag,
                                                const std::string& argument) {
  if (!argument.empty()) {
    input_error(flag, "expected nothing after \"demo_judge\", got \"{}\"", argument);
  }
  return demo_judge_reward();
}

std::unique_ptr<RewardFunction> make(std::string_view flag, const std::string& description,
                                     double timeout_seconds) {
  const size_t colon = description.find(':');
  const std::string name = trimmed(description.substr(0, colon));
  const std::string argument =
      colon == std::string::npos ? "" : trimmed(description.substr(colon + 1));
  const bool needs_argument = name != "bleu" && name != "rouge";
  if (name == "length") return make_length(flag, argument);
  if (name == "bleu" || name == "rouge") {
    const Options options(flag, name, argument, {"column", "unit"});
    return overlap_reward(name == "bleu" ? OverlapKind::bleu : OverlapKind::rouge_l, options.unit(),
                          options.text("column", "reference"));
  }
  if (name == "demo_judge") return make_demo_judge(flag, argument);
  const bool known = name == "keyword" || name == "keyword_count" || name == "regex" ||
                     name == "regex_count" || name == "command";
  if (!known) {
    input_error(flag,
                "expected length, keyword, keyword_count, regex, regex_count, bleu, rouge, "
                "demo_judge or command, got \"{}\"",
                name);
  }
  if (needs_argument && argument.empty()) {
    input_error(flag, "expected something after \"{}:\", got nothing", name);
  }
  if (name == "command") return command_reward(argument, timeout_seconds);
  const bool counts = name.ends_with("_count");
  if (name.starts_with("keyword")) return keyword_reward(split(argument, '|'), counts);
  return regex_reward(argument, counts);
}

}  // namespace

std::vector<NamedReward> parse_reward_functions(const std::string& descriptions,
                                                double timeout_seconds) {
  std::vector<NamedReward> rewards;
  std::map<std::string, int> seen;
  for (const std::string& description : descriptions_of(descriptions)) {
    const std::string name = trimmed(description.substr(0, description.find(':')));
    const int times = ++seen[name];
    rewards.push_back({times == 1 ? name : fmt::format("{}_{}", name, times), 1,
                       make("--reward_funcs", description, timeout_seconds)});
  }
  return rewards;
}

std::vector<NamedReward> parse_subtasks(const std::string& descriptions, double timeout_seconds) {
  constexpr std::string_view flag = "--subtasks";
  std::vector<NamedReward> subtasks;
  for (const std::string& part : descriptions_of(descriptions)) {
    const size_t equals = part.find('=');
    const std::string name = trimmed(part.substr(0, equals));
    // Names become those of metrics.
    const bool plain = !name.empty() && name.find_first_of(": \t\n/") == std::string::npos;
    if (equals == std::string::npos || !plain) {
      input_error(flag, "expected name=description, such as short=length:max=12, got \"{}\"", part);
    }
    for (const NamedReward& other : subtasks) {
      if (other.name == name) input_error(flag, "expected each name once, got \"{}\" twice", name);
    }
    subtasks.push_back({name, 1, make(flag, trimmed(part.substr(equals + 1)), timeout_seconds)});
  }
  if (subtasks.size() < 2) {
    input_error(flag, "expected at least two sub-tasks to choose from, got {}", subtasks.size());
  }
  return subtasks;
}

}  // namespace rlhf
