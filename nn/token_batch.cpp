#include "nn/token_batch.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace rlhf {

int64_t recurring_size(int64_t size, int64_t most) {
  constexpr uint64_t least_step = 16;
  const uint64_t step = std::max(least_step, std::bit_floor(uint64_t(size)) / 8);
  return std::min(most, int64_t((uint64_t(size) + step - 1) / step * step));
}

Padding Padding::on(Device device, int64_t rows, int64_t length) {
  return device == Device::cpu ? Padding{} : Padding{rows, length};
}

int64_t Padding::padded_rows(int64_t count) const {
  const int64_t quarter = std::max<int64_t>(1, (rows + 3) / 4);
  return std::max(count, std::min(rows, (count + quarter - 1) / quarter * quarter));
}

int64_t Padding::padded_length(int64_t count) const {
  return length > count ? recurring_size(count, length) : count;
}

TokenBatch pad_right(std::span<const Tokens> sequences, const Padding& padding) {
  const int64_t B = padding.padded_rows(int64_t(sequences.size()));
  int64_t T = 1;
  for (const Tokens& sequence : sequences) T = std::max(T, int64_t(sequence.size()));
  T = padding.padded_length(T);
  Tokens token(size_t(B * T), 0), position(size_t(B * T));
  for (size_t b = 0; b < sequences.size(); b++) {
    std::copy(sequences[b].begin(), sequences[b].end(), token.begin() + int64_t(b) * T);
  }
  for (int64_t b = 0; b < B; b++) {
    std::iota(position.begin() + b * T, position.begin() + (b + 1) * T, 0);
  }
  return {B, T, Tensor::from(token, {B, T}), Tensor::from(position, {B, T}), {}};
}

std::vector<PackedPlace> pack_places(std::span<const Tokens> documents, int64_t row_length) {
  std::vector<size_t> order(documents.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return documents[a].size() > documents[b].size(); });
  std::vector<PackedPlace> places(documents.size());
  std::vector<int64_t> used;
  for (size_t document : order) {
    const int64_t length = int64_t(documents[document].size());
    check(length >= 1 && length <= row_length, "pack", "expected 1 to {} tokens a document, got {}",
          row_length, length);
    const auto fits = [&](int64_t filled) { return filled + length <= row_length; };
    auto row = std::find_if(used.begin(), used.end(), fits);
    if (row == used.end()) row = used.insert(used.end(), 0);
    places[document] = {row - used.begin(), *row};
    *row += length;
  }
  return places;
}

TokenBatch pack(std::span<const Tokens> documents, std::span<const PackedPlace> places,
                int64_t row_length, const Padding& padding) {
  int64_t B = 0;
  for (const PackedPlace& place : places) B = std::max(B, place.row + 1);
  B = padding.padded_rows(B);
  const int64_t T = row_length;
  Tokens token(size_t(B * T), 0), position(size_t(B * T), 0);
  Tokens begin(size_t(B * T)), end(size_t(B * T));
  for (int64_t i = 0; i < B * T; i++) {  // an unfilled slot sees itself
    begin[i] = int32_t(i % T);
    end[i] = begin[i] + 1;
  }
  for (size_t d = 0; d < documents.size(); d++) {
    const int64_t first = places[d].row * T + places[d].begin;
    for (int64_t t = 0; t < int64_t(documents[d].size()); t++) {
      token[first + t] = documents[d][t];
      position[first + t] = int32_t(t);
      begin[first + t] = int32_t(places[d].begin);
    }
  }
  return {B,
          T,
          Tensor::from(token, {B, T}),
          Tensor::from(position, {B, T}),
          {Tensor::from(begin, {B, T}), Tensor::from(end, {B, T})}};
}

}  // namespace rlhf
