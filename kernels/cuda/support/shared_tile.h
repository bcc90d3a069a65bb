// A matrix of bf16 in shared memory, laid out so that neither 16-byte stores along rows nor the
// loads of tensor-core operands, plain or transposed, meet a bank twice.
#pragma once

#include "kernels/cuda/support/mma.h"

namespace rlhf::gpu {

/// Rows of `columns` elements in chunks of 8, 16 bytes, of which 8 fill all banks once. Chunks
/// trade places within aligned groups of `period`, so that the same chunk of any 8 consecutive rows
/// (from a multiple of 8) covers all banks:
///
///   columns = 64, row r: chunk c lies at c ^ r % 8          columns = 32: at c ^ r / 2 % 4
///
/// REQUIRES: data is aligned to 128 bytes.
template <int columns>
struct SharedTile {
  static_assert(columns % 16 == 0);
  static constexpr int chunk_size = 8;
  static constexpr int chunks = columns / chunk_size;
  /// The largest power of 2 up to 8 that divides `chunks`.
  static constexpr int period = chunks % 8 == 0 ? 8 : chunks % 4 == 0 ? 4 : 2;
  static constexpr int64_t size(int64_t rows) { return rows * columns; }

  bf16* data;

  __device__ bf16* chunk(int row, int chunk) const {
    const int turn = row / (8 / period) % period;
    return data + row * columns + (chunk ^ turn) * chunk_size;
  }
  __device__ bf16& at(int row, int column) const {
    return chunk(row, column / chunk_size)[column % chunk_size];
  }

  // Below, rows and columns are multiples of 16.

  /// A (16, 16) of the product, from rows [row, row + 16) and columns [column, column + 16).
  __device__ FragmentA a(int row, int column) const {
    FragmentA a;
    load_matrices(a.words, address(lane() % 16, row, lane() / 16, column / chunk_size));
    return a;
  }
  /// A (16, 16) that is the transpose of rows [row, row + 16), columns [column, column + 16).
  __device__ FragmentA a_transposed(int row, int column) const {
    FragmentA a;
    load_matrices<true>(
        a.words, address(lane() / 16 * 8 + lane() % 8, row, lane() / 8 % 2, column / chunk_size));
    return a;
  }
  /// Two B (16, 8) side by side: rows [row, row + 16), columns [column, column + 16).
  __device__ void b(FragmentB (&b)[2], int row, int column) const {
    uint32_t words[4];
    load_matrices<true>(words, address(lane() % 16, row, lane() / 16, column / chunk_size));
    b[0] = {words[0], words[1]}, b[1] = {words[2], words[3]};
  }
  /// Two B (16, 8) side by side whose transpose (two of (8, 16), one below the other) is rows
  /// [row, row + 16), columns [column, column + 16): products with a transposed matrix.
  __device__ void b_transposed(FragmentB (&b)[2], int row, int column) const {
    uint32_t words[4];
    load_matrices(words,
                  address(lane() / 16 * 8 + lane() % 8, row, lane() / 8 % 2, column / chunk_size));
    b[0] = {words[0], words[1]}, b[1] = {words[2], words[3]};
  }

 private:
  /// Of a chunk: of each pair, `lane_chunk` is what differs between lanes and the other what does
  /// not. Chunks trade places by the bits of the address, which data's alignment leaves free, not
  /// by an offset: a kernel that changes tiles then keeps one address, not one for each chunk.
  __device__ SharedAddress address(int lane_row, int row, int lane_chunk, int chunk) const {
    constexpr int row_bytes = columns * int(sizeof(bf16));
    const int turn = lane_row / (8 / period) % period;
    const SharedAddress start =
        shared_address(data) + SharedAddress(lane_row * row_bytes + ((lane_chunk ^ turn) * 16));
    return (start ^ SharedAddress(chunk % period * 16)) +
           SharedAddress(row * row_bytes + chunk / period * period * 16);
  }
};

}  // namespace rlhf::gpu
