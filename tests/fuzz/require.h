// What a fuzz target claims: a false claim stops it, with the claim in the output.
#pragma once

#include <cstdio>
#include <cstdlib>

#define CONNGUARD_REQUIRE(claim)                                               \
  do {                                                                         \
    if (!(claim)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim); \
      std::abort();                                                            \
    }                                                                          \
  } while (false)
