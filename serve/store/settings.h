// Values that survive a restart, by name: guidelines, settings of the learning, ...
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "serve/store/store.h"

namespace rlhf::store {

std::optional<nlohmann::json> setting(Store& store, std::string_view name);
void set_setting(Store& store, int64_t by, std::string_view name, const nlohmann::json& value);

}  // namespace rlhf::store
