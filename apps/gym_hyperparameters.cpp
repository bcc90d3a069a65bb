#include "apps/gym_hyperparameters.h"

#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "core/check.h"

namespace rlhf {
namespace {

/// One hyper-parameter, and which algorithms have it with which default.
struct Shared {
  Flag flag;
  std::vector<std::pair<std::string, std::vector<std::string>>> defaults;
  size_t owners = 0;

  void add(const std::string& value, const std::string& algorithm) {
    owners++;
    for (auto& [known, names] : defaults) {
      if (known == value) return names.push_back(algorithm);
    }
    defaults.push_back({value, {algorithm}});
  }
  std::string text() const {
    if (defaults.size() == 1 && owners == gym_algorithms().size()) return defaults[0].first;
    std::vector<std::string> parts;
    for (const auto& [value, names] : defaults) {
      parts.push_back(fmt::format("{}: {}", fmt::join(names, ", "), value));
    }
    return fmt::format("{}", fmt::join(parts, "; "));
  }
};

std::vector<Shared> all_hyperparameters() {
  std::vector<Shared> all;
  for (const GymAlgorithm& algorithm : gym_algorithms()) {
    const std::unique_ptr<GymAgent> agent = algorithm.make();
    Flags own;
    agent->declare(own);
    for (const Flag& flag : own.all()) {
      auto place = all.begin();
      while (place != all.end() && place->flag.name != flag.name) ++place;
      if (place == all.end()) place = all.insert(all.end(), {.flag = flag});
      place->add(flag.default_text, algorithm.name);
    }
  }
  return all;
}

std::vector<std::string> names_of(const Flags& flags) {
  std::vector<std::string> names;
  for (const Flag& flag : flags.all()) names.push_back("--" + flag.name);
  return names;
}

}  // namespace

void GymHyperparameters::declare(Flags& flags) {
  flags.group("Hyper-parameters: a flag not given means the algorithm's default");
  for (const Shared& shared : all_hyperparameters()) {
    Flag& flag = flags.add(shared.flag.name, typed_[shared.flag.name], shared.flag.help);
    // Nothing typed means the default, so nothing must not be typed.
    flag.set = [name = shared.flag.name, kind = shared.flag.value_name,
                set = flag.set](const std::string& text) {
      if (text.empty()) input_error("--" + name, "expected {}, got \"\"", kind);
      set(text);
    };
    flag.value_name = shared.flag.value_name;
    flag.is_switch = shared.flag.is_switch;
    flag.default_text = shared.text();
  }
}

void GymHyperparameters::apply(const GymAlgorithm& algorithm, GymAgent& agent) const {
  Flags own;
  agent.declare(own);
  for (const auto& [name, value] : typed_) {
    if (value.empty()) continue;
    const Flag* flag = own.find(name);
    if (!flag) {
      input_error("--" + name, "expected a hyper-parameter of {} ({}), got one that it lacks",
                  algorithm.name, fmt::join(names_of(own), ", "));
    }
    flag->set(value);
  }
}

void GymHyperparameters::refuse() const {
  for (const auto& [name, value] : typed_) {
    if (value.empty()) continue;
    input_error("--" + name, "expected none beside --load, whose agent has its own, got \"{}\"",
                value);
  }
}

void GymHyperparameters::resolve(GymAgent& agent, nlohmann::ordered_json& flags) const {
  const nlohmann::ordered_json values = hyperparameters_of(agent);
  for (const auto& [name, typed] : typed_) {
    if (values.contains(name)) {
      flags[name] = values[name];
    } else {
      flags.erase(name);
    }
  }
}

nlohmann::ordered_json hyperparameters_of(GymAgent& agent) {
  Flags own;
  agent.declare(own);
  return own.resolved();
}

void set_hyperparameters(GymAgent& agent, const nlohmann::ordered_json& values,
                         const std::string& source) {
  Flags own;
  agent.declare(own);
  for (const auto& [name, value] : values.items()) {
    const Flag* flag = own.find(name);
    if (!flag) input_error(source, "expected hyper-parameters of the agent, got \"{}\"", name);
    flag->set(value.is_string() ? value.get<std::string>() : value.dump());
  }
}

}  // namespace rlhf
