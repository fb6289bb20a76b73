// Holds JSON to the part of JSON Schema that openapi.json uses.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace connguard {

class SchemaCheck {
 public:
  // `document`: where `$ref`s point into. Outlives this object.
  explicit SchemaCheck(const nlohmann::ordered_json& document) : document_(document) {}

  // What is wrong with `value`; empty: nothing. Stricter than JSON Schema: a property that the
  // schema does not name is an error, and so is a keyword that this class does not know.
  std::vector<std::string> Check(const nlohmann::ordered_json& value,
                                 const nlohmann::ordered_json& schema);

 private:
  using Json = nlohmann::ordered_json;

  const Json& Resolve(const Json& schema) const;
  void Visit(const Json& value, const Json& schema, const std::string& where);
  void VisitObject(const Json& value, const Json& schema, const std::string& where);
  void VisitNumber(const Json& value, const Json& schema, const std::string& where);
  void VisitArray(const Json& value, const Json& schema, const std::string& where);
  bool Matches(const Json& value, const Json& schema) const;
  void CollectNames(const Json& schema, std::vector<std::string>& names) const;
  void Complain(const std::string& where, const std::string& what);

  const Json& document_;
  std::vector<std::string> complaints_;
};

}  // namespace connguard
