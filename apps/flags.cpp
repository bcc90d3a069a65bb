#include "apps/flags.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <type_traits>

#include "core/check.h"

namespace rlhf {
namespace {

template <class T>
std::string expectation(const Range<T>& range) {
  std::string text = std::is_integral_v<T> ? "a whole number" : "a number";
  const auto& [least, most, above_least] = range;
  if (least && most && !above_least) return text + fmt::format(" from {} to {}", *least, *most);
  if (least) text += fmt::format(" {} {}", above_least ? "above" : "of at least", *least);
  if (least && most) text += " and";
  if (most) text += fmt::format(" of at most {}", *most);
  return text;
}

template <class T>
T read_number(const std::string& name, const std::string& text, const Range<T>& range) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  const bool whole = failure == std::errc() && stop == end && !text.empty();
  // Overflow and infinity fail in from_chars or here; comparisons with NaN are false, so NaN does.
  bool inside =
      whole && value >= std::numeric_limits<T>::lowest() && value <= std::numeric_limits<T>::max();
  if (range.least) inside &= range.above_least ? value > *range.least : value >= *range.least;
  if (range.most) inside &= value <= *range.most;
  if (!inside) input_error("--" + name, "expected {}, got \"{}\"", expectation(range), text);
  return value;
}

template <class T>
constexpr std::string_view number_name = std::is_integral_v<T> ? "N" : "X";

/// A float's shortest decimal form: as a double, 0.1f would become 0.10000000149011612.
template <class T>
nlohmann::ordered_json number_json(T value) {
  if constexpr (std::is_same_v<T, float>) return std::stod(fmt::format("{}", value));
  return value;
}

bool read_bool(const std::string& name, std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  input_error("--" + name, "expected true or false, got \"{}\"", text);
}

}  // namespace

Flag& Flag::required() {
  is_required = true;
  return *this;
}

Flag& Flag::positional() {
  is_positional = true;
  return *this;
}

Flag& Flag::shown_as(std::string_view shown) {
  value_name = shown;
  return *this;
}

Flag& Flags::declare(std::string_view name, std::string_view value_name, std::string_view help) {
  check(!find(name), "flags", "--{} is declared twice", name);
  Flag& flag = flags_.emplace_back();
  flag.name = name;
  flag.value_name = value_name;
  flag.help = help;
  flag.group = group_;
  return flag;
}

Flag& Flags::add(std::string_view name, bool& value, std::string_view help) {
  Flag& flag = declare(name, "", help);
  flag.is_switch = true;
  flag.default_text = value ? "true" : "false";
  flag.set = [&value, name = flag.name](const std::string& text) { value = read_bool(name, text); };
  flag.get = [&value] { return value; };
  return flag;
}

Flag& Flags::add(std::string_view name, std::string& value, std::string_view help) {
  Flag& flag = declare(name, "TEXT", help);
  flag.default_text = value;
  flag.set = [&value](const std::string& text) { value = text; };
  flag.get = [&value] { return value; };
  return flag;
}

Flag& Flags::add(std::string_view name, std::vector<std::string>& values, std::string_view help) {
  Flag& flag = declare(name, "TEXT...", help);
  flag.is_list = true;
  flag.default_text = fmt::format("{}", fmt::join(values, " "));
  flag.set = [&values](const std::string& text) { values.push_back(text); };
  flag.get = [&values] { return values; };
  return flag;
}

template <class T>
Flag& Flags::add(std::string_view name, T& value, Range<std::type_identity_t<T>> range,
                 std::string_view help) {
  Flag& flag = declare(name, number_name<T>, help);
  flag.default_text = fmt::format("{}", value);
  flag.set = [&value, range, name = flag.name](const std::string& text) {
    value = read_number(name, text, range);
  };
  flag.get = [&value] { return number_json(value); };
  return flag;
}

template Flag& Flags::add(std::string_view, int&, Range<int>, std::string_view);
template Flag& Flags::add(std::string_view, int64_t&, Range<int64_t>, std::string_view);
template Flag& Flags::add(std::string_view, uint64_t&, Range<uint64_t>, std::string_view);
template Flag& Flags::add(std::string_view, float&, Range<float>, std::string_view);
template Flag& Flags::add(std::string_view, double&, Range<double>, std::string_view);

Flag& Flags::choice(std::string_view name, std::string& value, std::vector<std::string> words,
                    std::string_view help) {
  Flag& flag = declare(name, fmt::format("{}", fmt::join(words, "|")), help);
  flag.default_text = value;
  flag.set = [&value, words, name = flag.name](const std::string& text) {
    if (std::find(words.begin(), words.end(), text) == words.end()) {
      input_error("--" + name, "expected one of {}, got \"{}\"", fmt::join(words, ", "), text);
    }
    value = text;
  };
  flag.get = [&value] { return value; };
  return flag;
}

const Flag* Flags::find(std::string_view name) const {
  const std::string wanted = with_underscores(name);
  const auto found =
      std::find_if(flags_.begin(), flags_.end(), [&](const Flag& f) { return f.name == wanted; });
  return found == flags_.end() ? nullptr : &*found;
}

nlohmann::ordered_json Flags::resolved() const {
  nlohmann::ordered_json values = nlohmann::ordered_json::object();
  for (const Flag& flag : flags_) values[flag.name] = flag.get();
  return values;
}

std::string with_underscores(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

}  // namespace rlhf
