# Debian's archive of another release, for fetch-package and fetch-source, which source this file:
#   open_archive SUITE TYPE   TYPE is deb or deb-src; fills $work, $arch and the array $options
# The machine's own Debian sources are taken with only the suite replaced: its mirrors, proxies and keyrings
# are the ones that work here. Its packages, lists and pins are not touched, and no root is needed.

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

command -v apt-get >/dev/null || die "needs apt-get"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"  # apt downloads as a user of its own when it is started by root
readonly work

# Sources that are not Debian's own suites are left out.
derive_deb822() {
  awk -v own="$1" -v new="$2" -v type="$3" '
    BEGIN { RS = ""; FS = "\n" }
    {
      kept = ""; text = ""
      for (i = 1; i <= NF; i++) {
        line = $i
        if (line ~ /^#/) continue
        if (line ~ /^[Ss]uites:/) {
          sub(/^[^:]*:/, "", line)
          n = split(line, word, " ")
          for (j = 1; j <= n; j++)
            if (word[j] ~ ("^" own "(-updates|-security|/updates)?$")) {
              sub("^" own, new, word[j]); sub("/updates$", "-security", word[j])
              kept = kept " " word[j]
            }
          continue
        } else if (line ~ /^[Tt]ypes:/) {
          line = "Types: " type
        } else if (line ~ /^[Ss]igned-[Bb]y:.*\/debian-archive-/) {
          line = "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg"
        }
        text = text line "\n"
      }
      n = split(kept, word, " ")
      for (j = 1; j <= n; j++) print text "Suites: " word[j] "\n"
    }' "${@:4}"
}

derive_one_line() {
  awk -v own="$1" -v new="$2" -v type="$3" '
    $1 == "deb" {
      at = ($2 ~ /^\[/) ? 0 : 3
      for (i = 2; at == 0 && i <= NF; i++) if ($i ~ /\]$/) at = i + 2
      if ($at !~ ("^" own "(-updates|-security|/updates)?$")) next
      sub("^" own, new, $at); sub("/updates$", "-security", $at)
      gsub(/debian-archive-[a-z-]*\.gpg/, "debian-archive-keyring.gpg")
      $1 = type
      print
    }' "${@:4}"
}

# One file for each suite, in the order of the machine's own.
derive_sources() {
  local each='{ print > sprintf("%s/%02d-%02d.%s", folder, number, NR, kind) }' file number=0
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [[ -f $file ]] || continue
    number=$((number + 1))
    case $file in
      *.sources) derive_deb822 "$@" "$file" |
        awk -v folder="$work/sources" -v number=$number -v kind=sources "BEGIN { RS = \"\" } $each" ;;
      *.list) derive_one_line "$@" "$file" |
        awk -v folder="$work/sources" -v number=$number -v kind=list "$each" ;;
    esac
  done
}

# A machine without its security suite gets that of its mirror: what is built into a binary is to be the newest.
add_security() {
  local suite=$1 file
  ! grep -qrF -e "$suite-security" "$work/sources" || return 0
  for file in "$work"/sources/*; do
    sed -nE "s#(/debian)/?([[:space:]]|\$)#\1-security\2#; s#([[:space:]])$suite([[:space:]]|\$)#\1$suite-security\2#; p" \
      "$file" > "${file%/*}/security-${file##*/}"
  done
}

open_archive() {
  local own
  own=$(. /etc/os-release && echo "${VERSION_CODENAME:?no VERSION_CODENAME in /etc/os-release}")
  mkdir -p "$work"/{sources,lists/partial,cache/archives/partial,none,files}
  [[ $(id -u) != 0 ]] || chown _apt "$work/files"
  derive_sources "$own" "$@"
  add_security "$1"
  [[ -n $(ls "$work/sources") ]] || die "no Debian source for $own in /etc/apt/sources.list*"
  options=(
    -q
    -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/sources"
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$work/none"
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache"
    -o Acquire::Languages=none -o APT::Get::AllowUnauthenticated=false
  )
  arch=$(dpkg --print-architecture)
  # A source of another party that lacks the suite makes this fail; what counts is whether the package
  # can be had, and apt itself checks its signature chain and its SHA-256.
  apt-get "${options[@]}" update || true
}

# newest_revision NAME VERSION: that of the archive, or nothing.
newest_revision() {
  apt-cache "${options[@]}" madison "$1" |
    awk -F' *[|] *' -v v="$2" 'index($2, v "-") == 1 { print $2 }' | sort -V | tail -n 1
}

# move_into TO: what is in $work/root gets there. Builds that start at the same time must never see
# half a folder.
move_into() {
  local to=$1 near
  mkdir -p "$(dirname "$to")"
  near=$(mktemp -d "$to.XXXXXX")
  mv "$work/root" "$near/new"
  [[ ! -e $to ]] || mv "$to" "$near/old"
  mv -T "$near/new" "$to" || [[ -f $to/ORIGIN ]]
  rm -rf "$near"
  printf '%s: %s\n' "${0##*/}" "$(cat "$to/ORIGIN")"
}
