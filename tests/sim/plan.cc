// Random configurations.
#include "plan.h"

namespace connguard::sim {

Plan RollPlan(std::size_t key, Dice& dice) {
  Plan plan;
  plan.key = key;
  plan.on_conflict = dice.OneOf(
      {OnConflict::kTakeover, OnConflict::kTakeover, OnConflict::kReject, OnConflict::kShare});
  plan.mixed = dice.Percent(30);
  plan.wait = dice.OneOf({Millis{500}, Millis{5'000}, Millis{60'000}});
  plan.tunnel = {.on_drop = dice.Percent(80) ? OnDrop::kFinish : OnDrop::kClose,
                 .linger = dice.OneOf({Millis{0}, Millis{20}, Millis{50}}),
                 .handshake_timeout = dice.OneOf({Millis{1'000}, Millis{5'000}}),
                 .close_timeout = dice.OneOf({Millis{500}, Millis{5'000}}),
                 .settle = dice.OneOf({Millis{0}, Millis{100}}),
                 .barrier = dice.Percent(40)};
  plan.turn = {.end = dice.OneOf({TurnEnd::kMatch, TurnEnd::kEachAnswer, TurnEnd::kQuiet}),
               .quiet = Millis{0},
               .max = Millis{20'000},
               .window = static_cast<std::uint32_t>(dice.OneOf({0, 1, 4}))};
  if (plan.turn.end == TurnEnd::kQuiet) plan.turn.quiet = dice.OneOf({Millis{300}, Millis{2'000}});
  return plan;
}

}  // namespace connguard::sim
