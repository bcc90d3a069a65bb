// What a run must remember to go on as if it had never stopped. Whoever holds state names it once,
//
//     void archive(StateArchive& a) { a.number("step", step_); a.tensor("first", first_); }
//
// and the same lines save it and bring it back, so that the two cannot disagree. Tensors go to
// optimizer.safetensors, numbers to trainer_state.json of a checkpoint's folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/safetensors.h"

namespace rlhf {

class StateArchive {
 public:
  virtual ~StateArchive() = default;
  virtual void number(const std::string& name, int64_t& value) = 0;
  virtual void number(const std::string& name, uint64_t& value) = 0;
  virtual void number(const std::string& name, double& value) = 0;  ///< NaN and infinity included
  virtual void numbers(const std::string& name, std::vector<double>& values) = 0;
  /// The elements of a tensor whose shape is known already, wherever it is.
  virtual void tensor(const std::string& name, const Tensor& tensor) = 0;
};

/// Something that names its state.
using Archive = std::function<void(StateArchive&)>;

inline constexpr std::string_view state_numbers_file = "trainer_state.json";
inline constexpr std::string_view state_tensors_file = "optimizer.safetensors";

/// Collects the state and writes it into a folder. A number is named once: a second one of that
/// name would take the place of the first. @throws Error for such a name.
class StateWriter final : public StateArchive {
 public:
  void number(const std::string& name, int64_t& value) override { put(name, value); }
  void number(const std::string& name, uint64_t& value) override { put(name, value); }
  void number(const std::string& name, double& value) override;
  void numbers(const std::string& name, std::vector<double>& values) override;
  void tensor(const std::string& name, const Tensor& tensor) override;

  /// Bytes of the tensors collected.
  int64_t tensor_bytes() const { return bytes_; }
  /// @throws Error when a tensor holds a value that is not finite: such a state is not worth
  /// keeping. @throws Error when the disk does not take it.
  void write(const std::filesystem::path& folder) const;

 private:
  void put(const std::string& name, nlohmann::ordered_json value);

  nlohmann::ordered_json numbers_ = nlohmann::ordered_json::object();
  std::vector<NamedTensor> tensors_;
  int64_t bytes_ = 0;
};

/// Reads both files of a folder and hands out what they hold.
/// Every function throws an InputError that names the file and what is missing or of another kind.
class StateReader final : public StateArchive {
 public:
  explicit StateReader(const std::filesystem::path& folder);
  void number(const std::string& name, int64_t& value) override;
  void number(const std::string& name, uint64_t& value) override;
  void number(const std::string& name, double& value) override;
  void numbers(const std::string& name, std::vector<double>& values) override;
  void tensor(const std::string& name, const Tensor& tensor) override;
  /// @throws InputError when something was saved that nobody has asked for.
  void finish() const;

 private:
  const nlohmann::json& take(const std::string& name);

  std::string numbers_source_, tensors_source_;
  std::map<std::string, nlohmann::json> numbers_;
  std::map<std::string, Tensor> tensors_;
};

/// The numbers of a trainer_state.json, by name: numbers, lists of numbers, or the words that stand
/// for what JSON has no number for. @throws InputError naming `source` and what is wrong.
std::map<std::string, nlohmann::json> parse_state_numbers(std::string_view text,
                                                          std::string_view source);

}  // namespace rlhf
