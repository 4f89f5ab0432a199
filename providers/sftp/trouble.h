#pragma once
// What a server's refusals mean to people. Pure: knows no connection.

#include <string>

#include "base/result.h"
#include "providers/sftp/packet.h"

namespace stsctl::providers::sftp {

/// `refused`, an answer that is no success, as an Error about `where`; `what` was wanted: "read the
/// file".
Error trouble(const Answer& refused, const std::string& what, const std::string& where);

/// Success, or trouble(); for requests that are answered by a Status.
Result<Done> done(const Result<Answer>& answer, const std::string& what, const std::string& where);

}  // namespace stsctl::providers::sftp
