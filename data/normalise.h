// One spelling for texts that a person would call the same: what exact comparison is made of.
#pragma once

#include <string>
#include <string_view>

namespace rlhf {

struct Normalisation {
  bool ignore_case = false;  ///< Unicode's case folding
};

/// NFKC (Unicode Standard Annex 15: composed, width and ligature variants folded), runs of white
/// space as one space, none at the ends. For comparing only: what is written out stays as it was.
/// REQUIRES: UTF-8; other text is only squeezed.
std::string normalised(std::string_view text, const Normalisation& options = {});

}  // namespace rlhf
