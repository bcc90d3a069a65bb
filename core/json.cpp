#include "core/json.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

using nlohmann::json;

/// Reads a text and remembers how far the parser came, which its events do not tell.
struct TrackingIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  const char** latest;

  reference operator*() const { return *at; }
  TrackingIterator& operator++() {
    *latest = ++at;
    return *this;
  }
  bool operator==(const TrackingIterator& other) const { return at == other.at; }
  bool operator!=(const TrackingIterator& other) const { return at != other.at; }
};

/// Builds the value from the parser's events and refuses what must not be built.
class GuardedBuilder : public nlohmann::json_sax<json> {
 public:
  GuardedBuilder(std::string_view text, std::string_view source, int64_t first_line,
                 HugeIntegers huge)
      : text_(text), source_(source), first_line_(first_line), huge_(huge), latest_(text.data()) {}

  json build() {
    const TrackingIterator begin{text_.data(), &latest_};
    const TrackingIterator end{text_.data() + text_.size(), &latest_};
    json::sax_parse(begin, end, this);
    return std::move(root_);
  }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(int64_t value) override { return add(value); }
  bool number_unsigned(uint64_t value) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& value) override { return add(std::move(value)); }

  bool number_float(double value, const string_t& digits) override {
    const bool whole = digits.find_first_of(".eE") == string_t::npos;
    if (whole && huge_ == HugeIntegers::refuse) {
      fail(latest_, "an integer of at most 64 bits", quote(digits));
    }
    return add(value);
  }

  bool start_object(size_t) override { return open(json::object()); }
  bool start_array(size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (open_.back()->contains(name)) fail(latest_, "each key once", quote(name) + " twice");
    key_ = std::move(name);
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    // "[json.exception...] parse error at line 1, column 5: syntax error while ... - the reason"
    std::string reason = error.what();
    const size_t dash = reason.find(" - ");
    if (dash != std::string::npos) reason.erase(0, dash + 3);
    if (error.id == 406) reason = "a number beyond the range of a double";
    // The reason repeats what was read last, which may be as long as the file.
    fail(text_.data() + std::min(position, text_.size()), "JSON", escaped(reason, 160));
  }

 private:
  [[noreturn]] void fail(const char* where, std::string_view expected, const std::string& got) {
    const int64_t line = first_line_ + std::count(text_.data(), where, '\n');
    input_error(fmt::format("{}:{}", source_, line), "expected {}, got {}", expected, got);
  }

  json* place(json&& value) {
    if (open_.empty()) return &(root_ = std::move(value));
    json& parent = *open_.back();
    if (parent.is_object()) return &(parent[key_] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }

  bool add(json value) {
    place(std::move(value));
    return true;
  }

  bool open(json&& empty) {
    if (open_.size() == max_json_depth) {
      fail(latest_, fmt::format("at most {} nested lists and objects", max_json_depth), "more");
    }
    open_.push_back(place(std::move(empty)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_, source_;
  int64_t first_line_;
  HugeIntegers huge_;
  const char* latest_;
  json root_;
  std::vector<json*> open_;  // the containers around the next value
  std::string key_;
};

}  // namespace

json parse_json(std::string_view text, std::string_view source, int64_t first_line,
                HugeIntegers huge) {
  if (const auto bad = find_invalid_utf8(text)) {
    const int64_t line = first_line + std::count(text.begin(), text.begin() + *bad, '\n');
    input_error(fmt::format("{}:{}", source, line), "expected UTF-8, got the byte 0x{:02X}",
                static_cast<uint8_t>(text[*bad]));
  }
  // To the parser behind this a NUL is the end, whatever comes after it.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    const int64_t line = first_line + std::count(text.begin(), text.begin() + nul, '\n');
    input_error(fmt::format("{}:{}", source, line), "expected JSON, got the byte 0x00");
  }
  return GuardedBuilder(text, source, first_line, huge).build();
}

bool is_json(std::string_view text) { return json::accept(text.begin(), text.end()); }

std::string json_kind(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::boolean:
      return "a boolean";
    case json::value_t::string:
      return "a string";
    case json::value_t::array:
      return "a list";
    case json::value_t::object:
      return "an object";
    default:
      return "a number";
  }
}

}  // namespace rlhf
