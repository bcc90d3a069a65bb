#include "data/text_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "core/check.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

using Units = std::vector<std::string_view>;
using NgramCounts = std::map<Units, int64_t>;

void count_ngrams(const Units& units, size_t n, NgramCounts& counts) {
  for (size_t i = 0; i + n <= units.size(); i++) {
    counts[Units(units.begin() + i, units.begin() + i + n)]++;
  }
}

NgramCounts ngrams_of(const Units& units, size_t n) {
  NgramCounts counts;
  count_ngrams(units, n, counts);
  return counts;
}

int64_t total(const NgramCounts& counts) {
  int64_t sum = 0;
  for (const auto& [ngram, count] : counts) sum += count;
  return sum;
}

/// Matches of a with b, each n-gram no more often than b has it ("clipped").
int64_t overlap(const NgramCounts& a, const NgramCounts& b) {
  int64_t sum = 0;
  for (const auto& [ngram, count] : a) {
    if (const auto found = b.find(ngram); found != b.end()) sum += std::min(count, found->second);
  }
  return sum;
}

void check_pairs(size_t hypotheses, size_t references, const char* metric) {
  check(hypotheses == references, metric, "expected one reference a hypothesis, got {} for {}",
        references, hypotheses);
}

bool is_rouge_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// The text in which rouge_score's words are what stands between spaces.
std::string rouge_text(std::string_view text, Tokenise unit) {
  std::string plain(text);
  if (unit == Tokenise::characters) return plain;
  for (char& c : plain) {
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    if (!is_rouge_letter(c)) c = ' ';
  }
  return plain;
}

double f_measure(int64_t matches, int64_t hypothesis, int64_t reference) {
  return matches == 0 ? 0.0 : 2.0 * double(matches) / double(hypothesis + reference);
}

double rouge_n(const Units& hypothesis, const Units& reference, size_t n) {
  const NgramCounts h = ngrams_of(hypothesis, n), r = ngrams_of(reference, n);
  return f_measure(overlap(h, r), total(h), total(r));
}

int64_t longest_common_subsequence(const Units& a, const Units& b) {
  std::vector<int64_t> above(b.size() + 1), row(b.size() + 1);
  for (const auto& unit : a) {
    for (size_t j = 0; j < b.size(); j++) {
      row[j + 1] = unit == b[j] ? above[j] + 1 : std::max(above[j + 1], row[j]);
    }
    std::swap(above, row);
  }
  return above.back();
}

}  // namespace

std::vector<std::string_view> tokenise(std::string_view text, Tokenise unit) {
  Units units;
  bool in_word = false;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    const size_t bytes = size_t(point.length);
    if (char_class(point.value) == CharClass::space) {
      in_word = false;
    } else if (in_word && unit == Tokenise::words) {
      units.back() = {units.back().data(), units.back().size() + bytes};
    } else {
      units.push_back(text.substr(at, bytes));
      in_word = true;
    }
    at += bytes;
  }
  return units;
}

Tokenise unit_of(std::span<const std::string> texts) {
  int64_t spaces = 0, bytes = 0;
  for (const std::string& text : texts) {
    spaces += std::count(text.begin(), text.end(), ' ');
    bytes += int64_t(text.size());
  }
  return spaces * 20 < bytes ? Tokenise::characters : Tokenise::words;
}

double bleu(std::span<const std::string> hypotheses, std::span<const std::string> references,
            Tokenise unit) {
  check_pairs(hypotheses.size(), references.size(), "bleu");
  constexpr size_t orders = 4;
  std::array<int64_t, orders> matches{}, ngrams{};
  int64_t hypothesis_length = 0, reference_length = 0;
  for (size_t i = 0; i < hypotheses.size(); i++) {
    const Units h = tokenise(hypotheses[i], unit), r = tokenise(references[i], unit);
    hypothesis_length += int64_t(h.size());
    reference_length += int64_t(r.size());
    for (size_t n = 0; n < orders; n++) {
      const NgramCounts counts = ngrams_of(h, n + 1);
      matches[n] += overlap(counts, ngrams_of(r, n + 1));
      ngrams[n] += total(counts);
    }
  }
  if (matches[0] == 0 || ngrams[orders - 1] == 0) return 0;

  double log_precision = 0, smoothing = 1;
  for (size_t n = 0; n < orders; n++) {
    const double matched = matches[n] > 0 ? double(matches[n]) : 1 / (smoothing *= 2);
    log_precision += std::log(matched / double(ngrams[n])) / orders;
  }
  const double brevity = std::min(0.0, 1.0 - double(reference_length) / double(hypothesis_length));
  return 100 * std::exp(log_precision + brevity);
}

Rouge rouge(std::span<const std::string> hypotheses, std::span<const std::string> references,
            Tokenise unit) {
  check_pairs(hypotheses.size(), references.size(), "rouge");
  Rouge mean;
  const double share = 1.0 / double(std::max<size_t>(1, hypotheses.size()));
  for (size_t i = 0; i < hypotheses.size(); i++) {
    const std::string hypothesis = rouge_text(hypotheses[i], unit);
    const std::string reference = rouge_text(references[i], unit);
    const Units h = tokenise(hypothesis, unit), r = tokenise(reference, unit);
    mean.rouge1 += share * rouge_n(h, r, 1);
    mean.rouge2 += share * rouge_n(h, r, 2);
    mean.rouge_l +=
        share * f_measure(longest_common_subsequence(h, r), int64_t(h.size()), int64_t(r.size()));
  }
  return mean;
}

double distinct_n(std::span<const std::string> texts, int n, Tokenise unit) {
  check(n > 0, "distinct_n", "expected n > 0, got {}", n);
  NgramCounts distinct;
  int64_t length = 0;
  for (const auto& text : texts) {
    const Units units = tokenise(text, unit);
    length += int64_t(units.size());
    count_ngrams(units, size_t(n), distinct);
  }
  return length == 0 ? 0.0 : double(distinct.size()) / double(length);
}

double repetition_rate(std::span<const std::string> texts, int n, Tokenise unit) {
  check(n > 0, "repetition_rate", "expected n > 0, got {}", n);
  double sum = 0;
  int64_t measured = 0;
  for (const auto& text : texts) {
    const NgramCounts counts = ngrams_of(tokenise(text, unit), size_t(n));
    if (counts.empty()) continue;
    sum += 1.0 - double(counts.size()) / double(total(counts));
    measured++;
  }
  return measured == 0 ? 0.0 : sum / double(measured);
}

double mean_length(std::span<const std::string> texts, Tokenise unit) {
  int64_t length = 0;
  for (const auto& text : texts) length += int64_t(tokenise(text, unit).size());
  return texts.empty() ? 0.0 : double(length) / double(texts.size());
}

double perplexity(double total_nll, int64_t tokens) {
  check(tokens > 0, "perplexity", "expected tokens > 0, got {}", tokens);
  return std::exp(total_nll / double(tokens));
}

}  // namespace rlhf
