#pragma once
// multipart/form-data (RFC 7578) as bytes. Pure; knows no connection. Not libcurl's MIME API, since
// what io::Http sends is bytes: they are sent again by Retry, and tests look at them.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stsctl::io {

/// One part. Name, filename and type hold no quotes and no line ends.
struct FormPart {
  std::string name;
  std::string filename = {};  ///< "": it is no file.
  std::string type = {};      ///< Its Content-Type; "": none is said.
  std::string content = {};   ///< Bytes.
  bool operator==(const FormPart&) const = default;
};

/// A body and the Content-Type that goes with it.
struct Form {
  std::string type;
  std::string body;
};

/// The boundary comes from the content, so that equal parts make equal bytes; it is in none of
/// them.
Form write_form(const std::vector<FormPart>& parts);

/// Code::protocol for what is no such form, or ends before its last boundary.
Result<std::vector<FormPart>> read_form(std::string_view type, std::string_view body);

}  // namespace stsctl::io
