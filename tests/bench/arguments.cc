#include "bench/arguments.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <span>

namespace connguard::bench {
namespace {

constexpr int kUsageError = 64;

}  // namespace

Arguments::Arguments(int count, char** words, std::initializer_list<std::string_view> options) {
  const std::span<char*> all(words, static_cast<std::size_t>(count));
  for (std::size_t i = 1; i < all.size(); ++i) {
    const std::string_view word = all[i];
    if (!word.starts_with('-')) {
      if (!command_.empty()) throw std::invalid_argument("more than one command");
      command_ = word;
      continue;
    }
    if (std::ranges::find(options, word) == options.end()) {
      throw std::invalid_argument("unknown option " + std::string(word));
    }
    if (i + 1 == all.size()) throw std::invalid_argument(std::string(word) + " needs a value");
    values_[std::string(word)] = all[++i];
  }
  if (command_.empty()) throw std::invalid_argument("one command is needed");
}

std::string Arguments::Text(std::string_view option, std::string_view otherwise) const {
  const auto found = values_.find(option);
  return found == values_.end() ? std::string(otherwise) : found->second;
}

int RunProgram(std::string_view name, std::string_view usage, const std::function<int()>& run) {
  try {
    return run();
  } catch (const std::invalid_argument& error) {
    std::cerr << name << ": " << error.what() << "\n" << usage;
    return kUsageError;
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << "\n";
    return EXIT_FAILURE;
  }
}

}  // namespace connguard::bench
