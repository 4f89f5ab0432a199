#include "config/presets.h"

#include <algorithm>

namespace stsctl::config {

const std::vector<Preset>& presets() {
  static const std::vector<Preset> list{
      {"amazon-ses-inbound-eu-west-1",
       "Amazon SES receiving in eu-west-1; seen in users' policies",
       {"inbound-smtp.eu-west-1.amazonaws.com"}},
      {"amazon-ses-inbound-us-east-1",
       "Amazon SES receiving in us-east-1; seen in users' policies",
       {"inbound-smtp.us-east-1.amazonaws.com"}},
      {"amazon-ses-inbound-us-west-2",
       "Amazon SES receiving in us-west-2; seen in users' policies",
       {"inbound-smtp.us-west-2.amazonaws.com"}},
      {"cloudflare-email-routing",
       "Cloudflare Email Routing; documented by Cloudflare",
       {"*.mx.cloudflare.net"}},
      {"fastmail",
       "Fastmail; seen in many users' policies",
       {"in1-smtp.messagingengine.com", "in2-smtp.messagingengine.com"}},
      {"forwardemail",
       "Forward Email; seen in users' policies",
       {"mx1.forwardemail.net", "mx2.forwardemail.net"}},
      {"google-workspace",
       "Google Workspace, the single MX of today and the five of before; Google's documented names",
       {"smtp.google.com", "aspmx.l.google.com", "*.aspmx.l.google.com"}},
      {"google-workspace-dnssec",
       "Google Workspace with DNSSEC-signed MX names; seen in policies",
       {"mx1.smtp.goog", "mx2.smtp.goog", "mx3.smtp.goog", "mx4.smtp.goog"}},
      {"google-workspace-googlemail",
       "Google Workspace with the old googlemail.com MX names too",
       {"smtp.google.com", "aspmx.l.google.com", "*.aspmx.l.google.com", "aspmx2.googlemail.com",
        "aspmx3.googlemail.com", "aspmx4.googlemail.com", "aspmx5.googlemail.com"}},
      {"icloud-custom-domain",
       "iCloud Mail with a custom domain; seen in users' policies",
       {"mx01.mail.icloud.com", "mx02.mail.icloud.com"}},
      {"microsoft-365",
       "Exchange Online; documented by Microsoft",
       {"*.mail.protection.outlook.com"}},
      {"proton",
       "Proton Mail; from Proton's own policy",
       {"mail.protonmail.ch", "mailsec.protonmail.ch"}},
      {"simplelogin",
       "SimpleLogin; seen in users' policies",
       {"mx1.simplelogin.co", "mx2.simplelogin.co"}},
      {"zoho",
       "Zoho Mail, .com data centre; seen in users' policies",
       {"mx.zoho.com", "mx2.zoho.com", "mx3.zoho.com"}},
      {"zoho-eu",
       "Zoho Mail, .eu data centre; seen in users' policies",
       {"mx.zoho.eu", "mx2.zoho.eu", "mx3.zoho.eu"}},
      {"zoho-in",
       "Zoho Mail, .in data centre; seen in users' policies",
       {"mx.zoho.in", "mx2.zoho.in", "mx3.zoho.in"}},
  };
  return list;
}

const Preset* find_preset(std::string_view name) {
  const auto found = std::ranges::find(presets(), name, &Preset::name);
  return found == presets().end() ? nullptr : &*found;
}

}  // namespace stsctl::config
