// A model that only generates or is measured, with its weights in fewer bits: decoding one sequence
// takes as long as reading them, so that bf16 is close to twice as fast as float and int8 to four
// times (weights alone, as llama.cpp's Q8_0 and PyTorch's int8 weight-only quantisation).
#pragma once

#include "nn/gpt2.h"

namespace rlhf {

/// Gives the blocks' matrices, the token embedding and a head apart from it the elements of
/// `dtype`, bf16 or i8 (core/narrow_matrix.h), and lets the floats go, one matrix after the other;
/// a tied embedding stays one copy. Norms, biases and positions stay as they are. Adapters are
/// merged before. What remains can be read from, not trained nor saved.
/// @throws InputError when a weight is not finite. REQUIRES: parameters of f32.
void narrow_weights(Gpt2& model, DType dtype);

}  // namespace rlhf
