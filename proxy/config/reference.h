// What conf/connguard.yaml says of each key: the one source of `connguard reference` and of
// connguard.yaml(5), so that neither can say something else than the file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace connguard {

struct ReferenceKey {
  std::string path = {};   // routes[].session.wait
  std::string value = {};  // what stands beside it; empty where keys of its own follow
  bool required = false;
  bool presets = false;  // `value` is the default; else it is an example
  std::string preset =
      {};  // what holds without the key, in words or as `value`; empty: nothing to say
  std::string meaning = {};  // sentences, with `code` in them
  std::size_t line = 0;      // from 1
};

struct Reference {
  std::vector<std::string> introduction;  // paragraphs
  std::vector<ReferenceKey> keys;         // each once, section by section in the order of the file
};

// Reads a configuration in block style whose comments follow these rules: one is of the key that is
// directly below it, or beside it; it may begin with `Required` and end with `Default: …`; `#key:`,
// and what follows in its column, is a key that is off. The comment at the top is the introduction.
// A key that comes again adds to its meaning. Comments above a further item of a list are not of a
// key.
Reference ReadReference(std::string_view text);

}  // namespace connguard
