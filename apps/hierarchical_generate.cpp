#include "apps/hierarchical_generate.h"

#include <fmt/core.h>

#include "apps/terminal.h"

namespace rlhf {
namespace {

/// Calls f(name of the sub-task, first token, behind the last).
template <class F>
void for_each_segment(const Episode& episode, const LoadedHierarchicalPolicy& loaded, const F& f) {
  for (size_t s = 0; s < episode.segments.size(); s++) {
    f(loaded.hierarchy.subtasks[size_t(episode.segments[s].subtask)], episode.segments[s].begin,
      episode.end_of_segment(s));
  }
}

template <class T>
std::vector<T> part(const std::vector<T>& all, int64_t begin, int64_t end) {
  return {all.begin() + begin, all.begin() + end};
}

}  // namespace

std::vector<Episode> generate_segments(const LoadedHierarchicalPolicy& loaded,
                                       std::span<const Tokens> prompts, SamplingOptions sampling) {
  sampling.stop_tokens = loaded.stop_tokens;
  return respond(loaded.policy, prompts, sampling, loaded.hierarchy.shape);
}

std::string segments_text(const Episode& episode, const LoadedHierarchicalPolicy& loaded) {
  std::string text;
  for_each_segment(episode, loaded, [&](const std::string& name, int64_t begin, int64_t end) {
    text += dim(fmt::format("[{}]", escape_controls(name))) +
            escape_controls(loaded.tokenizer->decode(part(episode.response, begin, end)));
  });
  return text;
}

nlohmann::ordered_json segments_json(const Episode& episode,
                                     const LoadedHierarchicalPolicy& loaded) {
  nlohmann::ordered_json segments = nlohmann::ordered_json::array();
  for_each_segment(episode, loaded, [&](const std::string& name, int64_t begin, int64_t end) {
    const Tokens tokens = part(episode.response, begin, end);
    StreamDecoder decoder(*loaded.tokenizer);
    std::string text;
    for (const int32_t token : tokens) text += decoder.push(token);
    segments.push_back({{"subtask", name},
                        {"text", text + decoder.finish()},
                        {"tokens", tokens},
                        {"log_probs", part(episode.log_prob, begin, end)}});
  });
  return segments;
}

}  // namespace rlhf
