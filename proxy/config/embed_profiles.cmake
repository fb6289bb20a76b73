# cmake -DPROFILES=a.yaml;b.yaml -DOUT=builtin_profiles.cc -P embed_profiles.cmake
# Writes the files' texts into a source file, so that the binary needs no files beside it.
set(rows "")
set(count 0)
foreach(file IN LISTS PROFILES)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND rows "    {\"${name}\", R\"yaml(${text})yaml\"},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUT} "// Generated from conf/profiles by embed_profiles.cmake.
#include <array>

#include \"config/profiles.h\"

namespace connguard {
namespace {

constexpr std::array<BuiltinProfile, ${count}> kProfiles{{
${rows}}};

}  // namespace

std::span<const BuiltinProfile> BuiltinProfiles() { return kProfiles; }

}  // namespace connguard
")
