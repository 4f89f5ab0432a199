"""Bare git repositories for an emulator: every blob, tree and commit is a real one, made by libgit2 and
judged by the `git` program. Knows no API."""

import os
import subprocess
import time

import pygit2


def oid(text):
    return pygit2.Oid(hex=text)


class Repository:
    def __init__(self, folder):
        self.folder = str(folder)
        self.store = pygit2.init_repository(self.folder, bare=True, initial_head="main")

    def object(self, name):
        """The object that `name` stands for, or None."""
        try:
            return self.store.revparse_single(name)
        except (KeyError, ValueError, pygit2.GitError):
            return None

    def resolve(self, name):
        """The id of the same."""
        found = self.object(name)
        return found and str(found.id)

    def kind(self, sha):
        """"blob", "tree", "commit", "tag", or None."""
        try:
            return self.store[sha].type_str
        except (KeyError, ValueError):
            return None

    def branch(self, name):
        return self.resolve(f"refs/heads/{name}^{{commit}}")

    def branches(self):
        return list(self.store.branches.local)

    def content(self, sha):
        return self.store[sha].data

    def tree(self, treeish):
        return self.object(treeish + "^{tree}")

    def files(self, treeish):
        """{path: (mode, content)} of all that lies below."""
        return {path: (mode, self.content(sha)) for mode, kind, sha, _, path in self.entries(treeish, True)
                if kind == "blob"}

    def write_blob(self, content):
        return str(self.store.create_blob(content))

    @staticmethod
    def facts(entry, path):
        """(mode, type, sha, size or None, path)"""
        kind = entry.type_str
        return f"{entry.filemode:06o}", kind, str(entry.id), entry.size if kind == "blob" else None, path

    def entries(self, treeish, recursive=False):
        """The facts of what is in a tree; recursive: trees themselves too."""
        listed = []

        def walk(tree, above):
            for entry in tree:
                listed.append(self.facts(entry, above + entry.name))
                if recursive and entry.type_str == "tree":
                    walk(entry, f"{above}{entry.name}/")

        walk(self.tree(treeish), "")
        return listed

    def entry(self, treeish, path):
        """The same of one path, or None."""
        try:
            return self.facts(self.tree(treeish)[path], path)
        except KeyError:
            return None

    def write_tree(self, base, changes):
        """A tree that is `base` (or None) with [(mode, sha or None, path)] laid over it."""
        index = pygit2.Index()
        if base:
            index.read_tree(self.tree(base))
        for mode, sha, path in changes:
            if sha:
                index.add(pygit2.IndexEntry(path, oid(sha), int(mode, 8)))
            elif path in index:
                index.remove(path)
        return str(index.write_tree(self.store))

    def write_commit(self, tree, parents, message, author, committer):
        now = int(time.time())
        people = [pygit2.Signature(*person, now, 0) for person in (author, committer)]
        return str(self.store.create_commit(None, *people, message, oid(tree), [oid(one) for one in parents]))

    def move(self, branch, new, old):
        """Moves a branch from `old` (None: it is new) to `new`; False if it is elsewhere."""
        if self.branch(branch) != old:
            return False
        self.store.references.create(f"refs/heads/{branch}", oid(new), force=True)
        return True

    def is_ancestor(self, old, new):
        return old == new or self.store.descendant_of(oid(new), oid(old))

    def commit_files(self, branch, files, message, person):
        """{path: bytes or None} as one commit on a branch."""
        head = self.branch(branch)
        changes = [("100644", None if content is None else self.write_blob(content), path)
                   for path, content in files.items()]
        tree = self.write_tree(head, changes)
        commit = self.write_commit(tree, [head] if head else [], message, person, person)
        self.move(branch, commit, head)
        return commit

    def commit(self, sha):
        """tree, parents, message, and for author and committer name, email and date."""
        found = self.store[sha]
        people = {
            role: {"name": one.name, "email": one.email,
                   "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.time))}
            for role, one in (("author", found.author), ("committer", found.committer))}
        return {"sha": str(found.id), "tree": str(found.tree_id), "parents": list(map(str, found.parent_ids)),
                "message": found.message, **people}

    def log(self, branch):
        """The commits of a branch, newest first."""
        head = self.branch(branch)
        order = pygit2.GIT_SORT_TOPOLOGICAL
        return [self.commit(str(one.id)) for one in self.store.walk(oid(head), order)] if head else []

    def fsck(self):
        """Raises if an object is broken."""
        done = subprocess.run(["git", "fsck", "--strict", "--no-dangling"], capture_output=True, env={
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.folder,
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_DIR": self.folder})
        if done.returncode != 0:
            raise RuntimeError(f"git fsck: {done.stderr.decode()}")
