#include "cli/model_of.h"

namespace connguard {
namespace {

OptionModel ModelOf(const CLI::Option& option, const ValueWords& words) {
  OptionModel model{.required = option.get_required(), .help = option.get_description()};
  for (const std::string& name : option.get_snames()) model.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) model.names.push_back("--" + name);
  if (option.get_items_expected_max() > 0) {
    const std::string type = option.get_type_name();
    model.value = type.substr(0, type.find(':'));  // behind it CLI11 has its checks
    model.preset = option.get_default_str();
  }
  if (const auto found = words.find(model.value); found != words.end()) model.words = found->second;
  return model;
}

}  // namespace

CommandModel ModelOf(const CLI::App& app, const ValueWords& words) {
  CommandModel model{.name = app.get_name(), .help = app.get_description()};
  for (const CLI::Option* option : app.get_options())
    model.options.push_back(ModelOf(*option, words));
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    model.commands.push_back(ModelOf(*command, words));
  }
  return model;
}

}  // namespace connguard
