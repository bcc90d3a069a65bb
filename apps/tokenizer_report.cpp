#include "apps/tokenizer_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "apps/session.h"
#include "apps/terminal.h"

namespace rlhf {
namespace {

constexpr size_t kRows = 20;

struct Counts {
  std::vector<int64_t> of;        ///< by id
  std::vector<int32_t> by_count;  ///< ids, the most used first
  int64_t total = 0, used = 0;
};

Counts count(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
  Counts counts{.of = std::vector<int64_t>(size_t(tokenizer.vocab_size())),
                .by_count = std::vector<int32_t>(size_t(tokenizer.vocab_size()))};
  for (const int32_t id : ids) {
    if (!tokenizer.is_special(id)) counts.total++, counts.of[size_t(id)]++;
  }
  for (const int64_t n : counts.of) counts.used += n > 0;
  std::iota(counts.by_count.begin(), counts.by_count.end(), 0);
  std::stable_sort(counts.by_count.begin(), counts.by_count.end(), [&](int32_t a, int32_t b) {
    return counts.of[size_t(a)] > counts.of[size_t(b)];
  });
  return counts;
}

std::string share(int64_t part, int64_t whole) {
  return fmt::format("{:.2f} %", whole ? 100 * double(part) / double(whole) : 0);
}

Table table_of(const Tokenizer& tokenizer, const Counts& counts, const std::string& caption,
               std::span<const int32_t> ids) {
  Table table{.caption = caption, .columns = {"token", "id", "bytes", "times", "share"}};
  for (const int32_t id : ids.first(std::min(ids.size(), kRows))) {
    const std::string& bytes = tokenizer.token_bytes(id);
    const int64_t n = counts.of[size_t(id)];
    if (n == 0) break;
    table.rows.push_back({"\"" + escape_line(bytes) + "\"", fmt::to_string(id),
                          fmt::to_string(bytes.size()), fmt::to_string(n), share(n, counts.total)});
  }
  return table;
}

/// The share of the text that the k most used tokens make up, over k.
Chart coverage(const Counts& counts) {
  Series series{.name = "share of the text"};
  int64_t covered = 0;
  for (size_t k = 0; k < size_t(counts.used); k++) {
    covered += counts.of[size_t(counts.by_count[k])];
    series.x.push_back(double(k + 1));
    series.y.push_back(double(covered) / double(counts.total));
  }
  return {.title = "What the most used tokens cover",
          .x_label = "tokens, the most used first",
          .y_label = "share",
          .series = {series},
          .smoothing = 0};
}

}  // namespace

VocabularyUse describe_vocabulary(const Tokenizer& tokenizer, std::span<const int32_t> ids,
                                  size_t bytes) {
  const Counts counts = count(tokenizer, ids);
  const double bytes_per_token = double(bytes) / double(std::max<int64_t>(1, counts.total));
  std::vector<int32_t> by_length = counts.by_count;
  std::stable_sort(by_length.begin(), by_length.end(), [&](int32_t a, int32_t b) {
    const auto length = [&](int32_t id) {
      return counts.of[size_t(id)] > 0 ? tokenizer.token_bytes(id).size() : 0;
    };
    return length(a) > length(b);
  });
  Section section{.heading = "Tokens",
                  .tables = {table_of(tokenizer, counts, "Most used", counts.by_count),
                             table_of(tokenizer, counts, "Longest", by_length)}};
  if (counts.used > 1) section.charts.push_back(coverage(counts));
  return {.figures = {{"vocab_size", tokenizer.vocab_size()},
                      {"bytes_per_token", bytes_per_token},
                      {"tokens", counts.total},
                      {"bytes", bytes},
                      {"tokens_used", counts.used}},
          .page = {.title = "Tokenizer",
                   .introduction = fmt::format("What the vocabulary makes of the {} bytes of text "
                                               "that it was learnt from.",
                                               bytes),
                   .tiles = {{"Vocabulary", fmt::to_string(tokenizer.vocab_size()),
                              "special tokens included"},
                             {"Bytes a token", figure(bytes_per_token), "on its own corpus"},
                             {"In use", share(counts.used, tokenizer.vocab_size()),
                              "of the vocabulary occur in the text"}},
                   .sections = {std::move(section)}}};
}

}  // namespace rlhf
