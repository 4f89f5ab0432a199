#include "reports/mail.h"

#include <memory>

#include <gmime/gmime.h>

#include "base/text.h"
#include "reports/gunzip.h"

namespace stsctl::reports {

namespace {

// GMime counts references; this holds one.
struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
template <class T>
using Held = std::unique_ptr<T, Unref>;

// GMime's objects are C structures that begin with what they are derived from; its own macros cast
// as C does.
template <class T, class From>
T* as(From* object) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  return reinterpret_cast<T*>(object);
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

bool start_library() {
  g_mime_init();
  return true;
}

std::string decoded(GMimePart* part) {
  GMimeDataWrapper* content = g_mime_part_get_content(part);
  if (content == nullptr) return {};
  const Held<GMimeStream> stream(g_mime_stream_mem_new());
  if (g_mime_data_wrapper_write_to_stream(content, stream.get()) < 0) return {};
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(as<GMimeStreamMem>(stream.get()));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  return {reinterpret_cast<const char*>(bytes->data), bytes->len};
}

// Is the part one that is, or by its name or type may be, a report?
bool is_candidate(const std::string& type, const std::string& subtype, const std::string& file) {
  const std::string name = lower(file);
  if (name.ends_with(".json") || name.ends_with(".gz")) return true;
  if (type != "application") return false;
  for (const char* known : {"gzip", "x-gzip", "json", "octet-stream"})
    if (subtype == known) return true;
  return false;
}

bool looks_like_report(const std::string& content) {
  return is_gzip(content) || trim(content.substr(0, 100)).starts_with('{');
}

void take_part(GMimeObject* object, Mail& mail) {
  if (!GMIME_IS_PART(object)) return;
  GMimeContentType* media = g_mime_object_get_content_type(object);
  const std::string type = lower(text_or_empty(g_mime_content_type_get_media_type(media)));
  const std::string subtype = lower(text_or_empty(g_mime_content_type_get_media_subtype(media)));
  auto* part = as<GMimePart>(object);
  Attachment attachment{.file_name = text_or_empty(g_mime_part_get_filename(part))};
  attachment.claimed = type == "application" && (subtype == "tlsrpt" || subtype == "tlsrpt+gzip" ||
                                                 subtype == "tlsrpt+json");
  if (!attachment.claimed && !is_candidate(type, subtype, attachment.file_name)) return;
  attachment.content = decoded(part);
  if (attachment.claimed || looks_like_report(attachment.content))
    mail.attachments.push_back(std::move(attachment));
}

// Called by GMime for each part.
void visit(GMimeObject* /*parent*/, GMimeObject* part, gpointer mail) {
  take_part(part, *static_cast<Mail*>(mail));
}

std::optional<dns::Name> domain_of(const std::string& text) {
  const auto name = dns::Name::parse(trim(text));
  return name ? std::optional(*name) : std::nullopt;
}

// The domain of an address header's only address.
std::optional<dns::Name> only_author(GMimeMessage* message) {
  InternetAddressList* list = g_mime_message_get_from(message);
  if (list == nullptr || internet_address_list_length(list) != 1) return std::nullopt;
  InternetAddress* address = internet_address_list_get_address(list, 0);
  if (!INTERNET_ADDRESS_IS_MAILBOX(address)) return std::nullopt;
  const std::string text =
      text_or_empty(internet_address_mailbox_get_addr(as<InternetAddressMailbox>(address)));
  const std::size_t at = text.rfind('@');
  return at == std::string::npos ? std::nullopt : domain_of(text.substr(at + 1));
}

void take_headers(GMimeMessage* message, Mail& mail) {
  GMimeHeaderList* headers = g_mime_object_get_header_list(as<GMimeObject>(message));
  int authors = 0;
  for (int i = 0; i < g_mime_header_list_get_count(headers); ++i) {
    GMimeHeader* header = g_mime_header_list_get_header_at(headers, i);
    const std::string name = lower(text_or_empty(g_mime_header_get_name(header)));
    const std::string value = text_or_empty(g_mime_header_get_raw_value(header));
    if (name == "authentication-results") mail.authentication_results.push_back(value);
    if (name == "tls-report-domain") mail.report_domain = domain_of(value);
    if (name == "from") ++authors;
  }
  // A mail with two From lines is read differently by different programs.
  if (authors == 1) mail.from = only_author(message);
}

}  // namespace

Result<Mail> read_mail(std::string_view text) {
  static const bool started = start_library();
  static_cast<void>(started);
  // The stream reads the text where it is: a copy of a large mail would double what it takes.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast,cppcoreguidelines-pro-type-reinterpret-cast)
  GByteArray bytes{reinterpret_cast<guint8*>(const_cast<char*>(text.data())),
                   static_cast<guint>(text.size())};
  const Held<GMimeStream> stream(g_mime_stream_mem_new_with_byte_array(&bytes));
  g_mime_stream_mem_set_owner(as<GMimeStreamMem>(stream.get()), FALSE);
  const Held<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  const Held<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
  if (!message) return fail(Code::invalid, "it is no mail");
  Mail mail;
  take_headers(message.get(), mail);
  g_mime_message_foreach(message.get(), visit, &mail);
  return mail;
}

}  // namespace stsctl::reports
