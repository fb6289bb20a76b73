// settle → barrier → Release.
#include "app/lease_end.h"

#include <utility>

#include "app/worker.h"

namespace connguard {

LeaseEnd::LeaseEnd(Worker& worker, std::shared_ptr<const Generation> generation, FenceClient fence,
                   Epoch epoch, const RouteConfig& route)
    : Session(worker, std::move(generation)),
      fence_(std::move(fence)),
      epoch_(epoch),
      route_(route),
      timer_([](void* self) noexcept { static_cast<LeaseEnd*>(self)->Tick(); }, this) {}

void LeaseEnd::Start() noexcept {
  worker_.loop().timers().Arm(timer_, worker_.now() + route_.session.settle);
}

void LeaseEnd::Tick() {
  if (settled_) {
    worker_.metrics().barrier_timeouts.Add();
    Release();
    return;
  }
  settled_ = true;
  if (!route_.session.barrier_path) {
    Release();
    return;
  }
  barrier_ = std::make_unique<Barrier>(worker_, *generation_, route_, [this] { Release(); });
  if (barrier_->Start()) {
    worker_.loop().timers().Arm(timer_, worker_.now() + route_.session.close_timeout);
  } else {
    Release();
  }
}

void LeaseEnd::Release() {
  worker_.loop().timers().Disarm(timer_);
  fence_.Release(epoch_);
  Retire();
}

}  // namespace connguard
