"""The part of GitHub's REST API that speaks of git's own objects: refs, commits, trees, blobs."""

from github_answers import Refusal
from github_call import NOT_SUPPLIED, SHA, check_path, people

MODES = {"100644": "blob", "100755": "blob", "120000": "blob", "040000": "tree", "160000": "commit"}


class GitData:
    """Mixed into the service, which has `answers`, and `moved` for a branch that was moved."""

    def git_only(self, call):
        if not call.git.branches():
            raise Refusal(409, "Git Repository is empty.")

    def get_ref(self, call, ref):
        self.git_only(call)
        commit = call.git.branch(ref)
        if commit is None:
            raise Refusal(404, "Not Found")
        return self.answers.ref(call.repository, ref, commit)

    def patch_ref(self, call, ref):
        body = call.json()
        if not isinstance(body.get("sha"), str):
            raise Refusal(422, NOT_SUPPLIED.format("sha"))
        head = call.git.branch(ref)
        if head is None:
            raise Refusal(422, "Reference does not exist")
        if not SHA.match(body["sha"]) or call.git.kind(body["sha"]) != "commit":
            raise Refusal(422, "Object does not exist")
        if not call.git.is_ancestor(head, body["sha"]) and body.get("force") is not True:
            raise Refusal(422, "Update is not a fast forward")
        if ref in call.repository["protected"]:
            raise Refusal(422, "Repository rule violations found\n\nChanges must be made through a pull request.\n\n")
        call.git.move(ref, body["sha"], head)
        self.moved(call.repository, ref)
        return self.answers.ref(call.repository, ref, body["sha"])

    def get_commit(self, call, sha):
        self.git_only(call)
        if not SHA.match(sha) or call.git.kind(sha) != "commit":
            raise Refusal(404, "Not Found")
        return self.answers.commit(call.repository, sha)

    def post_commit(self, call):
        self.git_only(call)
        body = call.json()
        for name in ("message", "tree"):
            if not isinstance(body.get(name), str):
                raise Refusal(422, NOT_SUPPLIED.format(name))
        if not SHA.match(body["tree"]) or call.git.kind(body["tree"]) != "tree":
            raise Refusal(422, "Tree SHA does not exist")
        parents = body.get("parents", [])
        if not all(SHA.match(str(parent)) and call.git.kind(parent) == "commit" for parent in parents):
            raise Refusal(422, "Parent SHA does not exist or is not a commit object")
        author, committer = people(call.token, body)
        commit = call.git.write_commit(body["tree"], parents, body["message"], author, committer)
        return 201, self.answers.commit(call.repository, commit)

    def get_tree(self, call, name):
        self.git_only(call)
        tree = call.git.resolve(("" if SHA.match(name) else "refs/heads/") + name + "^{tree}")
        if tree is None:
            raise Refusal(404, "Not Found")
        entries = call.git.entries(tree, call.request.parameter("recursive") is not None)
        return self.answers.tree(call.repository, tree, entries, call.repository["tree_limit"])

    def post_tree(self, call):
        self.git_only(call)
        body = call.json()
        if not isinstance(body.get("tree"), list) or not body["tree"]:
            raise Refusal(422, "Invalid tree info")
        base = None
        if body.get("base_tree"):
            base = call.git.resolve(str(body["base_tree"]) + "^{tree}")
            if base is None:
                raise Refusal(422, "base_tree is not a valid tree oid")
        changes = [self.tree_change(call, base, entry) for entry in body["tree"]]
        tree = call.git.write_tree(base, changes)
        return 201, self.answers.tree(call.repository, tree, call.git.entries(tree), 100000)

    def tree_change(self, call, base, entry):
        path, mode, sha = entry.get("path"), entry.get("mode"), entry.get("sha")
        if not isinstance(path, str):
            raise Refusal(422, NOT_SUPPLIED.format("path"))
        check_path(path, "tree.path")
        if mode not in MODES:
            raise Refusal(422, "Must supply a valid tree.mode")
        if ("sha" in entry) == ("content" in entry):
            raise Refusal(422, "Must supply either tree.sha or tree.content. Request will be rejected "
                               "if both are present.")
        if "content" in entry:
            return mode, call.git.write_blob(entry["content"].encode()), path
        if sha is None:
            if base is None or call.git.entry(base, path) is None:
                raise Refusal(422, "GitRPC::BadObjectState")
            return mode, None, path
        if not SHA.match(str(sha)) or call.git.kind(sha) != MODES[mode]:
            raise Refusal(422, f"tree.sha {sha} is not a valid {MODES[mode]}")
        return mode, sha, path

    def get_blob(self, call, sha):
        self.git_only(call)
        if not SHA.match(sha) or call.git.kind(sha) != "blob":
            raise Refusal(404, "Not Found")
        return self.answers.blob(call.repository, sha, call.git.content(sha))
