// Options of an environment as people type them, key=value, read under the names and with the
// defaults of the arguments of Gymnasium's make().
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf {

using EnvironmentOptions = std::map<std::string, std::string>;

class OptionReader {
 public:
  /// `id` is the environment's, for messages.
  OptionReader(std::string id, EnvironmentOptions options)
      : id_(std::move(id)), options_(std::move(options)) {}
  const std::string& id() const { return id_; }

  /// Each @throws InputError that names the option for what is not such a value.
  std::string text(const std::string& name, std::string otherwise);
  bool boolean(const std::string& name, bool otherwise);  ///< true or false, in any case; 1 or 0
  int64_t integer(const std::string& name, int64_t otherwise, int64_t least);
  double number(const std::string& name, double otherwise);  ///< finite
  /// Separated by commas, in round brackets or not.
  std::vector<double> numbers(const std::string& name, std::vector<double> otherwise);

  /// @throws InputError for an option that nobody has asked for, naming the nearest of those asked
  /// for, and all of them.
  void finish() const;

 private:
  std::optional<std::string> take(const std::string& name);
  [[noreturn]] void refuse(const std::string& name, std::string_view expected,
                           const std::string& got) const;

  std::string id_;
  EnvironmentOptions options_;
  std::vector<std::string> asked_;
};

}  // namespace rlhf
