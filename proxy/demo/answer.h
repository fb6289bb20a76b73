// What the demo's agent says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace connguard::demo {

// The answer to `message`, token by token: between 45 and 60 tokens, whatever the message's length.
// The same message gets the same answer. No part of the message is repeated.
std::vector<std::string> AnswerTokens(std::string_view message);

}  // namespace connguard::demo
