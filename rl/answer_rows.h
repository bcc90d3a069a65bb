// A model's answers as rows that training commands read: beside a prompt of text a text, beside
// messages the assistant's message.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "data/rows.h"
#include "data/tokenizer.h"

namespace rlhf {

/// What tokens say, always UTF-8: bytes that belong to no character become U+FFFD.
std::string answer_text(const Tokenizer& tokenizer, std::span<const int32_t> tokens);

/// The prompt of a row (data/prompt_rows.h): text, or a list of messages.
nlohmann::ordered_json prompt_json(const Row& row);

/// An answer as it stands beside such a prompt.
nlohmann::ordered_json answer_json(const nlohmann::ordered_json& prompt, const std::string& text);

}  // namespace rlhf
