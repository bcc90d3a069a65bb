// The flags of a command: declared in one line each, with name, type, default, range and help in
// one place. From the same table come parsing, --help, --config files, the nearest-name hints and
// the resolved values that a run folder keeps. No CLI11 here: commands compile without it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace rlhf {

/// The values that a number may take. Bounds fit every wider type: at_least(0) of an int64_t.
template <class T>
struct Range {
  std::optional<T> least = {}, most = {};
  bool above_least = false;  ///< least itself is out

  template <class U>
  requires(std::is_integral_v<T> || std::is_floating_point_v<U>) operator Range<U>() const {
    return {.least = least, .most = most, .above_least = above_least};
  }
};
template <class T>
Range<T> at_least(T least) {
  return {.least = least};
}
template <class T>
Range<T> above(T least) {
  return {.least = least, .above_least = true};
}
template <class T>
Range<T> between(T least, T most) {
  return {.least = least, .most = most};
}

struct Flag {
  std::string name;        ///< with underscores, without dashes
  std::string value_name;  ///< what --help shows for the value: N, X, TEXT, FILE, linear|cosine
  std::string help;
  std::string group;         ///< heading in --help
  std::string default_text;  ///< empty: none
  bool is_required = false;
  bool is_switch = false;      ///< may stand without a value, which means true
  bool is_positional = false;  ///< may stand first without its name: `tokenizer train`
  /// Not 0: given several times, the values are joined by it; otherwise the last one counts.
  char joined_by = 0;
  /// Takes the value as text. @throws InputError "[--name] expected ..., got ..."
  std::function<void(const std::string&)> set;
  std::function<nlohmann::ordered_json()> get;

  Flag& required();
  Flag& positional();
  /// Names the value in --help: shown_as("FILE").
  Flag& shown_as(std::string_view name);
  Flag& repeatable(char joined_by);
};

class Flags {
 public:
  /// The flags declared next stand under this heading in --help.
  void group(std::string_view heading) { group_ = heading; }

  // Each binds a flag to a variable, whose present value is the default and which must outlive the
  // parsing. Numbers are taken in decimal and whole: "1e3", "0x10" and "3 " are not whole numbers.
  Flag& add(std::string_view name, bool& value, std::string_view help);
  Flag& add(std::string_view name, std::string& value, std::string_view help);
  template <class T>
  Flag& add(std::string_view name, T& value, Range<std::type_identity_t<T>> range,
            std::string_view help);
  /// One word of a few.
  Flag& choice(std::string_view name, std::string& value, std::vector<std::string> words,
               std::string_view help);

  const std::deque<Flag>& all() const { return flags_; }
  /// @returns null when no flag has this name; dashes count as underscores.
  const Flag* find(std::string_view name) const;
  /// Every flag's value now, by name, typed (numbers as numbers): for run_config.json.
  nlohmann::ordered_json resolved() const;

 private:
  Flag& declare(std::string_view name, std::string_view value_name, std::string_view help);

  std::string group_ = "Flags";
  std::deque<Flag> flags_;  // a deque: references to its elements stay valid
};

/// @returns the name with dashes as underscores.
std::string with_underscores(std::string_view name);

}  // namespace rlhf
