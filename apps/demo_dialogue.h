// `rlhf demo --dialogues`: the data of docs/dialogue.md as files, and how good answers to it are.
#pragma once

#include <cstdint>
#include <filesystem>

namespace rlhf {

/// Writes <folder>/data/: documents.jsonl (text), sft.jsonl and sft_val.jsonl (messages),
/// pairs.jsonl and pairs_val.jsonl, prompts.jsonl and eval_prompts.jsonl. @returns the exit code.
int write_demo_dialogues(const std::filesystem::path& folder, uint64_t seed);

/// Reads rows of prompt and completion, as `rlhf generate --output_file` writes them, and prints
/// what their judge says of the last answers. @throws InputError
int judge_demo_dialogues(const std::filesystem::path& file);

}  // namespace rlhf
