#include "data/near_duplicates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "core/check.h"
#include "core/unicode.h"
#include "data/normalise.h"
#include "kernels/philox.h"

namespace rlhf {
namespace {

constexpr int kHashes = 128;
using Shingles = std::vector<uint64_t>;  // hashes, ascending, each once
using Signature = std::array<uint64_t, kHashes>;

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection that spreads every bit.
uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

Shingles shingles_of(std::string_view text, const NearDuplicateOptions& options) {
  const std::string form = normalised(text, {.ignore_case = options.ignore_case});
  std::vector<uint64_t> points;
  for (size_t at = 0; at < form.size();) {
    const CodePoint point = code_point_at(form, at);
    points.push_back(uint64_t(point.value));
    at += size_t(point.length);
  }
  const size_t n = std::min(size_t(options.shingle), points.size());
  Shingles out;
  for (size_t i = 0; n > 0 && i + n <= points.size(); i++) {
    uint64_t hash = n;
    for (size_t k = 0; k < n; k++) hash = mixed(hash * 0x100000001B3 + points[i + k]);
    out.push_back(hash);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

double jaccard(const Shingles& a, const Shingles& b) {
  size_t shared = 0;
  for (size_t i = 0, k = 0; i < a.size() && k < b.size();) {
    if (a[i] == b[k])
      shared++, i++, k++;
    else if (a[i] < b[k])
      i++;
    else
      k++;
  }
  return double(shared) / double(a.size() + b.size() - shared);
}

Signature signature_of(const Shingles& shingles) {
  Signature out;
  for (int h = 0; h < kHashes; h++) {
    const PhiloxWords words = philox({uint32_t(h), 0, 0, 0}, 0x6D696E68, 0x61736865);
    const uint64_t key = uint64_t{words[0]} << 32 | words[1];
    uint64_t least = std::numeric_limits<uint64_t>::max();
    for (const uint64_t shingle : shingles) least = std::min(least, mixed(shingle ^ key));
    out[size_t(h)] = least;
  }
  return out;
}

/// Rows of a band: as many as still find a pair at the threshold, since long bands propose fewer
/// pairs in vain.
int rows_of_a_band(double threshold) {
  int rows = 1;
  for (int r = 2; r <= kHashes; r++) {
    if (1 - std::pow(1 - std::pow(threshold, r), kHashes / r) >= 0.99) rows = r;
  }
  return rows;
}

}  // namespace

std::vector<NearDuplicate> find_near_duplicates(std::span<const std::string> texts,
                                                const NearDuplicateOptions& options) {
  check(options.threshold > 0 && options.threshold <= 1 && options.shingle > 0, "near duplicates",
        "expected a threshold in (0, 1] and a shingle of at least 1, got {} and {}",
        options.threshold, options.shingle);
  const int rows = rows_of_a_band(options.threshold), bands = kHashes / rows;
  std::vector<Shingles> kept(texts.size());
  std::unordered_map<uint64_t, std::vector<int64_t>> buckets;
  std::vector<NearDuplicate> out;
  for (size_t i = 0; i < texts.size(); i++) {
    Shingles shingles = shingles_of(texts[i], options);
    if (shingles.empty()) continue;
    const Signature signature = signature_of(shingles);
    std::vector<uint64_t> keys;
    std::vector<int64_t> candidates;
    for (int band = 0; band < bands; band++) {
      uint64_t key = uint64_t(band);
      for (int r = 0; r < rows; r++) key = mixed(key ^ signature[size_t(band * rows + r)]);
      keys.push_back(key);
      const auto bucket = buckets.find(key);
      if (bucket == buckets.end()) continue;
      candidates.insert(candidates.end(), bucket->second.begin(), bucket->second.end());
    }
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    NearDuplicate nearest{int64_t(i), -1, 0};
    for (const int64_t candidate : candidates) {
      const double similarity = jaccard(shingles, kept[size_t(candidate)]);
      if (similarity >= options.threshold && similarity > nearest.similarity) {
        nearest.of = candidate;
        nearest.similarity = similarity;
      }
    }
    if (nearest.of >= 0) {
      out.push_back(nearest);
      continue;
    }
    for (const uint64_t key : keys) buckets[key].push_back(int64_t(i));
    kept[i] = std::move(shingles);
  }
  return out;
}

}  // namespace rlhf
