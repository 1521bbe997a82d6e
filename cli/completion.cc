#include <stdio.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/flags.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Prints what a shell needs to complete commands, flags and drivers. It "
    "asks "
    "the\n"
    "program itself whenever it completes, so that it is never out of date.";

constexpr char kExamples[] =
    "  source <(./atsfuzz completion bash)           # in ~/.bashrc\n"
    "  source <(./atsfuzz completion zsh)            # in ~/.zshrc\n"
    "  ./atsfuzz completion fish | source            # in config.fish\n";

// Bash splits words at '=' and ':' and replaces what stands behind the last.
constexpr char kBash[] = R"sh(_atsfuzz() {
  local line=${COMP_LINE:0:COMP_POINT} program=${COMP_WORDS[0]} names
  local word=${line##*[[:space:]]}
  COMPREPLY=()
  case $COMP_CWORD:$word in
  1:*)
    names=$("$program" --help 2>/dev/null |
      sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
    ;;
  *:--driver=*)
    names=$("$program" drivers 2>/dev/null |
      sed -n 's/^ *\(\(linux\|model\):[^ ]*\).*/--driver=\1/p')
    ;;
  *:--*=*)
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "${word#*=}")
    return
    ;;
  *:-*)
    names=$("$program" "${COMP_WORDS[1]}" --help 2>/dev/null |
      sed -n 's/^  \(--[a-z-]*=\{0,1\}\).*/\1/p')
    ;;
  *)
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    return
    ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
  [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
  COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*[=:]}"}"}")
}
complete -F _atsfuzz atsfuzz ./atsfuzz
)sh";

constexpr char kZsh[] = R"sh(_atsfuzz() {
  local -a names
  if ((CURRENT == 2)); then
    names=(${(f)" $(
    "$words[1]" --help 2 > / dev / null |
    sed - n '/^commands:/,/^$/s/^  \([a-z]*\)  *\(.*\)/\1:\2/p') "})
    _describe command names elif [[$words [CURRENT] == --driver = *]]; then
    names=(${(f)"$("$words[1]" drivers 2>/dev/null |
      sed -n 's/^ *\(\(linux\|model\):[^ ]*\).*/--driver=\1/p')"})
    compadd -a names
  elif [[ $words[CURRENT] == *=* ]];
  then compset - P '*=' _files elif [[$words [CURRENT] == -*]]; then
    names=(${(f)"$("$words[1]" "$words[2]" --help 2>/dev/null |
      sed -n 's/^  \(--[a-z-]*=\{0,1\}\).*/\1/p')"})
    compadd -S '' -a names
  else
    _files
  fi
}
compdef _atsfuzz atsfuzz ./atsfuzz
)sh";

constexpr char kFish[] = R"sh(function __atsfuzz_commands
  eval (commandline -opc)[1] --help 2>/dev/null |
    sed -n '/^commands:/,/^$/s/^  \([a-z]*\)  *\(.*\)/\1\t\2/p'
end
function __atsfuzz_flags
  set -l words (commandline -opc)
  eval $words[1] $words[2] --help 2>/dev/null |
    sed -n 's/^  \(--[a-z-]*=\{0,1\}\)[^ ]*  *\(.*\)/\1\t\2/p'
end
complete -c atsfuzz -n __fish_use_subcommand -f -a '(__atsfuzz_commands)'
complete -c atsfuzz -n 'not __fish_use_subcommand' -a '(__atsfuzz_flags)'
)sh";

}  // namespace

int Completion(const std::vector<std::string>& arguments) {
  Flags flags("completion bash|zsh|fish", kAbout, kExamples);
  const auto rest = flags.Parse(arguments);
  if (!rest.ok()) return Fail(rest.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  const std::string shell = rest->size() == 1 ? rest->front() : "";
  const char* script = shell == "bash"   ? kBash
                       : shell == "zsh"  ? kZsh
                       : shell == "fish" ? kFish
                                         : nullptr;
  if (script == nullptr) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("completion needs the name of a shell: bash, zsh or fish",
                     shell.empty() ? "" : ", found ", shell)));
  }
  fputs(script, stdout);
  return kClean;
}

}  // namespace atsfuzz::cli
