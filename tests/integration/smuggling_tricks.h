// Field lines that make two readers disagree on where a body ends.
#pragma once

#include <string>
#include <vector>

namespace connguard::testing {

struct FramingTrick {
  std::string name;
  std::string fields;  // whole lines, each with its line end, legal or not
};

inline const std::vector<FramingTrick>& LengthTricks() {
  using namespace std::string_literals;
  static const std::vector<FramingTrick> kTable = {
      // more than one
      {"LengthTwice", "Content-Length: 5\r\nContent-Length: 5\r\n"},
      {"LengthsConflict", "Content-Length: 5\r\nContent-Length: 6\r\n"},
      {"LengthFirstZero", "Content-Length: 0\r\nContent-Length: 44\r\n"},
      {"LengthLastZero", "Content-Length: 44\r\nContent-Length: 0\r\n"},
      {"LengthThrice", "Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 5\r\n"},
      {"LengthTwiceInOtherCase", "content-length: 5\r\nCONTENT-LENGTH: 5\r\n"},
      {"LengthTwiceApart", "Content-Length: 5\r\nX: y\r\nContent-Length: 5\r\n"},
      {"LengthAndAnEmptyOne", "Content-Length: 5\r\nContent-Length:\r\n"},
      {"LengthList", "Content-Length: 5, 5\r\n"},
      {"LengthListConflicts", "Content-Length: 5,6\r\n"},
      {"LengthListOfOne", "Content-Length: 5,\r\n"},
      {"LengthListEmptyFirst", "Content-Length: ,5\r\n"},
      // not a number
      {"LengthEmpty", "Content-Length:\r\n"},
      {"LengthBlank", "Content-Length: \t \r\n"},
      {"LengthPlus", "Content-Length: +5\r\n"},
      {"LengthMinus", "Content-Length: -5\r\n"},
      {"LengthMinusZero", "Content-Length: -0\r\n"},
      {"LengthHex", "Content-Length: 0x5\r\n"},
      {"LengthHexDigits", "Content-Length: 1f\r\n"},
      {"LengthFraction", "Content-Length: 5.0\r\n"},
      {"LengthExponent", "Content-Length: 1e1\r\n"},
      {"LengthUnderscore", "Content-Length: 1_0\r\n"},
      {"LengthWord", "Content-Length: five\r\n"},
      {"LengthQuoted", "Content-Length: \"5\"\r\n"},
      {"LengthTwoNumbers", "Content-Length: 5 5\r\n"},
      {"LengthWithParameter", "Content-Length: 5;q=1\r\n"},
      {"LengthWideDigit", "Content-Length: \xEF\xBC\x95\r\n"},
      {"LengthNoBreakSpace", "Content-Length: 5\xA0\r\n"},
      {"LengthOver64Bits", "Content-Length: 18446744073709551616\r\n"},
      {"LengthFarOver64Bits", "Content-Length: 184467440737095516165\r\n"},
      {"LengthWrapsToFive", "Content-Length: 36893488147419103237\r\n"},
      // bytes and lines
      {"LengthVerticalTab", "Content-Length: \v5\r\n"},
      {"LengthFormFeed", "Content-Length: 5\f\r\n"},
      {"LengthNul", "Content-Length: 5\0\r\n"s},
      {"LengthColonTwice", "Content-Length:: 5\r\n"},
      {"LengthSpaceBeforeColon", "Content-Length : 5\r\n"},
      {"LengthTabBeforeColon", "Content-Length\t: 5\r\n"},
      {"LengthNulBeforeColon", "Content-Length\0: 5\r\n"s},
      {"LengthIndented", " Content-Length: 5\r\n"},
      {"LengthFolded", "Content-Length:\r\n 5\r\n"},
      {"LengthGoesOn", "Content-Length: 5\r\n\t6\r\n"},
      {"LengthBareLf", "Content-Length: 5\nX: y\r\n"},
      {"LengthBareCr", "Content-Length: 5\rX: y\r\n"},
      {"LengthBehindBareLf", "X: y\nContent-Length: 5\r\n"},
      {"LengthBehindBareCr", "X: y\rContent-Length: 5\r\n"},
      {"LengthInAFold", "X: y\r\n Content-Length: 5\r\n"},
  };
  return kTable;
}

inline const std::vector<FramingTrick>& CodingTricks() {
  using namespace std::string_literals;
  static const std::vector<FramingTrick> kTable = {
      // other codings
      {"XChunked", "Transfer-Encoding: xchunked\r\n"},
      {"ChunkedX", "Transfer-Encoding: chunkedx\r\n"},
      {"Chunk", "Transfer-Encoding: chunk\r\n"},
      {"Identity", "Transfer-Encoding: identity\r\n"},
      {"Gzip", "Transfer-Encoding: gzip\r\n"},
      {"GzipChunked", "Transfer-Encoding: gzip, chunked\r\n"},
      {"ChunkedGzip", "Transfer-Encoding: chunked, gzip\r\n"},
      {"ChunkedIdentity", "Transfer-Encoding: chunked, identity\r\n"},
      {"IdentityChunked", "Transfer-Encoding: identity, chunked\r\n"},
      {"ChunkedTwiceInAList", "Transfer-Encoding: chunked, chunked\r\n"},
      {"ChunkedTwice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
      {"ChunkedTwiceInOtherCase", "transfer-encoding: chunked\r\nTRANSFER-ENCODING: chunked\r\n"},
      {"ChunkedThenIdentity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"},
      {"IdentityThenChunked", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"},
      {"ChunkedThenCow", "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n"},
      {"CodingEmpty", "Transfer-Encoding:\r\n"},
      {"CodingEmptyThenChunked", "Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n"},
      // almost chunked
      {"ChunkedComma", "Transfer-Encoding: chunked,\r\n"},
      {"CommaChunked", "Transfer-Encoding: ,chunked\r\n"},
      {"OnlyComma", "Transfer-Encoding: ,\r\n"},
      {"ChunkedQuoted", "Transfer-Encoding: \"chunked\"\r\n"},
      {"ChunkedSingleQuoted", "Transfer-Encoding: 'chunked'\r\n"},
      {"ChunkedWithParameter", "Transfer-Encoding: chunked;q=1\r\n"},
      {"ChunkedSemicolon", "Transfer-Encoding: chunked;\r\n"},
      {"ChunkedSpaceChunked", "Transfer-Encoding: chunked chunked\r\n"},
      {"ChunkedInTwo", "Transfer-Encoding: chun ked\r\n"},
      {"ChunkedComment", "Transfer-Encoding: chunked (really)\r\n"},
      {"ChunkedEscaped", "Transfer-Encoding: %63hunked\r\n"},
      {"ChunkedByteOrderMark",
       "Transfer-Encoding: \xEF\xBB\xBF"
       "chunked\r\n"},
      {"ChunkedNoBreakSpace", "Transfer-Encoding: chunked\xA0\r\n"},
      {"ChunkedKelvinSign",
       "Transfer-Encoding: chun\xE2\x84\xAA"
       "ed\r\n"},
      // bytes and lines
      {"ChunkedVerticalTab", "Transfer-Encoding: chunked\v\r\n"},
      {"VerticalTabChunked", "Transfer-Encoding: \vchunked\r\n"},
      {"ChunkedFormFeed", "Transfer-Encoding: chunked\f\r\n"},
      {"ChunkedNul", "Transfer-Encoding: chunked\0\r\n"s},
      {"NulChunked", "Transfer-Encoding: \0chunked\r\n"s},
      {"ChunkedBackspace", "Transfer-Encoding: x\bchunked\r\n"},
      {"ChunkedDel", "Transfer-Encoding: chunked\x7F\r\n"},
      {"ChunkedBareCr", "Transfer-Encoding: chunked\r\r\n"},
      {"BareCrChunked", "Transfer-Encoding:\rchunked\r\n"},
      {"BareLfChunked", "Transfer-Encoding:\nchunked\r\n"},
      {"ChunkedFolded", "Transfer-Encoding:\r\n chunked\r\n"},
      {"ChunkedFoldedByTab", "Transfer-Encoding:\r\n\tchunked\r\n"},
      {"ChunkedGoesOn", "Transfer-Encoding: chunked\r\n , identity\r\n"},
      // the field's name
      {"CodingSpaceBeforeColon", "Transfer-Encoding : chunked\r\n"},
      {"CodingTabBeforeColon", "Transfer-Encoding\t: chunked\r\n"},
      {"CodingNulBeforeColon", "Transfer-Encoding\0: chunked\r\n"s},
      {"CodingVerticalTabBeforeColon", "Transfer-Encoding\v: chunked\r\n"},
      {"CodingCrBeforeColon", "Transfer-Encoding\r: chunked\r\n"},
      {"CodingLfBeforeColon", "Transfer-Encoding\n: chunked\r\n"},
      {"CodingColonTwice", "Transfer-Encoding:: chunked\r\n"},
      {"CodingWithASpace", "Transfer Encoding: chunked\r\n"},
      {"CodingQuoted", "\"Transfer-Encoding\": chunked\r\n"},
      {"CodingNoBreakSpace", "Transfer-Encoding\xA0: chunked\r\n"},
      {"CodingInTwoLines", "Transfer-\r\n Encoding: chunked\r\n"},
      {"CodingIndented", " Transfer-Encoding: chunked\r\n"},
      {"CodingInAFold", "X: y\r\n\tTransfer-Encoding: chunked\r\n"},
      {"CodingBehindBareCr", "X: y\rTransfer-Encoding: chunked\r\n"},
      {"CodingBehindBareLf", "X: y\nTransfer-Encoding: chunked\r\n"},
      {"CodingBehindDoubledCr", "X: y\r\r\nTransfer-Encoding: chunked\r\n"},
  };
  return kTable;
}

inline const std::vector<FramingTrick>& MixedTricks() {
  static const std::vector<FramingTrick> kTable = {
      {"LengthAndChunked", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"},
      {"ChunkedAndLength", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"},
      {"LengthZeroAndChunked", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"},
      {"ChunkedAndLengthZero", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"},
      {"MixedInLowerCase", "content-length: 5\r\ntransfer-encoding: chunked\r\n"},
      {"MixedInUpperCase", "TRANSFER-ENCODING: CHUNKED\r\nCONTENT-LENGTH: 5\r\n"},
      {"MixedWithoutSpaces", "Content-Length:5\r\nTransfer-Encoding:chunked\r\n"},
      {"MixedWithTabs", "Content-Length:\t5\t\r\nTransfer-Encoding:\tchunked\t\r\n"},
      {"MixedApart", "Content-Length: 5\r\nX: y\r\nTransfer-Encoding: chunked\r\n"},
      {"LengthAndIdentity", "Content-Length: 5\r\nTransfer-Encoding: identity\r\n"},
      {"LengthAndXChunked", "Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n"},
      {"LengthAndEmptyCoding", "Content-Length: 5\r\nTransfer-Encoding:\r\n"},
      {"LengthAndFoldedCoding", "Content-Length: 5\r\nTransfer-Encoding:\r\n chunked\r\n"},
      {"LengthAndSpacedCoding", "Content-Length: 5\r\nTransfer-Encoding : chunked\r\n"},
      {"LengthHiddenByConnection",
       "Connection: content-length\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"},
      {"CodingHiddenByConnection",
       "Connection: transfer-encoding\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"},
      {"LengthTwiceAndChunked",
       "Content-Length: 5\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"},
  };
  return kTable;
}

}  // namespace connguard::testing
