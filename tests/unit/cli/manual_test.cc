// The reference, the man pages and the completions have all that the program knows.
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/command_line.h"
#include "cli/completion.h"
#include "cli/man_page.h"
#include "cli/reference_page.h"
#include "cli/roff.h"

namespace connguard {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const CommandModel& CommandOf(const CommandModel& commands, const std::string& name) {
  return *std::ranges::find(commands.commands, name, &CommandModel::name);
}

const OptionModel& OptionOf(const CommandModel& command, const std::string& name) {
  return *std::ranges::find_if(command.options, [&](const OptionModel& option) {
    return std::ranges::find(option.names, name) != option.names.end();
  });
}

// A program of our own, small enough to be read as a whole.
CommandModel SmallProgram() {
  const OptionModel file{.names = {"-c", "--config"}, .value = "FILE", .help = "It's [the] file"};
  const OptionModel level{
      .names = {"--level"}, .value = "LEVEL", .words = {"low", "high"}, .help = "How much"};
  const OptionModel port{.names = {"--port"}, .value = "N", .preset = "1", .help = "Where: a port"};
  const OptionModel shell{
      .value = "SHELL", .words = {"bash", "zsh"}, .required = true, .help = "Which"};
  return {.name = "connguard",
          .help = "Guards",
          .options = {file},
          .commands = {{.name = "run", .help = "Run it", .options = {file, level, port}},
                       {.name = "say", .help = "Say it", .options = {shell}}}};
}

TEST(CommandModelTest, HasWhatHelpHas) {
  const CommandModel commands = DescribeCommandLine();
  EXPECT_EQ(commands.name, "connguard");
  EXPECT_TRUE(OptionOf(commands, "--validate").value.empty());
  EXPECT_TRUE(OptionOf(commands, "--version").value.empty());
  EXPECT_TRUE(OptionOf(commands, "--help").value.empty());
  const CommandModel run = CommandOf(commands, "run");
  EXPECT_EQ(run.help, "Run the guard (the default)");
  const OptionModel config = OptionOf(run, "-c");
  EXPECT_EQ(config.names, (std::vector<std::string>{"-c", "--config"}));
  EXPECT_EQ(config.value, "FILE");
  EXPECT_EQ(config.preset, "");
  EXPECT_EQ(config.help, "Configuration file (YAML)");
  EXPECT_EQ(OptionOf(run, "--workers").value, "N");
  EXPECT_EQ(OptionOf(run, "--watch").value, "");
  EXPECT_EQ(OptionOf(run, "--log-format").words,
            (std::vector<std::string>{"json", "logfmt", "text"}));
  EXPECT_EQ(OptionOf(CommandOf(commands, "drain"), "--admin").preset, "127.0.0.1:9180");
  EXPECT_EQ(OptionOf(CommandOf(commands, "drain"), "--token-file").value, "FILE");
  const CommandModel completion = CommandOf(commands, "completion");
  const auto shell = std::ranges::find_if(completion.options, IsPositional);
  ASSERT_NE(shell, completion.options.end());
  EXPECT_TRUE(shell->required);
  EXPECT_EQ(shell->words, (std::vector<std::string>{"bash", "zsh", "fish"}));
}

TEST(ReferencePageTest, IsATableBehindTheIntroduction) {
  const Reference reference{
      .introduction = {"Use `a*b` or *."},
      .keys = {{.path = "a", .value = "1", .required = true, .meaning = "A | b."},
               {.path = "s"},
               {.path = "s.b", .value = "2", .presets = true, .preset = "2", .meaning = "HS* $x."},
               {.path = "s.c", .value = "[x|y]", .preset = "any"}}};
  EXPECT_EQ(ReferenceAsMarkdown(reference),
            "Use `a*b` or \\*.\n\n"
            "| Key | Default | Meaning |\n|---|---|---|\n"
            "| `a` | *required* | A \\| b. Example: `1`. |\n"
            "| `s.b` | `2` | HS\\* \\$x. |\n"
            "| `s.c` | any | Example: `[x\\|y]`. |\n");
}

TEST(ReferencePageTest, KnowsTheConfiguration) {
  const std::string text = ReferenceAsMarkdown(ConfigurationReference());
  EXPECT_TRUE(Has(text, "| `routes[].session.settle` | `100ms` | "));
  EXPECT_TRUE(Has(text, "| `listeners[].tls` | none | TLS 1.2 and 1.3"));
  EXPECT_TRUE(Has(text, "| `listeners[].bind` | *required* | host:port"));
}

TEST(ManPageTest, TheFirstHasEveryCommandAndOption) {
  const CommandModel commands = DescribeCommandLine();
  const std::string page = ManPage("connguard", commands, {});
  for (const CommandModel& command : commands.commands) {
    EXPECT_TRUE(Has(page, ".SS \"" + RoffText(command.name) + "\"\n")) << command.name;
    for (const OptionModel& option : command.options) {
      EXPECT_TRUE(Has(page, RoffProse(option.help))) << option.help;
      for (const std::string& name : option.names) EXPECT_TRUE(Has(page, RoffBold(name))) << name;
    }
  }
  for (const OptionModel& option : commands.options) {
    EXPECT_TRUE(Has(page, RoffProse(option.help))) << option.help;
  }
  for (const char* part : {"\\fB64\\fR", "\\fB78\\fR", "\\fBSIGHUP\\fR", "NOTIFY_SOCKET",
                           "/etc/connguard/connguard.yaml", "One of \\fBdebug\\fR, \\fBinfo\\fR",
                           "Default: \\fB127.0.0.1:9180\\fR."}) {
    EXPECT_TRUE(Has(page, part)) << part;
  }
}

TEST(ManPageTest, TheSecondHasEveryKeyOfTheReference) {
  const Reference reference = ConfigurationReference();
  const std::string page = ManPage("connguard.yaml", {}, reference);
  int told = 0;
  for (const ReferenceKey& key : reference.keys) {
    if (!IsWorthTelling(key)) continue;
    EXPECT_TRUE(Has(page, ".TP\n" + RoffBold(key.path) + "\n")) << key.path;
    EXPECT_TRUE(Has(page, RoffProse(key.meaning))) << key.path;
    ++told;
  }
  EXPECT_GT(told, 100);
  EXPECT_TRUE(Has(page, "version: 1\nlisteners:\n"));
}

TEST(CompletionTest, BashKnowsFilesWordsAndCommands) {
  const std::string script = BashCompletion(SmallProgram());
  EXPECT_TRUE(Has(script, "            -c | --config | --level | --port)\n")) << script;
  EXPECT_TRUE(Has(script, "            run | say)\n")) << script;
  EXPECT_TRUE(Has(script, "        :-c|:--config | run:-c|run:--config)\n")) << script;
  EXPECT_TRUE(Has(script, "        run:--level)\n")) << script;
  EXPECT_TRUE(Has(script, "compgen -W 'low high'")) << script;
  EXPECT_TRUE(Has(script, "        run:--port)\n            return\n")) << script;
  EXPECT_TRUE(Has(script, "        '') words='run say' options='-c --config' ;;\n")) << script;
  EXPECT_TRUE(Has(script, "        say) words='bash zsh' options='' ;;\n")) << script;
}

TEST(CompletionTest, ZshKnowsFilesWordsAndCommands) {
  const std::string script = ZshCompletion(SmallProgram());
  EXPECT_TRUE(script.starts_with("#compdef connguard\n"));
  EXPECT_TRUE(Has(script, "    'run:Run it'\n")) << script;
  EXPECT_TRUE(Has(script, "'(-c --config)'{-c,--config=}'[It'\\''s \\[the\\] file]:FILE:_files'"))
      << script;
  EXPECT_TRUE(Has(script, "'(--level)'--level='[How much]:LEVEL:(low high)'")) << script;
  EXPECT_TRUE(Has(script, "'(--port)'--port='[Where\\: a port]:N: '")) << script;
  EXPECT_TRUE(Has(script, "'1:SHELL:(bash zsh)'")) << script;
}

TEST(CompletionTest, FishKnowsFilesWordsAndCommands) {
  const std::string script = FishCompletion(SmallProgram());
  const std::string bare = "-n 'not __fish_seen_subcommand_from run say'";
  const std::string run = "-n '__fish_seen_subcommand_from run'";
  EXPECT_TRUE(Has(script, "complete -c connguard " + bare + " -a run -d 'Run it'\n")) << script;
  EXPECT_TRUE(Has(script, run + " -s c -l config -r -F -d 'It\\'s [the] file'\n")) << script;
  EXPECT_TRUE(Has(script, run + " -l level -x -a 'low high' -d 'How much'\n")) << script;
  EXPECT_TRUE(Has(script, run + " -l port -x -d 'Where: a port'\n")) << script;
  EXPECT_TRUE(Has(script, " -a 'bash zsh' -d 'Which'\n")) << script;
}

TEST(CompletionTest, EachShellHasItsOwn) {
  const CommandModel commands = SmallProgram();
  EXPECT_EQ(Completion("bash", commands), BashCompletion(commands));
  EXPECT_EQ(Completion("zsh", commands), ZshCompletion(commands));
  EXPECT_EQ(Completion("fish", commands), FishCompletion(commands));
}

}  // namespace
}  // namespace connguard
