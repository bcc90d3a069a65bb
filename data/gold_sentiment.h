// The judge of the demo corpus: what a text in its language means. It stands for the people of real
// feedback: it says which of two completions is better when preferences are collected, and, since
// no training stage ever sees it directly, whether learning from them has worked.
#pragma once

#include <string_view>

namespace rlhf {

/// What the judge thinks of any text, in (-1, 1); 0 is neutral.
///
/// Sums the valence of the sentiment words, then divides by 1 + their absolute sum.
///  - "not", "never", "nothing", ... turn the next sentiment word of the clause into a mild one of
///    the other sign.
///  - What is conceded ("although ... ," or all that stands before "but" or "however") counts 0.4.
///  - A word counts once on each side, so that saying it again gains nothing, and a text of which
///    more than half is repeated words is never above 0.
double gold_sentiment(std::string_view text);

/// gold_sentiment(text) > 0: a text without sentiment is not positive.
bool gold_positive(std::string_view text);

}  // namespace rlhf
