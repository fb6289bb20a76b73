// QuickConfig: two flags instead of a file.
#include "config/address.h"
#include "config/load.h"

namespace connguard {
namespace {

// The two addresses are put in afterwards: they need no quoting that way.
constexpr std::string_view kSkeleton = R"yaml(
version: 1
listeners:
  - {name: public, bind: "localhost:1"}
upstreams:
  - {name: upstream, url: "http://localhost:1"}
routes:
  - name: ws
    match: {path: "/ws/{user_id}"}
    upstream: upstream
    session: {key: "{path.user_id}"}
  - name: rest
    match: {path: "/**"}
    upstream: upstream
)yaml";

std::string WithScheme(const std::string& upstream) {
  const bool whole = upstream.find("://") != std::string::npos || upstream.starts_with("unix:");
  return whole ? upstream : "http://" + upstream;
}

}  // namespace

LoadResult QuickConfig(const std::string& listen, const std::string& upstream) {
  const std::string url = WithScheme(upstream);
  Parsed<Address> bind = ParseAddress(listen, true);
  Parsed<Address> address = ParseUpstreamUrl(url);
  LoadResult result;
  if (!bind) result.diagnostics.push_back({"--listen", 0, 0, bind.error});
  if (!address) result.diagnostics.push_back({"--upstream", 0, 0, address.error});
  if (!result.diagnostics.empty()) return result;

  const Environment no_variables = [](std::string_view) { return std::nullopt; };
  result = LoadConfigText(std::string(kSkeleton), "(built in)", no_variables, {});
  if (result.config) {
    result.config->listeners.front().bind = *std::move(bind.value);
    result.config->upstreams.front().url = url;
    result.config->upstreams.front().address = *std::move(address.value);
    if (IsHttps(url)) result.config->upstreams.front().tls.emplace();
  }
  return result;
}

}  // namespace connguard
