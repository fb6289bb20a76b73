// The parameters of a request, read strictly.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace connguard {

// Its text names the parameter and says what it may be.
class BadParameter : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Getters throw BadParameter when a value is wrong; Finish() when there is a parameter that nobody
// has asked for.
class Query {
 public:
  // `parts` as AdminRequest::query. Throws for a part without `=` and for a parameter that is there
  // twice.
  explicit Query(const std::vector<std::string>& parts);

  std::optional<std::string> Text(std::string_view name);
  std::uint64_t Number(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                       std::uint64_t most);
  // One of `words`.
  std::optional<std::string_view> Word(std::string_view name,
                                       std::span<const std::string_view> words);
  void Finish() const;

 private:
  struct Parameter {
    std::string name;
    std::string value;
    bool known = false;
  };
  std::vector<Parameter> parameters_;
};

}  // namespace connguard
