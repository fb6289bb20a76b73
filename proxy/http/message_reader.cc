// MessageReader over Boost.Beast's parser. The only file that knows Beast.
#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <limits>

#include "http/head_rules.h"
#include "http/head_scan.h"
#include "http/message.h"
#include "http/text.h"

namespace connguard {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

std::optional<Refusal> Check(const RequestHead& head) { return CheckRequest(head); }
std::optional<Refusal> Check(const ResponseHead& head) { return CheckResponse(head); }

template <typename Head>
constexpr bool kIsRequest = std::is_same_v<Head, RequestHead>;

constexpr std::string_view kCrlf = "\r\n";

std::string ToString(beast::string_view text) { return {text.data(), text.size()}; }

// Beast's callbacks: stores the head; of the body it only notes what kind of bytes came.
template <typename Head>
class Parser : public http::basic_parser<kIsRequest<Head>> {
 public:
  Head head;
  bool saw_chunk_header = false;
  std::function<void(std::string_view)> sink;

 private:
  using Verb = http::verb;
  using Code = beast::error_code;
  using Text = beast::string_view;

  // Most heads have fewer fields.
  static constexpr std::size_t kUsualFields = 16;

  void on_request_impl(Verb, Text method, Text target, int version, Code&) override {
    if constexpr (kIsRequest<Head>) {
      head.fields.reserve(kUsualFields);
      head.method = ToString(method);
      head.target = ToString(target);
      head.version = version;
    }
  }
  void on_response_impl(int status, Text reason, int version, Code&) override {
    if constexpr (!kIsRequest<Head>) {
      head.fields.reserve(kUsualFields);
      head.status = status;
      head.reason = ToString(reason);
      head.version = version;
    }
  }
  void on_field_impl(http::field field, Text name, Text value, Code& error) override {
    if (this->is_header_done()) {  // a trailer; Beast refuses Content-Length and Transfer-Encoding
      if (field == http::field::host) error = http::error::bad_field;
      return;
    }
    // Of Impl::head_text: what Beast puts together itself is a folded line, which HeadScan refuses.
    head.fields.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
  }
  void on_header_impl(Code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, Code&) override {}
  std::size_t on_body_impl(Text body, Code&) override { return Take(body); }
  void on_chunk_header_impl(std::uint64_t, Text, Code&) override { saw_chunk_header = true; }
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Code&) override { return Take(body); }
  void on_finish_impl(Code&) override {}

  std::size_t Take(Text body) const {
    if (sink) sink({body.data(), body.size()});
    return body.size();
  }
};

// Beast asserts that a last chunk is at least five bytes long when it is offered again. These four
// can be neither illegal nor complete.
bool IsTooShortToOffer(std::string_view chunk_line) {
  return chunk_line.size() == 4 && chunk_line.starts_with("0\r\n");
}

}  // namespace

template <typename Head>
struct MessageReader<Head>::Impl {
  enum class Phase : std::uint8_t { kHead, kBody, kDone, kFailed };

  explicit Impl(Bytes limit) : header_size(limit), scan(limit) {
    parser.header_limit(std::numeric_limits<std::uint32_t>::max());  // HeadScan has the limit
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    if (kIsRequest<Head>) scan.AllowLeadingEmptyLine();
  }

  Result FeedHead(std::span<const std::uint8_t> in);
  Result ParseHead(Bytes taken);
  Result FeedBody(std::span<const std::uint8_t> in);
  // One step of the parser over `in`; false after an error.
  bool Step(std::string_view in, Bytes& taken);
  Result Fail(int status, const std::string& why);
  Result FailLongChunkHeader() {
    return Fail(400, "chunk header or trailers are longer than the limit");
  }

  // The line's part from earlier input, as far as it has not been passed yet, may be passed now.
  void ReleaseLine() {
    if (carried > line_passed) released = chunk_line.substr(line_passed, carried - line_passed);
    carried = 0;
  }
  // The line break that ends a chunk has come: its reader waits for that, not for the next chunk.
  bool EndsChunk() const {
    return !first_chunk && line_passed == 0 && std::string_view(chunk_line).starts_with(kCrlf);
  }

  Bytes header_size;
  HeadScan scan;
  std::string head_text;  // what its fields are views of
  Parser<Head> parser;
  std::string chunk_line;       // begin of a chunk header or of trailers, already taken
  std::size_t line_passed = 0;  // of it, already passed
  std::size_t carried = 0;      // of it, from earlier input
  std::string released;         // passed with this input
  bool first_chunk = true;
  Phase phase = Phase::kHead;
  Result failure;
};

template <typename Head>
auto MessageReader<Head>::Impl::Fail(int status, const std::string& why) -> Result {
  phase = Phase::kFailed;
  failure = {.status = Status::kError, .http_status = status, .why = why};
  return failure;
}

template <typename Head>
auto MessageReader<Head>::Impl::FeedHead(std::span<const std::uint8_t> in) -> Result {
  Bytes taken = 0;
  switch (scan.Feed(in, taken)) {
    case HeadScan::Status::kNeedMore:
      return {.status = Status::kNeedMore, .taken = taken};
    case HeadScan::Status::kTooLong:
      if (kIsRequest<Head> && scan.in_first_line()) {
        return Fail(414, "request line is longer than limits.header_size");
      }
      return Fail(431, "head is longer than limits.header_size");
    case HeadScan::Status::kIllegal:
      return Fail(400, std::string(scan.why()) + " in the head");
    case HeadScan::Status::kComplete:
      break;
  }
  return ParseHead(taken);
}

