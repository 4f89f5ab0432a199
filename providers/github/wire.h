#pragma once
// Between the JSON of GitHub's REST API (version 2022-11-28) and values. Pure; knows no connection.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stsctl::providers::github {

/// The name Git gives to a file's content: SHA-1 of "blob SIZE\0CONTENT", in hex.
std::string blob_sha(std::string_view content);

/// `text` as it may stand in a URL: all but letters, digits, "-._~" and, if so wanted, "/" as %NN.
std::string url_encoded(std::string_view text, bool keep_slashes);

/// A file as GET /contents/{path} gives it.
struct File {
  std::string sha;
  std::string content;
  bool operator==(const File&) const = default;
};

/// Something in a tree.
struct Entry {
  std::string mode;  ///< "100644", "100755", "040000", "120000" (a symbolic link), "160000".
  std::string type;  ///< "blob", "tree", "commit".
  std::string sha;
  std::int64_t size = 0;  ///< Bytes, of blobs.

  /// Is it an ordinary file?
  bool is_file() const { return type == "blob" && mode != "120000"; }
  bool operator==(const Entry&) const = default;
};

/// GET /git/trees/{sha}?recursive=1.
struct Tree {
  std::map<std::string, Entry, std::less<>> entries;  ///< By path.
  bool truncated = false;                             ///< There are more: 100,000 is the limit.
};

/// A GitHub Pages site, GET /pages.
struct Site {
  std::string cname;              ///< Its custom domain; "": none.
  bool from_branch = true;        ///< Built from a branch, not by a workflow.
  std::string branch;             ///< Where it is built from; "" if unknown.
  std::string folder;             ///< "/" or "/docs".
  bool is_public = true;          ///< Everybody may read it.
  std::string certificate;        ///< State, "approved"; "": there is none.
  std::string certificate_story;  ///< GitHub's words for the state.

  /// Is there a certificate that is served?
  bool has_certificate() const;
};

/// The latest build of a site from a branch, GET /pages/builds/latest.
struct Build {
  std::string status;  ///< "queued", "building", "built", "errored".
  std::string commit;
  std::string error;
};

/// Code::protocol when the text is not what the API sends; so do all that follow.
/// Also Code::unsupported when what stands there is no file (a folder, a submodule), Code::invalid
/// when it is too large.
Result<File> parse_contents(std::string_view text);
/// GET /git/blobs/{sha}: the content, checked against `sha`.
Result<std::string> parse_blob(std::string_view text, const std::string& sha);
Result<Tree> parse_tree(std::string_view text);
/// GET /git/ref/heads/{branch}: the commit it is at.
Result<std::string> parse_ref(std::string_view text);
/// GET /git/commits/{sha}: its tree.
Result<std::string> parse_commit_tree(std::string_view text);
/// The "sha" of what a POST to /git/trees or /git/commits made.
Result<std::string> parse_made(std::string_view text);
/// The commit that a PUT or DELETE of contents made.
Result<std::string> parse_committed(std::string_view text);
Result<Site> parse_site(std::string_view text);
Result<Build> parse_build(std::string_view text);

/// Who is named as author and committer.
struct Person {
  std::string name;
  std::string email;
};

/// One commit on a branch.
struct CommitNote {
  std::string message;
  std::optional<Person> person;  ///< None: the owner of the token.
};

/// PUT /contents/{path}; `sha`: of what is replaced, "" for a new file.
std::string put_body(const std::string& branch, std::string_view content, const std::string& sha,
                     const CommitNote& note);
/// DELETE /contents/{path}.
std::string delete_body(const std::string& branch, const std::string& sha, const CommitNote& note);

/// A file that a new tree has otherwise than the old one.
struct Change {
  std::string path;
  std::string mode = "100644";
  std::optional<std::string> content;  ///< UTF-8; none: gone.
};

/// POST /git/trees. Precondition: every content is UTF-8.
std::string tree_body(const std::string& base, const std::vector<Change>& changes);
/// POST /git/commits.
std::string commit_body(const std::string& tree, const std::string& parent, const CommitNote& note);
/// PATCH /git/refs/heads/{branch}, only forward.
std::string ref_body(const std::string& commit);

}  // namespace stsctl::providers::github
