// How good and how varied generated text is, in the numbers that papers report: BLEU and ROUGE
// against references, diversity and repetition without any, and perplexity. Values equal those of
// the reference packages (sacrebleu, rouge_score), so that they can be compared with published
// ones.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf {

/// What counts as one unit of text: what stands between white space, or, for languages written
/// without spaces, each Unicode code point that is not white space.
enum class Tokenise { words, characters };

/// The units that fit some texts: characters where fewer than one byte in twenty is a space.
Tokenise unit_of(std::span<const std::string> texts);

/// The units of UTF-8 text as views into it; a byte that is not UTF-8 is a unit of its own.
std::vector<std::string_view> tokenise(std::string_view text, Tokenise unit);

/// Corpus BLEU-4 with one reference a hypothesis (Papineni et al. 2002, section 2.3), in [0, 100].
/// An order without a match is smoothed exponentially (Chen and Cherry 2014, method 3). Equal to
/// sacrebleu's corpus_bleu with tokenize="none" (words) or "char" (characters).
/// @throws Error unless there are as many hypotheses as references.
double bleu(std::span<const std::string> hypotheses, std::span<const std::string> references,
            Tokenise unit);

/// Mean F-measures in [0, 1].
struct Rouge {
  double rouge1 = 0;   ///< unigram overlap
  double rouge2 = 0;   ///< bigram overlap
  double rouge_l = 0;  ///< longest common subsequence of the whole text
};

/// ROUGE-1, -2 and -L (Lin 2004, sections 2 and 3), averaged over the pairs; no stemming. Equal to
/// the rouge_score package: words are the runs of [a-z0-9] of the lower-cased text, so Chinese
/// needs characters. A text without units scores 0, and so does an empty corpus.
/// @throws Error unless there are as many hypotheses as references.
Rouge rouge(std::span<const std::string> hypotheses, std::span<const std::string> references,
            Tokenise unit);

/// The number of different n-grams in all texts over the number of units in them (distinct-n, Li et
/// al. 2016, section 5.3); 0 without units.
double distinct_n(std::span<const std::string> texts, int n, Tokenise unit);

/// The mean over texts of 1 - different n-grams / n-grams (seq-rep-n, Welleck et al. 2020, section
/// 6.1; n = 4 there). Texts shorter than n units have nothing to repeat and are left out; 0 if none
/// is left.
double repetition_rate(std::span<const std::string> texts, int n, Tokenise unit);

/// Units a text; 0 without texts.
double mean_length(std::span<const std::string> texts, Tokenise unit);

/// exp(total_nll / tokens), from a sum of negative log-likelihoods in nats.
/// @throws Error unless tokens > 0.
double perplexity(double total_nll, int64_t tokens);

}  // namespace rlhf
