#include "tls/wire.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "tls/stream_state.h"

namespace connguard {
namespace {

// The queue of OpenSSL's errors is this thread's, and may hold what another stream has left.
void ClearErrors() {
  if (ERR_peek_error() != 0) {  // far cheaper
    ERR_clear_error();
  }
}

// nullptr outside of a call.
Wire* WireOf(BIO* bio) { return static_cast<Wire*>(BIO_get_data(bio)); }

long Control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) noexcept {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

struct BioEnd {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

}  // namespace

Wire::Wire(StreamState& stream, std::span<const std::uint8_t> in, ByteBuffer& out)
    : stream_(stream), in_(in), out_(out) {
  ClearErrors();
  BIO_set_data(SSL_get_rbio(stream.ssl.get()), this);
}

Wire::~Wire() {
  BIO_set_data(SSL_get_rbio(stream_.ssl.get()), nullptr);
  ClearErrors();
}

int Wire::Read(BIO* bio, char* buffer, int size) noexcept {
  BIO_clear_retry_flags(bio);
  Wire* const wire = WireOf(bio);
  if (wire == nullptr || wire->stream_.stopped || size <= 0) {
    return -1;
  }
  if (wire->in_.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::span<const std::uint8_t> taken =
      wire->in_.first(std::min(wire->in_.size(), static_cast<Bytes>(size)));
  std::memcpy(buffer, taken.data(), taken.size());
  wire->stream_.beginning.Add(taken);
  wire->in_ = wire->in_.subspan(taken.size());
  return static_cast<int>(taken.size());
}

int Wire::Write(BIO* bio, const char* bytes, int size) noexcept {
  BIO_clear_retry_flags(bio);
  Wire* const wire = WireOf(bio);
  if (wire == nullptr || size <= 0) {
    return -1;
  }
  wire->out_.Append({reinterpret_cast<const std::uint8_t*>(bytes), static_cast<Bytes>(size)});
  return size;
}

BIO_METHOD* Wire::NewMethod() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connguard");
  if (method == nullptr) {
    throw std::bad_alloc();
  }
  BIO_meth_set_read(method, Read);
  BIO_meth_set_write(method, Write);
  BIO_meth_set_ctrl(method, Control);
  return method;
}

BIO* WireBio() {
  static BIO_METHOD* const kMethod = Wire::NewMethod();  // of the process: never freed
  thread_local const std::unique_ptr<BIO, BioEnd> bio(BIO_new(kMethod));
  if (bio == nullptr || BIO_up_ref(bio.get()) != 1) {
    throw std::bad_alloc();
  }
  BIO_set_init(bio.get(), 1);
  return bio.get();
}

StreamState& StateOf(const SSL* ssl) { return WireOf(SSL_get_rbio(ssl))->stream_; }

}  // namespace connguard
