"""The JSON that GitHub's REST API answers with, in the form of its published OpenAPI description.
Knows no request."""

import base64
import urllib.parse

API = "https://api.github.com/repos/"
SITE = "https://github.com/"
LONGEST_CONTENTS = 1 << 20
VERIFICATION = {"verified": False, "reason": "unsigned", "signature": None, "payload": None,
                "verified_at": None}


class Refusal(Exception):
    def __init__(self, status, message, headers=(), **more):
        super().__init__(message)
        self.status, self.message, self.headers, self.more = status, message, list(headers), more


def node(*parts):
    return base64.b64encode(":".join(str(part) for part in parts).encode()).decode()


def lines(content):
    """Base64 with a line end after each 60 characters, as GitHub writes it."""
    text = base64.b64encode(content).decode()
    return "".join(text[i:i + 60] + "\n" for i in range(0, len(text), 60))


class Answers:
    def repository(self, repository):
        """The members that clients look at, of nearly a hundred."""
        name = repository["name"]
        owner = name.split("/")[0]
        return {"id": 1, "node_id": node("Repository", 1), "name": name.split("/")[1], "full_name": name,
                "owner": {"login": owner, "id": 1, "type": "User"}, "private": repository["private"],
                "url": API + name, "html_url": SITE + name, "archived": repository["archived"],
                "default_branch": repository["default_branch"], "has_pages": repository["pages"] is not None}

    def contents(self, repository, entry, path, content):
        mode, kind, sha, size, _ = entry
        name, quoted = repository["name"], urllib.parse.quote(path)
        branch = repository["default_branch"]
        urls = {"self": f"{API}{name}/contents/{quoted}?ref={branch}",
                "git": f"{API}{name}/git/{kind}s/{sha}", "html": f"{SITE}{name}/blob/{branch}/{quoted}"}
        value = {"type": "dir" if kind == "tree" else "file", "size": size or 0,
                 "name": path.split("/")[-1], "path": path, "sha": sha, "url": urls["self"],
                 "git_url": urls["git"], "html_url": urls["html"],
                 "download_url": None if kind == "tree" else
                 f"https://raw.githubusercontent.com/{name}/{branch}/{quoted}", "_links": urls}
        if mode == "120000" and content is not None:
            return {**value, "type": "symlink", "target": content.decode()}
        if content is None:
            return value
        if len(content) > LONGEST_CONTENTS:
            return {**value, "encoding": "none", "content": ""}
        return {**value, "encoding": "base64", "content": lines(content)}

    def submodule(self, repository, entry, path):
        value = self.contents(repository, entry, path, None)
        return {**value, "type": "submodule", "submodule_git_url": SITE + "octocat/other.git"}

    def ref(self, repository, branch, commit):
        name = repository["name"]
        return {"ref": f"refs/heads/{branch}", "node_id": node("Ref", branch),
                "url": f"{API}{name}/git/refs/heads/{branch}",
                "object": {"type": "commit", "sha": commit, "url": f"{API}{name}/git/commits/{commit}"}}

    def commit(self, repository, sha):
        name, facts = repository["name"], repository["git"].commit(sha)
        return {"sha": sha, "node_id": node("Commit", sha), "url": f"{API}{name}/git/commits/{sha}",
                "html_url": f"{SITE}{name}/commit/{sha}", "author": facts["author"],
                "committer": facts["committer"], "message": facts["message"].rstrip("\n"),
                "tree": {"sha": facts["tree"], "url": f"{API}{name}/git/trees/{facts['tree']}"},
                "parents": [{"sha": parent, "url": f"{API}{name}/git/commits/{parent}",
                             "html_url": f"{SITE}{name}/commit/{parent}"} for parent in facts["parents"]],
                "verification": VERIFICATION}

    file_commit = commit

    def tree(self, repository, sha, entries, limit):
        name = repository["name"]
        shown = []
        for mode, kind, one, size, path in entries[:limit]:
            entry = {"path": path, "mode": mode, "type": kind, "sha": one}
            if kind == "blob":
                entry["size"] = size
            if kind != "commit":
                entry["url"] = f"{API}{name}/git/{kind}s/{one}"
            shown.append(entry)
        return {"sha": sha, "url": f"{API}{name}/git/trees/{sha}", "tree": shown,
                "truncated": len(entries) > limit}

    def blob(self, repository, sha, content):
        return {"sha": sha, "node_id": node("Blob", sha), "size": len(content),
                "url": f"{API}{repository['name']}/git/blobs/{sha}", "content": lines(content),
                "encoding": "base64"}

    def pages(self, repository):
        pages, name = repository["pages"], repository["name"]
        kind = pages.get("build_type", "legacy")
        value = {"url": f"{API}{name}/pages", "status": "built" if kind == "legacy" else None,
                 "cname": pages.get("cname"), "custom_404": False,
                 "html_url": "https://" + (pages.get("cname") or f"{name.split('/')[0].lower()}.github.io/"),
                 "build_type": kind, "source": {"branch": pages.get("branch", "main"),
                                                "path": pages.get("folder", "/")},
                 "public": pages.get("public", True), "protected_domain_state": None,
                 "pending_domain_unverified_at": None, "https_enforced": False}
        if pages.get("certificate"):
            value["https_certificate"] = {"state": pages["certificate"], "domains": [pages["cname"]],
                                          "description": pages.get("description", "The state of it.")}
        return value

    def build(self, repository, build):
        failed = build["status"] == "errored"
        return {"url": f"{API}{repository['name']}/pages/builds/1", "status": build["status"],
                "error": {"message": "Page build failed." if failed else None},
                "pusher": None, "commit": build["commit"], "duration": 2104,
                "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:02Z"}
