// The word that was probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace connguard {

// "; did you mean 'settle'?" for the candidate that is nearest to `word`, or nothing when none is
// near: at most one edit (insert, delete, replace, swap neighbours) per three letters.
std::string DidYouMean(std::string_view word, std::span<const std::string> candidates);

}  // namespace connguard
