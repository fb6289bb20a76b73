// What the demo's agent says.
#include "demo/answer.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace connguard::demo {
namespace {

constexpr std::array<std::string_view, 4> kTexts = {
    "While I am talking, my receive loop is blocked: I do not look at my socket until the answer "
    "is "
    "complete. If you leave now, I go on sending into a closed socket. The guard keeps my socket "
    "open until I am done, so I never notice that you were gone.",
    "I keep one session per user, and each session remembers its socket. When a send fails, nobody "
    "takes the dead socket out of the session, and your next connect trips over it. The guard lets "
    "me finish first and closes my socket properly, so the session is clean when you return.",
    "Proxies usually hang up on me the moment you hang up on them. That is exactly what breaks me. "
    "The guard does it the other way round: it reads my answer to the end on your behalf, says "
    "goodbye in good order, and only then lets your next connection through.",
    "A reconnect through the guard may take a few seconds, because the handshake is held until my "
    "old answer has ended. In exchange it works the first time and every time. Without the guard "
    "the reconnect is fast, and it fails, until someone restarts me.",
};

constexpr std::string_view kBlanks = " \t\r\n";

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = text.find_first_not_of(kBlanks); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(kBlanks, end);
  }
  return words;
}

}  // namespace

std::vector<std::string> AnswerTokens(std::string_view message) {
  const std::size_t count = Words(message).size();
  std::vector<std::string> tokens = {"You", " sent", " " + std::to_string(count),
                                     count == 1 ? " word." : " words."};
  for (const std::string_view word : Words(kTexts[message.size() % kTexts.size()])) {
    tokens.push_back(" " + std::string(word));
  }
  return tokens;
}

}  // namespace connguard::demo
