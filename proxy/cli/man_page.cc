// Headings and the facts that no table has: signals, files, variables.
#include "cli/man_page.h"

#include <algorithm>
#include <span>

#include "cli/command_line.h"
#include "cli/reference_page.h"
#include "cli/roff.h"
#include "config/conf_files.h"

namespace connguard {
namespace {

struct Fact {
  std::string_view head;  // in bold
  std::string_view text;
};

struct StatusRow {
  ExitStatus status;
  std::string_view text;
};

constexpr StatusRow kStatuses[] = {
    {ExitStatus::kOk, "All is well; of a guard: it was stopped, and nothing else."},
    {ExitStatus::kRuntime, "It could not start, failed, or is not ready."},
    {ExitStatus::kUsage, "The command line is wrong."},
    {ExitStatus::kConfiguration, "The configuration is wrong, or cannot be read."},
};

constexpr Fact kSignals[] = {
    {"SIGTERM, SIGINT",
     "Drain: nobody new, and every client is ended between two turns, in `shutdown.drain` at the "
     "longest. A second one cuts what is left, a third one ends the process at once."},
    {"SIGHUP",
     "Read the configuration and its files again. What is not sound changes nothing, and is told "
     "in the log."},
};

constexpr Fact kVariables[] = {
    {"any",
     "Values of the configuration take variables as `${NAME}` and `${NAME:-default}`; see "
     "connguard.yaml(5)."},
    {"NOTIFY_SOCKET, WATCHDOG_USEC",
     "Set by systemd: it is told when the guard is ready, reloads and stops, and that it is "
     "alive."},
};

constexpr Fact kFiles[] = {
    {"/etc/connguard/connguard.yaml", "What the service of the package reads."},
    {"/etc/connguard/profiles/",
     "Turn profiles by name; they go before the built-in ones of the same name."},
};

constexpr Fact kExamples[] = {
    {"connguard --listen 0.0.0.0:8080 --upstream http://127.0.0.1:1865",
     "A guard without a file: what is below /ws/ is fenced by its user."},
    {"connguard check -c connguard.yaml", "Every error at once, with its line and column."},
    {"connguard -c connguard.yaml --watch", "A guard that follows the changes of its file."},
    {"connguard drain --wait", "Stop it between two turns, and wait until it has gone."},
    {"connguard demo", "See it at work in front of a built-in agent: http://127.0.0.1:8080/."},
};

RoffPage NewPage(std::string_view title, int section, std::string_view volume) {
  return {title, section, CONNGUARD_DATE, "connguard " CONNGUARD_VERSION, volume};
}

void AddFacts(RoffPage& page, std::string_view title, std::span<const Fact> facts) {
  page.Section(title);
  for (const Fact& fact : facts) page.Entry(RoffBold(fact.head), RoffProse(fact.text));
}

// -c, --config FILE
std::string Head(const OptionModel& option) {
  std::string head;
  for (const std::string& name : option.names) {
    head += (head.empty() ? "" : ", ") + RoffBold(name);
  }
  if (option.value.empty()) return head;
  return head + (head.empty() ? "" : " ") + RoffItalic(option.value);
}

// [-c FILE]
std::string Short(const OptionModel& option) {
  std::string text;
  if (!option.names.empty()) text = RoffBold(option.names.front());
  if (!option.value.empty()) text += (text.empty() ? "" : "\\ ") + RoffItalic(option.value);
  return option.required ? text : "[" + text + "]";
}

bool IsHelp(const OptionModel& option) {
  return std::ranges::find(option.names, "--help") != option.names.end();
}

void AddOption(RoffPage& page, const OptionModel& option) {
  std::string text = RoffProse(option.help) + ".";
  const bool told = std::ranges::all_of(option.words, [&](const std::string& word) {
    return option.help.find(word) != std::string::npos;
  });
  if (!told) {
    std::string words;
    for (const std::string& word : option.words) {
      words += (words.empty() ? "" : ", ") + RoffBold(word);
    }
    text += " One of " + words + ".";
  }
  if (!option.preset.empty()) text += " Default: " + RoffBold(option.preset) + ".";
  page.Entry(Head(option), text);
}

void AddSynopsis(RoffPage& page, const CommandModel& commands) {
  page.Section("SYNOPSIS");
  for (const CommandModel& command : commands.commands) {
    std::string line = RoffBold(commands.name + " " + command.name);
    for (const OptionModel& option : command.options) {
      if (!IsHelp(option)) line += " " + Short(option);
    }
    page.Line(line);
    page.Break();
  }
  page.Line(RoffBold(commands.name) + " " + RoffBold("--help") + " | " + RoffBold("--version"));
}

void AddCommand(RoffPage& page, const CommandModel& command) {
  page.Subsection(command.name);
  page.Line(RoffProse(command.help) + ".");
  for (const OptionModel& option : command.options) {
    if (!IsHelp(option)) AddOption(page, option);
  }
}

// The options that stand without a command and are not those of `run`.
void AddOptions(RoffPage& page, const CommandModel& commands) {
  page.Section("OPTIONS");
  page.Line(RoffProse("Without a command, those of `run`, and:"));
  const CommandModel* run = nullptr;
  for (const CommandModel& command : commands.commands) {
    if (command.name == "run") run = &command;
  }
  for (const OptionModel& option : commands.options) {
    const bool known =
        run != nullptr && !IsHelp(option) &&
        std::ranges::find(run->options, option.names, &OptionModel::names) != run->options.end();
    if (!known) AddOption(page, option);
  }
}

// How the default is told in front of a key's meaning.
std::string About(const ReferenceKey& key) {
  std::string text;
  if (key.required) {
    text = "Required.";
  } else if (!key.preset.empty()) {
    text = "Default: " + (key.presets ? RoffBold(key.preset) : RoffProse(key.preset)) + ".";
  }
  if (!key.meaning.empty()) text += (text.empty() ? "" : " ") + RoffProse(key.meaning);
  if (!key.presets && !key.value.empty()) {
    text += (text.empty() ? "Example: " : " Example: ") + RoffBold(key.value) + ".";
  }
  return text;
}

}  // namespace

std::string CommandManPage(const CommandModel& commands) {
  RoffPage page = NewPage("CONNGUARD", 1, "User Commands");
  page.Section("NAME");
  page.Line(RoffText(commands.name + " - " + commands.help));
  AddSynopsis(page, commands);
  page.Section("DESCRIPTION");
  page.Line(RoffProse(
      "connguard stands in front of an unmodified agent backend, with unmodified clients. When a "
      "client drops in mid-turn, its upstream connection stays open until the turn has ended, and "
      "is "
      "then closed by a proper handshake. At most one upstream session per user is live: the "
      "user's "
      "next connect waits in its handshake until the old session is over. Everything else passes "
      "as it came."));
  page.Section("COMMANDS");
  for (const CommandModel& command : commands.commands) AddCommand(page, command);
  AddOptions(page, commands);
  page.Section("EXIT STATUS");
  for (const StatusRow& row : kStatuses) {
    page.Entry(RoffBold(std::to_string(static_cast<int>(row.status))), RoffProse(row.text));
  }
  AddFacts(page, "SIGNALS", kSignals);
  AddFacts(page, "ENVIRONMENT", kVariables);
  AddFacts(page, "FILES", kFiles);
  AddFacts(page, "EXAMPLES", kExamples);
  page.Section("SEE ALSO");
  page.Line(RoffBold("connguard.yaml") + "(5)");
  return page.text();
}

std::string ConfigurationManPage(const Reference& reference) {
  RoffPage page = NewPage("CONNGUARD.YAML", 5, "File Formats");
  page.Section("NAME");
  page.Line(RoffText("connguard.yaml - configuration of connguard"));
  page.Section("DESCRIPTION");
  bool first = true;
  for (const std::string& paragraph : reference.introduction) {
    first ? page.Line(RoffProse(paragraph)) : page.Paragraph(RoffProse(paragraph));
    first = false;
  }
  page.Section("KEYS");
  page.Line(RoffProse("`[]` stands for each item of a list."));
  for (const ReferenceKey& key : reference.keys) {
    if (IsWorthTelling(key)) page.Entry(RoffBold(key.path), About(key));
  }
  page.Section("EXAMPLE");
  page.Line("The least that it takes:");
  page.Example(FindConfFile("minimal.yaml").value_or(""));
  page.Section("SEE ALSO");
  page.Line(RoffBold("connguard") + "(1)");
  return page.text();
}

std::string ManPage(std::string_view page, const CommandModel& commands,
                    const Reference& reference) {
  return page == kManPages[0] ? CommandManPage(commands) : ConfigurationManPage(reference);
}

}  // namespace connguard
