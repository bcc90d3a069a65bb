#include "rl/run/step_log.h"

#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

using nlohmann::json;

int64_t step_of(const json& line, std::string_view where, std::string_view what) {
  if (!line.is_object()) {
    input_error(where, "expected an object of {}, got {}", what, json_kind(line));
  }
  const auto step = line.find("step");
  if (step == line.end()) input_error(where, "expected a \"step\", got none");
  // The parser has made every integer without a sign unsigned.
  if (!step->is_number_unsigned() || step->get<uint64_t>() > uint64_t(INT64_MAX)) {
    input_error(where, "expected a whole \"step\" of at least 0, got {}",
                escaped(step->dump(-1, ' ', true, json::error_handler_t::replace)));
  }
  return step->get<int64_t>();
}

}  // namespace

void parse_steps(std::string_view bytes, std::string_view source, std::string_view what,
                 const std::function<void(const StepLine&)>& visit) {
  const size_t end = bytes.rfind('\n') + 1;  // npos + 1 is 0: not one whole line
  int64_t number = 1;
  for (size_t at = 0; at < end; ++number) {
    const size_t begin = at;
    const json line = parse_json(next_line(bytes, at, source, number), source, number);
    const std::string where = fmt::format("{}:{}", source, number);
    const int64_t step = step_of(line, where, what);
    visit({step, line, where, bytes.substr(begin, at - begin)});
  }
}

std::string step_log_content(const std::filesystem::path& path) {
  std::error_code failure;
  return std::filesystem::is_empty(path, failure) && !failure ? "" : read_unchecked_text(path);
}

const std::filesystem::path& begin_step_log(const std::filesystem::path& path,
                                            std::optional<int64_t> resumed_step,
                                            const VisitSteps& parse) {
  std::string kept;
  if (resumed_step && std::filesystem::exists(path)) {
    parse(step_log_content(path), path.string(), [&](int64_t step, std::string_view text) {
      if (step <= *resumed_step) kept += text;
    });
  }
  atomic_write(path, kept);
  return path;
}

}  // namespace rlhf
