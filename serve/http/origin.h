// Against other web sites that make a visitor's browser talk to this server: the Host header must
// be a name of ours (a stranger's name that points to our address is DNS rebinding), and what
// changes something must come from our own pages.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/fields.h"

namespace rlhf::http {

class OriginRules {
 public:
  /// `listen`: the address listened on. Names of the own machine and `allowed` are always ours;
  /// where every address is listened on, so is each address as such, which needs no DNS.
  OriginRules(const std::string& listen, const std::vector<std::string>& allowed);

  /// @throws InputError when there is no Host, HttpError 421 when it is not ours.
  void check_host(const Fields& fields) const;

  /// For requests that change something. `by_cookie`: a browser signs them of itself, so that the
  /// browser must also say where they come from. @throws HttpError 403.
  void check_origin(const Fields& fields, bool by_cookie) const;

 private:
  std::set<std::string> names_;
  bool any_address_;
};

/// The name in "name", "name:8080", "[::1]:8080", in lower case; empty when it is none of these.
std::string host_name(std::string_view host);

/// "127.0.0.1", "::1": true of what needs no look-up.
bool is_address(const std::string& name);

}  // namespace rlhf::http
