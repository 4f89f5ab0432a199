// Mails from outside: nothing crashes, an mbox gives the same mails however it is cut, and nobody
// speaks for a domain that is not theirs.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/text.h"
#include "reports/authentication.h"
#include "reports/mail.h"
#include "reports/mbox.h"

namespace reports = stsctl::reports;

namespace {
void require(bool law) {
  if (!law) std::abort();
}

std::vector<std::string> mails(std::string_view text, std::size_t piece) {
  std::vector<std::string> found;
  reports::MboxSplitter splitter(1000, [&](const reports::MboxMessage& message) {
    require(message.text.size() <= 1000);
    found.push_back(message.text);
  });
  for (std::size_t i = 0; i < text.size(); i += piece)
    splitter.feed(text.substr(i, piece));
  splitter.finish();
  return found;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  require(mails(text, 1) == mails(text, 7) && mails(text, 7) == mails(text, size + 1));
  const auto mail = reports::read_mail(text);
  if (!mail || !mail->from) return 0;
  const auto signer =
      reports::verified_signer(mail->authentication_results, {"mx.example.com"}, *mail->from);
  require(!signer || signer->within(*mail->from) || mail->from->within(*signer));
  return 0;
}
