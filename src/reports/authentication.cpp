#include "reports/authentication.h"

#include <algorithm>

#include "base/text.h"

namespace stsctl::reports {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The header as words: comments are left out (RFC 5322 §3.2.2), quotes taken off, and ';' and '='
// outside of quotes are words of their own.
class Words {
 public:
  explicit Words(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      const bool escaped = c == '\\' && (comments_ > 0 || quoted_) && i + 1 < text.size();
      read(escaped ? text[++i] : c, escaped);
    }
    end_word();
  }

  struct Word {
    std::string text;
    bool mark = false;  // ';' or '='
    bool is(char c) const { return mark && text.front() == c; }
  };
  std::vector<Word> all;

 private:
  void read(char c, bool escaped) {
    if (comments_ > 0) {
      if (!escaped) comments_ += c == '(' ? 1 : c == ')' ? -1 : 0;
    } else if (quoted_) {
      if (c == '"' && !escaped)
        quoted_ = false;
      else
        word_ += c;
    } else {
      plain(c);
    }
  }

  void plain(char c) {
    if (c == '(') {
      end_word();
      comments_ = 1;
    } else if (c == '"') {
      quoted_ = open_ = true;
    } else if (is_space(c)) {
      end_word();
    } else if (c == ';' || c == '=') {
      end_word();
      all.push_back({std::string(1, c), true});
    } else {
      word_ += c;
    }
  }

  void end_word() {
    if (open_ || !word_.empty()) all.push_back({std::move(word_), false});
    word_.clear();
    open_ = false;
  }

  std::string word_;
  bool open_ = false;  // a quoted word, which may be empty
  bool quoted_ = false;
  int comments_ = 0;
};

using Statement = std::vector<Words::Word>;

std::vector<Statement> statements(std::string_view header) {
  std::vector<Statement> list(1);
  for (Words::Word& word : Words(header).all)
    if (word.is(';'))
      list.emplace_back();
    else
      list.back().push_back(std::move(word));
  return list;
}

// The value of `name = value` in a statement; of the first, if there are several.
std::optional<std::string> value_of(const Statement& statement, std::string_view name) {
  for (std::size_t i = 0; i + 2 < statement.size(); ++i)
    if (!statement[i].mark && statement[i + 1].is('=') && !statement[i + 2].mark &&
        lower(statement[i].text) == name)
      return statement[i + 2].text;
  return std::nullopt;
}

// The domain of a valid signature; none if the statement is about anything else.
std::optional<dns::Name> signer_of(const Statement& statement) {
  // "dkim=pass" or "dkim/1=pass" comes first (RFC 8601 §2.2).
  if (statement.size() < 3 || !statement[1].is('=') || lower(statement[2].text) != "pass")
    return std::nullopt;
  const std::string method = lower(statement[0].text);
  if (method.substr(0, method.find('/')) != "dkim") return std::nullopt;
  auto domain = value_of(statement, "header.d");
  if (!domain) {
    domain = value_of(statement, "header.i");  // "@example.com", which is at or below d=
    if (domain) domain->erase(0, domain->rfind('@') + 1);
  }
  const auto name = domain ? dns::Name::parse(*domain) : fail(Code::not_found, "");
  return name ? std::optional(*name) : std::nullopt;
}

// A whole top-level domain speaks for nobody.
bool speaks_for(const dns::Name& signer, const dns::Name& from) {
  const dns::Name& shorter = signer.text().size() < from.text().size() ? signer : from;
  return shorter.parent() && (signer.within(from) || from.within(signer));
}

}  // namespace

std::optional<dns::Name> verified_signer(const std::vector<std::string>& headers,
                                         const std::vector<std::string>& trusted,
                                         const dns::Name& from) {
  for (const std::string& header : headers) {
    const std::vector<Statement> list = statements(header);
    if (list.front().empty()) continue;
    const std::string server = lower(list.front().front().text);
    if (std::ranges::none_of(trusted, [&](const std::string& id) { return lower(id) == server; }))
      continue;
    for (const Statement& statement : list)
      if (const auto signer = signer_of(statement); signer && speaks_for(*signer, from))
        return signer;
  }
  return std::nullopt;
}

}  // namespace stsctl::reports
