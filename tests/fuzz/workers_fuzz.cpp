// The Worker of policies: any body comes back out of its script, no script is read that would not
// be written so, and neither forms nor answers crash who reads them.
#include <cstdint>
#include <cstdlib>

#include "providers/cloudflare/script.h"
#include "providers/cloudflare/wire.h"
#include "providers/cloudflare/workers_wire.h"

namespace cloudflare = stsctl::providers::cloudflare;
namespace dns = stsctl::dns;
namespace io = stsctl::io;

namespace {

void require(bool law) {
  if (!law) std::abort();
}

void form_laws(const std::string& text) {
  const std::vector<io::FormPart> parts{{.name = "a", .content = text},
                                        {.name = "b", .filename = "b.js", .content = text}};
  const io::Form form = io::write_form(parts);
  require(io::read_form(form.type, form.body) == parts);
  static_cast<void>(io::read_form("multipart/form-data; boundary=b", text));
  static_cast<void>(io::read_form(text, form.body));
  static_cast<void>(
      cloudflare::parse_script({.status = 200,
                                .headers = {{"Content-Type", "multipart/form-data; boundary=b"}},
                                .body = text}));
}

void script_laws(const std::string& text) {
  const cloudflare::Policies policies{{*dns::Name::parse("example.com"), text},
                                      {*dns::Name::parse("example.org"), text}};
  require(cloudflare::read_script(cloudflare::render_script(policies)) == policies);
  // As it is, and as the lines between the head and the tail of a script.
  const std::string empty = cloudflare::render_script({});
  const std::size_t middle = empty.find("]);\n");
  for (const std::string& script : {text, std::string(empty).insert(middle, text)})
    if (const auto read = cloudflare::read_script(script))
      require(cloudflare::render_script(*read) == script);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  form_laws(text);
  script_laws(text);
  static_cast<void>(cloudflare::parse_custom_domains(text));
  static_cast<void>(cloudflare::is_no_such_worker(text));
  return 0;
}
