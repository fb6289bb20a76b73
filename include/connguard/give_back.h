// GiveBack: empties a container and frees what it had.
#pragma once

namespace connguard {

// `container = {}` does not: an empty list is assigned, which keeps the capacity.
template <typename Container>
void GiveBack(Container& container) {
  Container().swap(container);
}

}  // namespace connguard
