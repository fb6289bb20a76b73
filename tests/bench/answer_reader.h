// AnswerReader: reads the answers of one connection (RFC 9112) as far as their status, their length
// and their end go.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace connguard::bench {

// For answers with a Content-Length or chunks only. Everything else is a fault, which stays.
class AnswerReader {
 public:
  // Takes bytes up to the end of the answer and returns how many; a finished one takes none.
  std::size_t Take(std::string_view input);
  void BeginNext();

  bool done() const { return state_ == State::kDone; }
  std::string_view fault() const { return fault_; }  // empty: none

  int status() const { return status_; }
  bool chunked() const { return chunked_; }
  bool closes() const { return closes_; }  // its connection takes no further request
  std::size_t body_size() const { return body_size_; }

 private:
  enum class State {
    kStatusLine,
    kFields,
    kBody,
    kChunkLine,
    kChunkData,
    kChunkEnd,
    kTrailers,
    kDone,
    kFailed
  };

  std::size_t TakeLine(std::string_view input);
  std::size_t TakeData(std::string_view input);
  void OnLine(std::string_view line);
  void OnStatusLine(std::string_view line);
  void OnField(std::string_view line);
  void OnHeadEnd();
  void OnChunkLine(std::string_view line);
  void Fail(std::string_view fault);

  State state_ = State::kStatusLine;
  std::string_view fault_;
  std::string line_;  // the beginning of a line whose end has not come yet
  int status_ = 0;
  bool chunked_ = false;
  bool closes_ = false;
  bool has_length_ = false;
  std::size_t left_ = 0;  // of the body or the chunk
  std::size_t body_size_ = 0;
};

}  // namespace connguard::bench
