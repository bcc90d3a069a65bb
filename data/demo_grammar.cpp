#include "data/demo_grammar.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "core/check.h"
#include "data/demo_rules.h"

namespace rlhf {
namespace {

std::vector<std::string_view> split(std::string_view alternatives) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= alternatives.size();) {
    const size_t end = std::min(alternatives.find('|', begin), alternatives.size());
    parts.push_back(alternatives.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

using Grammar = std::map<std::string_view, std::vector<std::string_view>, std::less<>>;

Grammar parse_grammar() {
  Grammar out;
  for (const DemoRule& rule : demo_rules()) out[rule.name] = split(rule.alternatives);
  return out;
}

std::map<std::string_view, double> parse_lexicon() {
  std::map<std::string_view, double> out;
  for (const DemoRule& rule : demo_rules()) {
    if (rule.valence == 0) continue;
    for (const auto word : split(rule.alternatives)) out[word] = rule.valence;
  }
  return out;
}

/// One text in the making.
class Expansion {
 public:
  Expansion(std::string_view topic, DemoDice& dice) : topic_(topic), dice_(dice) {}

  void symbol(std::string_view name, std::string& out) {
    std::string_view choice = draw(alternatives(name));
    while (!choice.empty()) {
      const size_t open = std::min(choice.find('{'), choice.size());
      out += choice.substr(0, open);
      if (open == choice.size()) return;
      const size_t close = choice.find('}', open);
      symbol(choice.substr(open + 1, close - open - 1), out);
      choice.remove_prefix(close + 1);
    }
  }

 private:
  const std::vector<std::string_view>& alternatives(std::string_view name) const {
    static const Grammar grammar = parse_grammar();
    auto found = grammar.find(std::string(topic_) + "." + std::string(name));
    if (found == grammar.end()) found = grammar.find(name);
    check(found != grammar.end(), "demo grammar", "expected a symbol of {}, got {}", topic_, name);
    return found->second;
  }

  /// Open classes do not repeat themselves within a text ("the soup was stale and the soup ..."),
  /// closed ones (pronouns) may.
  std::string_view draw(const std::vector<std::string_view>& choices) {
    constexpr int patience = 8;
    std::string_view choice = choices[dice_.below(choices.size())];
    if (choices.size() < 4) return choice;
    for (int i = 0; i < patience && !used_.insert(choice).second; i++) {
      choice = choices[dice_.below(choices.size())];
    }
    return choice;
  }

  std::string_view topic_;
  DemoDice& dice_;
  std::set<std::string_view> used_;
};

/// "a awful plot" -> "an awful plot".
void fix_articles(std::string& text) {
  for (size_t at = text.find(" a "); at != std::string::npos; at = text.find(" a ", at + 1)) {
    if (std::string_view("aeio").find(text[at + 3]) != std::string_view::npos) {
      text.insert(at + 2, "n");
    }
  }
}

}  // namespace

std::string demo_expand(std::string_view symbol, std::string_view topic, DemoDice& dice) {
  std::string text;
  Expansion(topic, dice).symbol(symbol, text);
  fix_articles(text);
  return text;
}

double demo_valence(std::string_view word) {
  static const std::map<std::string_view, double> lexicon = parse_lexicon();
  const auto found = lexicon.find(word);
  return found == lexicon.end() ? 0 : found->second;
}

}  // namespace rlhf
