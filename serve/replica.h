// A further process that answers with the promoted version of a server beside it: reads that
// server's database, follows its promotions, and writes nothing.
#pragma once

#include <memory>
#include <optional>

#include "serve/application.h"

namespace rlhf::serve {

class Replica {
 public:
  /// Of the options it takes what is about the policy and HTTP. @throws InputError when the data
  /// folder has no database or no promoted version.
  explicit Replica(const ApplicationOptions& options);
  ~Replica();

  const Policies& policies() const { return policies_; }
  uint16_t port() const { return server_->port(); }
  void stop(std::chrono::milliseconds drain);

 private:
  std::unique_ptr<store::Store> store_;
  http::Registry registry_;
  http::AccessLog log_{""};
  Policies policies_;
  Background background_;
  std::optional<http::Server> server_;
};

}  // namespace rlhf::serve
