// Words of the design that this version does not know yet: they deserve a better answer than a
// typing error does.
#pragma once

#include <string_view>

namespace connguard {

// `section` as `routes.session`; `word` is a key in it, or a value of it
// (`routes.session.on_drop`).
bool IsLaterKey(std::string_view section, std::string_view word);

}  // namespace connguard
