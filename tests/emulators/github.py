"""GitHub's REST API for repositories, contents, git data and Pages, as far as stsctl and its rivals
use it, on top of real bare git repositories. Strict: what GitHub refuses is refused, with its
status and words (measured answers are marked *). tests/emulators/github_sdk_test.py drives it with
GitHub's own client.

State (GET adds what happened; see Service.load): `tokens` by value, each with `login`, `scopes` (classic)
or `permissions` (fine-grained: {"contents": "write", "pages": "read"}), and `repositories` it sees
(default: all); `repositories` by "owner/name"; `others`, what every repository is whose name fits
`others`["name"] and which is there from when it is first asked for; `neighbours`, who commit `files` to
`repository` just before the first request that fits `method` and `path`; `remaining` of the requests
there are until the Unix time `reset`; `builds`, how many looks a Pages build takes (-1: it fails).

A file is its text, or {"base64": …}. A PUT of {"commit": {"repository", "branch", "files"}} alone only
adds a neighbour's commit to what is there, one of {"change": {"repository", …}} changes facts of a
repository. look?repository=R&path=P tells one file of the branch main, {"content": base64 or null}.
"""

import base64
import binascii
import pathlib
import re
import tempfile
import time
import urllib.parse

import emulator
from git_store import Repository
from github_answers import Answers, Refusal
from github_call import NOT_SUPPLIED, SHA, Call, check_path, people
from github_git_data import GitData


