#include "tls/wire.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace connguard {
namespace {

Wire& WireOf(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

int Read(BIO* bio, char* buffer, int size) noexcept {
  BIO_clear_retry_flags(bio);
  Wire& wire = WireOf(bio);
  if (wire.stopped || size <= 0) {
    return -1;
  }
  if (wire.in.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const Bytes count = std::min(wire.in.size(), static_cast<Bytes>(size));
  std::memcpy(buffer, wire.in.data(), count);
  for (Bytes i = 0; i < count && wire.first_size < wire.first.size(); ++i) {
    wire.first[wire.first_size++] = wire.in[i];
  }
  wire.in = wire.in.subspan(count);
  return static_cast<int>(count);
}

int Write(BIO* bio, const char* bytes, int size) noexcept {
  BIO_clear_retry_flags(bio);
  ByteBuffer* out = WireOf(bio).out;
  if (out == nullptr || size <= 0) {
    return -1;
  }
  out->Append({reinterpret_cast<const std::uint8_t*>(bytes), static_cast<Bytes>(size)});
  return size;
}

long Control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) noexcept {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* NewMethod() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connguard");
  if (method == nullptr) {
    throw std::bad_alloc();
  }
  BIO_meth_set_read(method, Read);
  BIO_meth_set_write(method, Write);
  BIO_meth_set_ctrl(method, Control);
  return method;
}

}  // namespace

bool Wire::BeganWithHttp() const {
  const auto is_upper = [](std::uint8_t c) { return c >= 'A' && c <= 'Z'; };
  if (first_size < first.size() || !std::all_of(first.begin(), first.begin() + 3, is_upper)) {
    return false;
  }
  // `GET /`, `POST `, `OPTIO`, `HTTP/`
  return first[3] == ' ' ||
         (is_upper(first[3]) && (is_upper(first[4]) || first[4] == ' ' || first[4] == '/'));
}

BIO* NewWireBio(Wire* wire) {
  static BIO_METHOD* const kMethod = NewMethod();  // of the process: never freed
  BIO* bio = BIO_new(kMethod);
  if (bio == nullptr) {
    throw std::bad_alloc();
  }
  BIO_set_data(bio, wire);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace connguard
