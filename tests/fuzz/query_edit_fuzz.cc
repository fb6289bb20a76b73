// Fuzzes what leaves a URL: what was taken out is gone, and nothing else is.
#include <cstdint>
#include <string>
#include <string_view>

#include "http/query_edit.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view target(reinterpret_cast<const char*>(data), size);
  const std::string edited = connguard::WithoutParameters(target, {"token"});
  CONNGUARD_REQUIRE(edited.size() <= target.size());
  CONNGUARD_REQUIRE(!connguard::FirstParameter(edited, "token"));
  if (!connguard::FirstParameter(target, "token")) CONNGUARD_REQUIRE(edited == target);
  CONNGUARD_REQUIRE(connguard::FirstParameter(edited, "user") ==
                    connguard::FirstParameter(target, "user"));
  CONNGUARD_REQUIRE(connguard::WithoutParameters(edited, {"token"}) == edited);

  connguard::RouteConfig route;
  route.lift = connguard::LiftConfig{.query = "token", .header = "X-Token"};
  const connguard::QueryEdit edit = connguard::EditQuery(target, route);
  CONNGUARD_REQUIRE(edit.refusal || edit.target == edited);
  if (edit.lifted) CONNGUARD_REQUIRE(!connguard::HasControl(edit.lifted->value));
  return 0;
}
