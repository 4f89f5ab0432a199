#include "providers/cloudflare/worker_edit.h"

#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "providers/policy_edit.h"

namespace stsctl::providers::cloudflare {

namespace {

// As policy_hostname() writes it; the API may show U-labels.
std::string canonical(const std::string& hostname) {
  const Result<dns::Name> name = dns::Name::parse(hostname);
  return name ? name->text() : lower(hostname);
}

const std::string* text_of(const Policies& policies, const dns::Name& domain) {
  const auto found = policies.find(domain);
  return found == policies.end() ? nullptr : &found->second;
}

}  // namespace

std::string policy_hostname(const dns::Name& domain) {
  return domain.under("mta-sts").text();
}

Published::Published(std::string name, Policies in_script,
                     const std::vector<CustomDomain>& of_account)
    : worker(std::move(name)), policies(std::move(in_script)) {
  for (const CustomDomain& domain : of_account)
    domains.insert_or_assign(canonical(domain.hostname), domain);
}

const CustomDomain* Published::attached(const dns::Name& domain) const {
  const auto found = domains.find(policy_hostname(domain));
  return found == domains.end() || found->second.service != worker ? nullptr : &found->second;
}

std::optional<std::string> Published::served(const dns::Name& domain) const {
  const std::string* text = text_of(policies, domain);
  return text == nullptr || attached(domain) == nullptr ? std::nullopt : std::optional(*text);
}

Result<Work> work_for(const plan::PolicyEdit& edit, const Published& now) {
  const dns::Name& domain = domain_of(edit);
  const std::string hostname = policy_hostname(domain);
  const Result<bool> pending = is_pending(edit, now.served(domain), hostname);
  if (!pending) return fail(pending);
  const CustomDomain* attached = now.attached(domain);
  const std::string* text = text_of(now.policies, domain);
  if (!edit.after) {
    Work work{.text = text != nullptr};
    if (attached != nullptr) work.detach = *attached;
    return work;
  }
  if (const auto other = now.domains.find(hostname); other != now.domains.end() && !attached)
    return fail(Code::refused,
                fmt::format("{} is a Custom Domain of the Worker '{}'", hostname,
                            printable(other->second.service)),
                hostname, "detach it there, or name that Worker's host for the domain");
  return Work{.text = text == nullptr || *text != edit.after->body,
              .attach = attached == nullptr,
              .detach = std::nullopt};
}

void carry_out(const plan::PolicyEdit& edit, Policies& policies) {
  if (edit.after)
    policies.insert_or_assign(edit.after->domain, edit.after->body);
  else
    policies.erase(domain_of(edit));
}

}  // namespace stsctl::providers::cloudflare
