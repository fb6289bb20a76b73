// The command line of the load generators: one command, and options that each have a value.
#pragma once

#include <charconv>
#include <functional>
#include <initializer_list>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace connguard::bench {

// Errors are std::invalid_argument.
class Arguments {
 public:
  // `options`: the names that are known, with their dashes.
  Arguments(int count, char** words, std::initializer_list<std::string_view> options);

  const std::string& command() const { return command_; }
  std::string Text(std::string_view option, std::string_view otherwise = {}) const;

  template <typename Number>
  Number Count(std::string_view option, Number otherwise) const {
    const auto found = values_.find(option);
    if (found == values_.end()) return otherwise;
    const std::string& text = found->second;
    Number number{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || stop != text.data() + text.size() || number < Number{}) {
      throw std::invalid_argument("not a number: " + text);
    }
    return number;
  }

 private:
  std::string command_;
  std::map<std::string, std::string, std::less<>> values_;
};

// The exit status of a program: that of `run`, or 64 and the usage when the command line was wrong,
// or 1 and what went wrong.
int RunProgram(std::string_view name, std::string_view usage, const std::function<int()>& run);

}  // namespace connguard::bench