class GitHub(GitData, emulator.Service):
    def __init__(self, options):
        super().__init__(options)
        self.answers = Answers()
        self.load({})

    # The state.

    def load(self, state):
        if "commit" in state:
            one = state["commit"]
            self.commit(one["repository"], one.get("branch", "main"), one["files"])
        elif "change" in state:
            self.repository(state["change"].pop("repository")).update(state["change"])
        else:
            self.lay_out(state)

    def lay_out(self, state):
        self.folder = tempfile.TemporaryDirectory(prefix="github-emulator-")
        self.tokens = state.get("tokens", {"token": {"login": "octocat", "scopes": ["repo"]}})
        self.neighbours = list(state.get("neighbours", []))
        self.remaining = state.get("remaining", 5000)
        self.reset = state.get("reset", int(time.time()) + 3600)
        self.looks = state.get("builds", 0)
        self.others = state.get("others", {})
        self.repositories = {}
        for name, facts in state.get("repositories", {}).items():
            self.make(name, facts)

    def make(self, name, facts):
        git = Repository(pathlib.Path(self.folder.name) / f"{len(self.repositories)}.git")
        made = {"name": name, "git": git, "builds": [], "private": False, "archived": False,
                "default_branch": "main", "pages": None, "protected": [], "tree_limit": 100000, **facts}
        if made["pages"] is not None:
            made["pages"] = dict(made["pages"])  # not shared by all of `others`
        self.repositories[name.lower()] = made
        for branch, files in facts.get("branches", {"main": {"README.md": "A repository.\n"}}).items():
            git.commit_files(branch, contents(files), "First commit\n", ("Somebody", "somebody@example.net"))
        return made

    def repository(self, name):
        """The repository of that name, or None."""
        found = self.repositories.get(name.lower())
        if found is None and self.others and re.fullmatch(self.others["name"], name):
            return self.make(name, {key: value for key, value in self.others.items() if key != "name"})
        return found

    def look(self, request):
        repository = self.repositories.get(request.parameter("repository").lower())
        head = repository and repository["git"].branch("main")
        entry = head and repository["git"].entry(head, request.parameter("path"))
        if not entry or entry[1] != "blob":
            return {"content": None}
        return {"content": base64.b64encode(repository["git"].content(entry[2])).decode()}

    def dump(self):
        shown = {}
        for repository in self.repositories.values():
            git = repository["git"]
            git.fsck()
            branches = {}
            for branch in git.branches():
                files = git.files(f"refs/heads/{branch}")
                branches[branch] = {
                    "commits": [{**one, "author": "{name} <{email}>".format(**one["author"])}
                                for one in git.log(branch)],
                    "modes": {path: mode for path, (mode, _) in files.items()},
                    "files": {path: text.decode("utf-8", "surrogateescape") for path, (_, text) in files.items()}}
            shown[repository["name"]] = {"builds": repository["builds"], "pages": repository["pages"], "git": git.folder,
                                         "branches": branches}
        return {"repositories": shown, "remaining": self.remaining}

    # What holds for every request.

    def handle(self, request):
        self.greet(request)
        try:
            status, value, headers = 200, *self.route(request)
            if isinstance(value, tuple):
                status, value = value
        except Refusal as refusal:
            status, headers = refusal.status, refusal.headers
            value = {"message": refusal.message, "status": str(refusal.status),
                     "documentation_url": "https://docs.github.com/rest", **refusal.more}
        return emulator.json_reply(status, value, [*headers, *self.rate_headers()])

    def greet(self, request):
        for neighbour in list(self.neighbours):
            if request.method == neighbour["method"] and re.search(neighbour["path"], request.path):
                self.neighbours.remove(neighbour)
                self.commit(neighbour["repository"], neighbour.get("branch", "main"), neighbour["files"])

    def rate_headers(self):
        return [("X-RateLimit-Limit", "5000"), ("X-RateLimit-Remaining", str(self.remaining)),
                ("X-RateLimit-Reset", str(self.reset)), ("X-RateLimit-Resource", "core"),
                ("X-GitHub-Media-Type", "github.v3; format=json")]

    def route(self, request):
        if not request.header("User-Agent"):
            raise Refusal(403, "Request forbidden by administrative rules. Please make sure your "
                               "request has a User-Agent header")
        if request.header("X-GitHub-Api-Version", "2022-11-28") not in ("2022-11-28", "2026-03-10"):
            raise Refusal(400, "The version of the API that was requested is not supported")
        token = self.authenticate(request)
        if self.remaining <= 0:
            raise Refusal(403, f"API rate limit exceeded for user ID 1 ({token['login']}).")
        self.remaining -= 1
        found = re.match(r"/repos/([^/]+)/([^/]+)(/.*)?$", request.path)
        if not found:
            raise Refusal(404, "Not Found")
        owner, name, rest = (urllib.parse.unquote(part or "") for part in found.groups())
        repository = self.find(token, f"{owner}/{name}")
        for method, pattern, action in ROUTES:
            match = re.fullmatch(pattern, rest)
            if match and request.method == method:
                self.permit(token, repository, method, rest)
                value = action(self, Call(request, repository, token), *match.groups())
                return value, []
        raise Refusal(404, "Not Found")

    def authenticate(self, request):
        scheme, _, value = request.header("Authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "token"):
            raise Refusal(401, "Requires authentication")
        if value not in self.tokens:
            raise Refusal(401, "Bad credentials")
        return self.tokens[value]

    def find(self, token, name):
        """Hidden repositories answer as if they were not there."""
        repository = self.repository(name)
        if repository is None:
            raise Refusal(404, "Not Found")
        if "renamed_to" in repository:
            location = f"https://api.github.com/repos/{repository['renamed_to']}"
            raise Refusal(301, "Moved Permanently", [("Location", location)], url=location)
        sees = name.lower() in [one.lower() for one in token.get("repositories", self.repositories)]
        if repository["private"] and not (sees and ("permissions" in token or "repo" in token.get("scopes", []))):
            raise Refusal(404, "Not Found")
        return repository

    def permit(self, token, repository, method, rest):
        area = "pages" if rest.startswith("/pages") else "contents"
        level = "read" if method == "GET" else "write"
        scopes = {"repo"} if repository["private"] else {"repo", "public_repo"}
        if rest == "":
            return
        if "permissions" in token:
            sees = repository["name"].lower() in [
                one.lower() for one in token.get("repositories", self.repositories)]
            granted = token["permissions"].get(area) if sees else None
            if level == "read" and area == "contents" and not repository["private"]:
                granted = "read"
            if granted not in ("write", level):
                raise Refusal(403, "Resource not accessible by personal access token",
                              [("X-Accepted-GitHub-Permissions", f"{area}={level}")])
        elif level == "write" and not scopes & set(token.get("scopes", [])):
            raise Refusal(404, "Not Found")
        if level == "write" and repository["archived"]:
            raise Refusal(403, "Repository was archived so is read-only.")

    # Repositories and contents.

    def get_repository(self, call):
        return self.answers.repository(call.repository)

    def get_contents(self, call, path):
        git = call.git
        if not git.branches():
            raise Refusal(404, "This repository is empty.")
        ref = call.request.parameter("ref") or call.repository["default_branch"]
        commit = git.branch(ref) or (git.resolve(ref + "^{commit}") if SHA.match(ref) else None)
        if commit is None:
            raise Refusal(404, f"No commit found for the ref {ref}")
        entry = git.entry(commit, path)
        if entry is None:
            raise Refusal(404, "Not Found")
        if entry[1] == "tree":
            return [self.answers.contents(call.repository, one, f"{path}/{one[4]}", None)
                    for one in git.entries(entry[2])]
        if entry[1] == "commit":
            return self.answers.submodule(call.repository, entry, path)
        return self.answers.contents(call.repository, entry, path, git.content(entry[2]))

    def put_contents(self, call, path):
        body = call.json()
        branch = body.get("branch", call.repository["default_branch"])
        head = call.git.branch(branch)
        if head is None and (call.git.branches() or branch != call.repository["default_branch"]):
            raise Refusal(404, f"Branch {branch} not found")
        for name in ("message", "content"):
            if not isinstance(body.get(name), str):
                raise Refusal(422, NOT_SUPPLIED.format(name))
        check_path(path, "path")
        try:
            content = base64.b64decode(body["content"].replace("\n", ""), validate=True)
        except (binascii.Error, ValueError):
            raise Refusal(422, "content is not valid Base64") from None
        there = call.git.entry(head, path) if head else None
        if there and there[1] != "blob":
            raise Refusal(422, f"{path} is a directory")
        self.check_swap(path, there, body)
        sha = call.git.write_blob(content)
        commit = self.commit_one(call, branch, head, (there[0] if there else "100644", sha, path), body)
        entry = call.git.entry(commit, path)
        value = {"content": self.answers.contents(call.repository, entry, path, None),
                 "commit": self.answers.file_commit(call.repository, commit)}
        return (200 if there else 201), value

    def delete_contents(self, call, path):
        body = call.json()
        branch = body.get("branch", call.repository["default_branch"])
        head = call.git.branch(branch)
        if head is None:
            raise Refusal(404, f"Branch {branch} not found")
        for name in ("message", "sha"):
            if not isinstance(body.get(name), str):
                raise Refusal(422, NOT_SUPPLIED.format(name))
        there = call.git.entry(head, path)
        if there is None:
            raise Refusal(404, "Not Found")
        self.check_swap(path, there, body)
        commit = self.commit_one(call, branch, head, ("100644", None, path), body)
        return {"content": None, "commit": self.answers.file_commit(call.repository, commit)}

    @staticmethod
    def check_swap(path, there, body):
        """* A missing `sha` is 422, another one 409; where there is no file it is ignored."""
        if there and not isinstance(body.get("sha"), str):
            raise Refusal(422, NOT_SUPPLIED.format("sha"))
        if there and body["sha"] != there[2]:
            raise Refusal(409, f"{path} does not match {body['sha']}")

    def commit_one(self, call, branch, head, change, body):
        if branch in call.repository["protected"]:
            raise Refusal(409, "Repository rule violations found\n\nChanges must be made through a pull request.\n\n")
        author, committer = people(call.token, body)
        tree = call.git.write_tree(head, [change])
        commit = call.git.write_commit(tree, [head] if head else [], body["message"], author, committer)
        call.git.move(branch, commit, head)
        self.moved(call.repository, branch)
        return commit

    # Pages.

    def get_pages(self, call):
        if call.repository["pages"] is None:
            raise Refusal(404, "Not Found")
        return self.answers.pages(call.repository)

    def get_build(self, call):
        builds = call.repository["builds"]
        if call.repository["pages"] is None or not builds:
            raise Refusal(404, "Not Found")
        latest = builds[-1]
        if latest["status"] == "building":
            latest["looks"] -= 1
            if latest["looks"] <= 0:
                latest["status"] = "errored" if latest["looks"] < 0 else "built"
        return self.answers.build(call.repository, latest)

    def moved(self, repository, branch):
        """Pages builds what is committed to its branch, and takes its name from CNAME."""
        pages = repository["pages"]
        if pages is None or pages.get("build_type", "legacy") != "legacy" or pages.get("branch", "main") != branch:
            return
        head = repository["git"].branch(branch)
        name = repository["git"].entry(head, (pages.get("folder", "/") + "/CNAME").lstrip("/"))
        pages["cname"] = repository["git"].content(name[2]).decode().strip() if name else None
        status = "built" if self.looks == 0 else "building"
        repository["builds"].append({"commit": head, "status": status, "looks": self.looks})

    def commit(self, name, branch, files):
        repository = self.repository(name)
        repository["git"].commit_files(branch, contents(files), "A neighbour's commit\n",
                                       ("Neighbour", "neighbour@example.net"))
        self.moved(repository, branch)


def contents(files):
    """The bytes of `files` as a state has them."""
    def content(file):
        if file is None:
            return None
        return file.encode() if isinstance(file, str) else base64.b64decode(file["base64"])
    return {path: content(file) for path, file in files.items()}


ROUTES = [
    ("GET", r"", GitHub.get_repository),
    ("GET", r"/contents/(.*)", GitHub.get_contents),
    ("PUT", r"/contents/(.+)", GitHub.put_contents),
    ("DELETE", r"/contents/(.+)", GitHub.delete_contents),
    ("GET", r"/git/ref/heads/(.+)", GitHub.get_ref),
    ("PATCH", r"/git/refs/heads/(.+)", GitHub.patch_ref),
    ("GET", r"/git/commits/([^/]+)", GitHub.get_commit),
    ("POST", r"/git/commits", GitHub.post_commit),
    ("GET", r"/git/trees/(.+)", GitHub.get_tree),
    ("POST", r"/git/trees", GitHub.post_tree),
    ("GET", r"/git/blobs/([^/]+)", GitHub.get_blob),
    ("GET", r"/pages", GitHub.get_pages),
    ("GET", r"/pages/builds/latest", GitHub.get_build),
]

if __name__ == "__main__":
    emulator.main(GitHub, __doc__)
