#include "data/bpe_files.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/unicode.h"
#include "data/text_file.h"

namespace rlhf {

MergeReader::MergeReader(const Vocabulary& spelled) : is_special_(spelled.tokens.size()) {
  ids_.reserve(spelled.tokens.size());
  for (size_t id = 0; id < spelled.tokens.size(); id++) {
    ids_.emplace(spelled.tokens[id], static_cast<int32_t>(id));
  }
  for (const SpecialToken& special : spelled.specials) is_special_[special.id] = true;
}

int32_t MergeReader::ordinary_token(std::string_view spelling, std::string_view where) const {
  const auto found = ids_.find(spelling);
  if (found == ids_.end()) {
    input_error(where, "expected tokens of the vocabulary, got {}", quote(spelling));
  }
  if (is_special_[found->second]) {
    input_error(where, "expected merges of ordinary tokens, got the special token {}",
                quote(spelling));
  }
  return found->second;
}

void MergeReader::add(std::string_view left, std::string_view right, std::string_view where) {
  const std::string joined = std::string(left) + std::string(right);
  const Merge merge{ordinary_token(left, where), ordinary_token(right, where),
                    ordinary_token(joined, where)};
  if (std::exchange(seen_(merge.left, merge.right), true)) {
    input_error(where, "expected each pair once, got {} again",
                quote(fmt::format("{} {}", left, right)));
  }
  merges_.push_back(merge);
}

std::vector<Merge> parse_merges(std::string_view text, std::string_view source,
                                const Vocabulary& spelled) {
  MergeReader reader(spelled);
  int64_t line = 1;
  for (size_t at = 0; at < text.size(); line++) {
    const std::string_view content = next_line(text, at, source, line);
    if (content.empty() || (line == 1 && content.starts_with("#version"))) continue;
    const std::string where = fmt::format("{}:{}", source, line);
    const size_t space = content.find(' ');
    if (space == 0 || space == content.npos || space + 1 == content.size() ||
        content.find(' ', space + 1) != content.npos) {
      input_error(where, "expected two tokens separated by a space, got {}", quote(content));
    }
    reader.add(content.substr(0, space), content.substr(space + 1), where);
  }
  return reader.take();
}

std::string merges_text(const std::vector<std::string>& spellings,
                        const std::vector<Merge>& merges) {
  std::string text = "#version: 0.2\n";
  for (const Merge& merge : merges) {
    text += spellings[merge.left] + ' ' + spellings[merge.right] + '\n';
  }
  return text;
}

BpeTokenizer make_bpe(Vocabulary spelled, std::vector<Merge> merges, std::string_view source) {
  std::vector<bool> is_special(spelled.tokens.size());
  for (const SpecialToken& special : spelled.specials) is_special[special.id] = true;
  std::array<bool, 256> spelt{};
  for (size_t id = 0; id < spelled.tokens.size(); id++) {
    if (is_special[id]) continue;
    std::string& token = spelled.tokens[id];
    token = unspell(token, source);
    if (token.size() == 1) spelt[static_cast<uint8_t>(token[0])] = true;
  }
  if (const auto missing = std::find(spelt.begin(), spelt.end(), false); missing != spelt.end()) {
    input_error(source, "expected a token for each of the 256 bytes, found none for {}",
                quote(spell(std::string(1, static_cast<char>(missing - spelt.begin())))));
  }
  return BpeTokenizer(std::move(spelled), std::move(merges));
}

}  // namespace rlhf
