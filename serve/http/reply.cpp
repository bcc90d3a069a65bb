#include "serve/http/reply.h"

#include "core/check.h"
#include "serve/http/error.h"

namespace rlhf::http {

struct Reply::Shared {
  explicit Shared(std::shared_ptr<ReplyTarget> target) : target(std::move(target)) {}
  ~Shared() {
    if (target->answered()) return;
    try {
      target->respond(error_response(HttpError(500, "internal error; no answer was given")));
    } catch (const Error&) {  // answered in between
    }
  }
  const std::shared_ptr<ReplyTarget> target;
};

Reply::Reply(std::shared_ptr<ReplyTarget> target)
    : shared_(std::make_shared<Shared>(std::move(target))) {}

void Reply::respond(Response response) const { shared_->target->respond(std::move(response)); }

std::shared_ptr<EventStream> Reply::stream(Headers headers) const {
  return shared_->target->stream(std::move(headers));
}

bool Reply::answered() const { return shared_->target->answered(); }

bool Reply::gone() const { return shared_->target->gone(); }

void Reply::on_gone(std::function<void()> action) const {
  shared_->target->on_gone(std::move(action));
}

}  // namespace rlhf::http
