// Holds JSON to the part of JSON Schema that openapi.json uses.
#include "schema_check.h"

#include <algorithm>
#include <regex>
#include <set>
#include <string_view>

namespace connguard {
namespace {

using Json = nlohmann::ordered_json;

const std::set<std::string_view> kKnown{
    "type",        "enum",     "required", "properties",
    "items",       "allOf",    "oneOf",    "additionalProperties",
    "minimum",     "minItems", "maxItems", "format",
    "description", "examples", "$ref",     "x-events"};

bool IsOfType(const Json& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  return type == "null" && value.is_null();
}

bool IsOfTypes(const Json& value, const Json& types) {
  if (types.is_string()) return IsOfType(value, types.get<std::string>());
  return std::ranges::any_of(
      types, [&](const Json& type) { return IsOfType(value, type.get<std::string>()); });
}

}  // namespace

std::vector<std::string> SchemaCheck::Check(const Json& value, const Json& schema) {
  complaints_.clear();
  Visit(value, schema, "");
  return complaints_;
}

void SchemaCheck::Complain(const std::string& where, const std::string& what) {
  complaints_.push_back((where.empty() ? "/" : where) + ": " + what);
}

const Json& SchemaCheck::Resolve(const Json& schema) const {
  if (!schema.contains("$ref")) return schema;
  const auto target = schema["$ref"].get<std::string>();
  return document_.at(Json::json_pointer(target.substr(1)));
}

bool SchemaCheck::Matches(const Json& value, const Json& schema) const {
  SchemaCheck other(document_);
  return other.Check(value, schema).empty();
}

// The properties that a schema names, those of its allOf included.
void SchemaCheck::CollectNames(const Json& schema, std::vector<std::string>& names) const {
  const Json& whole = Resolve(schema);
  if (whole.contains("properties")) {
    for (const auto& [name, unused] : whole["properties"].items()) names.push_back(name);
  }
  if (!whole.contains("allOf")) return;
  for (const Json& part : whole["allOf"]) CollectNames(part, names);
}

void SchemaCheck::Visit(const Json& value, const Json& reference, const std::string& where) {
  const Json& schema = Resolve(reference);
  for (const auto& [keyword, unused] : schema.items()) {
    if (!kKnown.contains(keyword)) Complain(where, "unknown keyword " + keyword);
  }
  if (schema.contains("type") && !IsOfTypes(value, schema["type"])) {
    Complain(where, "is no " + schema["type"].dump() + " but " + value.dump());
    return;
  }
  if (schema.contains("enum") && std::ranges::find(schema["enum"], value) == schema["enum"].end()) {
    Complain(where, value.dump() + " is none of " + schema["enum"].dump());
  }
  if (schema.contains("oneOf")) {
    const auto count = std::ranges::count_if(
        schema["oneOf"], [&](const Json& choice) { return Matches(value, choice); });
    if (count != 1) Complain(where, "matches " + std::to_string(count) + " of oneOf");
    return;
  }
  if (value.is_object()) VisitObject(value, schema, where);
  if (value.is_array()) VisitArray(value, schema, where);
  if (value.is_number()) VisitNumber(value, schema, where);
  static const std::regex kTime(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)");
  if (value.is_string() && schema.value("format", "") == "date-time" &&
      !std::regex_match(value.get<std::string>(), kTime)) {
    Complain(where, value.dump() + " is no time");
  }
}

void SchemaCheck::VisitObject(const Json& value, const Json& schema, const std::string& where) {
  std::vector<const Json*> parts{&schema};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i]->contains("allOf")) continue;
    for (const Json& part : (*parts[i])["allOf"]) parts.push_back(&Resolve(part));
  }
  std::vector<std::string> names;
  CollectNames(schema, names);
  for (const Json* part : parts) {
    const Json required = part->value("required", Json::array());
    for (const Json& name : required) {
      if (!value.contains(name.get<std::string>())) Complain(where, "lacks " + name.dump());
    }
    const Json properties = part->value("properties", Json::object());
    for (const auto& [name, property] : properties.items()) {
      if (value.contains(name)) Visit(value[name], property, where + "/" + name);
    }
  }
  for (const auto& [name, member] : value.items()) {
    if (std::ranges::find(names, name) != names.end()) continue;
    if (schema.contains("additionalProperties")) {
      Visit(member, schema["additionalProperties"], where + "/" + name);
    } else if (!names.empty()) {
      Complain(where, "says " + name + ", which nobody told of");
    }
  }
}

void SchemaCheck::VisitNumber(const Json& value, const Json& schema, const std::string& where) {
  if (schema.contains("minimum") && value < schema["minimum"]) {
    Complain(where, value.dump() + " is too small");
  }
}

void SchemaCheck::VisitArray(const Json& value, const Json& schema, const std::string& where) {
  if (value.size() < schema.value("minItems", std::size_t{0}) ||
      value.size() > schema.value("maxItems", value.size())) {
    Complain(where, "has " + std::to_string(value.size()) + " items");
  }
  for (std::size_t i = 0; schema.contains("items") && i < value.size(); ++i) {
    Visit(value[i], schema["items"], where + "/" + std::to_string(i));
  }
}

}  // namespace connguard