template <typename Head>
auto MessageReader<Head>::Impl::ParseHead(Bytes taken) -> Result {
  beast::error_code error;
  head_text = scan.text();
  parser.put({head_text.data(), head_text.size()}, error);
  if (error == http::error::bad_version) return Fail(400, "HTTP version is not 1.0 or 1.1");
  if (error) return Fail(400, "illegal head: " + error.message());
  if (!parser.is_header_done()) return Fail(400, "illegal head");
  if (auto refusal = Check(parser.head)) return Fail(refusal->status, refusal->why);
  phase = parser.is_done() ? Phase::kDone : Phase::kBody;
  scan = HeadScan(0);  // its buffer is not needed any more
  return {.status = Status::kHead, .taken = taken};
}

template <typename Head>
bool MessageReader<Head>::Impl::Step(std::string_view in, Bytes& taken) {
  beast::error_code error;
  parser.saw_chunk_header = false;
  taken = parser.put({in.data(), in.size()}, error);
  if (error && error != http::error::need_more) {
    Fail(error == http::error::body_limit ? 413 : 400, "illegal body: " + error.message());
    return false;
  }
  if (!parser.saw_chunk_header) return true;
  first_chunk = false;
  if (taken > header_size) {
    FailLongChunkHeader();
    return false;
  }
  const char* why = FindIllegalLine(in.substr(0, taken));
  if (why != nullptr) Fail(400, std::string(why) + " in a chunk header or trailer");
  return why == nullptr;
}

template <typename Head>
auto MessageReader<Head>::Impl::FeedBody(std::span<const std::uint8_t> in) -> Result {
  // A chunk header that is split over reads is offered to the parser again, with more behind it, in
  // small steps: what follows the header stays in `in`.
  constexpr std::size_t kStep = 256;
  const std::string_view text(reinterpret_cast<const char*>(in.data()), in.size());
  Bytes used = 0;
  Bytes pass = 0;
  carried = chunk_line.size();
  released.clear();
  while (used < text.size() && !parser.is_done()) {
    Bytes taken = 0;
    const std::size_t before = chunk_line.size();
    if (before == 0) {
      if (!Step(text.substr(used), taken)) return failure;
      used += taken;
      pass = used;
      if (taken > 0) continue;
      chunk_line = text.substr(used);
      used = text.size();
    } else {
      chunk_line += text.substr(used, kStep);
      if (!IsTooShortToOffer(chunk_line) && !Step(chunk_line, taken)) return failure;
      used = taken > 0 ? used + taken - before : used + chunk_line.size() - before;
      if (taken > 0) {
        ReleaseLine();
        chunk_line.clear();
        line_passed = 0;
        pass = used;
        continue;
      }
    }
    // A line that can only become illegal is refused before its end.
    if (!IsChunkStart(chunk_line, first_chunk)) return Fail(400, "illegal chunk header");
    if (chunk_line.size() > header_size) return FailLongChunkHeader();
    if (EndsChunk()) {
      ReleaseLine();
      line_passed = kCrlf.size();
      pass = used - (chunk_line.size() - line_passed);
    }
  }
  if (parser.is_done()) phase = Phase::kDone;
  return {.status = parser.is_done() ? Status::kDone : Status::kBody,
          .taken = used,
          .held = released,
          .pass = pass};
}

template <typename Head>
MessageReader<Head>::MessageReader(Bytes header_size)
    : impl_(std::make_unique<Impl>(header_size)) {}
template <typename Head>
MessageReader<Head>::~MessageReader() = default;
template <typename Head>
MessageReader<Head>::MessageReader(MessageReader&&) noexcept = default;
template <typename Head>
MessageReader<Head>& MessageReader<Head>::operator=(MessageReader&&) noexcept = default;

template <typename Head>
void MessageReader<Head>::ExpectNoBody() {
  impl_->parser.skip(true);
}

template <typename Head>
void MessageReader<Head>::SetDataSink(DataSink sink) {
  impl_->parser.sink = std::move(sink);
}

template <typename Head>
auto MessageReader<Head>::Feed(std::span<const std::uint8_t> in) -> Result {
  switch (impl_->phase) {
    case Impl::Phase::kHead:
      return impl_->FeedHead(in);
    case Impl::Phase::kBody:
      return impl_->FeedBody(in);
    case Impl::Phase::kDone:
      return {.status = Status::kDone};
    case Impl::Phase::kFailed:
      break;
  }
  return impl_->failure;
}

template <typename Head>
auto MessageReader<Head>::End() -> Result {
  if (impl_->phase == Impl::Phase::kFailed) return impl_->failure;
  if (impl_->phase == Impl::Phase::kHead) return impl_->Fail(400, "stream ended inside the head");
  if (impl_->phase == Impl::Phase::kBody && !impl_->parser.need_eof()) {
    return impl_->Fail(400, "stream ended inside the body");
  }
  impl_->phase = Impl::Phase::kDone;
  return {.status = Status::kDone};
}

template <typename Head>
const Head& MessageReader<Head>::head() const {
  return impl_->parser.head;
}

template <typename Head>
bool MessageReader<Head>::until_close() const {
  return impl_->parser.need_eof();
}

template <typename Head>
bool MessageReader<Head>::chunked() const {
  return impl_->parser.chunked();
}

template class MessageReader<RequestHead>;
template class MessageReader<ResponseHead>;

}  // namespace connguard
