// Reader: one YAML file as a tree of values that know their place in the text.
#pragma once

#include <yaml-cpp/yaml.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/key_trace.h"
#include "config/load.h"

namespace connguard {

// A node and the place to point at when it is wrong: an empty value has none of its own, so its key
// stands in.
struct Value {
  YAML::Node node;
  YAML::Mark mark;
};

struct Entry {
  YAML::Node key;
  Value value;
};

// Reader turns YAML into plain texts and puts every complaint where it belongs. Nothing is thrown.
//
// Holds references: text, environment and diagnostics must outlive it. Not thread-safe.
class Reader {
 public:
  Reader(std::string file, const std::string& text, const Environment& env,
         std::vector<Diagnostic>& diagnostics, KeyTrace* trace);

  // The file's one document; nullopt after an error.
  std::optional<Value> Parse();

  void Error(const YAML::Mark& mark, const std::string& message);

  // A scalar with its variables replaced. `label` starts the message when it is not one.
  std::optional<std::string> Text(const Value& value, const std::string& label);

  // The items of a list that is not empty. `label` as above.
  std::vector<Value> Items(const Value& value, const std::string& label);
  // As Items, but an empty list is sound.
  std::vector<Value> ItemsOrNone(const Value& value, const std::string& label);

  // The pairs of a mapping, in order, duplicates included; what is no scalar key is reported.
  std::vector<Entry> Entries(const Value& value, const std::string& label);

  const std::string& file() const { return file_; }
  const Environment& env() const { return env_; }
  std::vector<Diagnostic>& diagnostics() { return diagnostics_; }
  KeyTrace* trace() { return trace_; }

 private:
  bool CheckBytes();
  void ErrorAt(std::size_t offset, const std::string& message);

  std::string file_;
  const std::string& text_;
  const Environment& env_;
  std::vector<Diagnostic>& diagnostics_;
  KeyTrace* trace_;
};

// "'x'" for messages.
std::string Quoted(std::string_view text);

}  // namespace connguard
