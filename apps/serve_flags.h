// The flags of `rlhf serve` and what they make.
#pragma once

#include <string>
#include <vector>

#include "apps/device_flags.h"
#include "apps/weight_flags.h"
#include "serve/application.h"

namespace rlhf {

class ServeFlags {
 public:
  ServeFlags() = default;
  ServeFlags(const ServeFlags&) = delete;  // flags are bound to the members
  ServeFlags& operator=(const ServeFlags&) = delete;

  void declare(Flags& flags);

  /// @throws InputError for what contradicts itself or is not there.
  serve::ApplicationOptions options() const;

  const std::string& prompts() const { return prompts_; }
  bool new_admin_token() const { return new_admin_token_; }
  bool read_only() const { return read_only_; }

 private:
  void declare_places(Flags& flags);
  void declare_answers(Flags& flags);
  void declare_comparisons(Flags& flags);
  void declare_learning(Flags& flags);
  void declare_privacy(Flags& flags);

  std::string model_, data_ = "runs/serve", runs_ = "runs", prompts_, scrub_names_;
  std::string method_ = "dpo";
  bool new_admin_token_ = false, read_only_ = false, scrub_ = false;
  int port_ = 8080;
  double rate_limit_ = 100;
  uint64_t seed_ = 1;
  serve::PolicyOptions policies_;
  serve::ComparisonSettings comparisons_;
  serve::LearnerOptions learning_;
  store::RetentionOptions retention_;
  int backups_ = 7;
  http::Options http_;
  WeightFlags weights_;
  DeviceFlags device_;
};

}  // namespace rlhf
