"""Bare git repositories for an emulator: every blob, tree and commit is a real one, made by or
readable for the `git` program. Knows no API."""

import hashlib
import os
import pathlib
import subprocess
import zlib


class Repository:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_DIR": str(self.folder),
            "GIT_INDEX_FILE": str(self.folder / "index-of-the-emulator")}
        self.folder.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", str(self.folder))

    def git(self, *arguments, stdin=b"", check=True, environment=None):
        done = subprocess.run(["git", *arguments], input=stdin, capture_output=True,
                              env={**self.environment, **(environment or {})})
        if check and done.returncode != 0:
            raise RuntimeError(f"git {arguments}: {done.stderr.decode()}")
        return done.stdout if done.returncode == 0 else None

    def resolve(self, name):
        """The object id that `name` stands for, or None."""
        if not name or name.startswith("-"):
            return None
        found = self.git("rev-parse", "--quiet", "--verify", "--end-of-options", name, check=False)
        return found.decode().strip() if found else None

    def kind(self, sha):
        found = self.git("cat-file", "-t", sha, check=False)
        return found.decode().strip() if found else None

    def branch(self, name):
        return self.resolve(f"refs/heads/{name}^{{commit}}")

    def branches(self):
        out = self.git("for-each-ref", "--format=%(refname:strip=2)", "refs/heads").decode()
        return out.split()

    def content(self, sha):
        return self.git("cat-file", "blob", sha)

    def files(self, treeish):
        """{path: (mode, content)} of all that lies below, by two processes."""
        blobs = [(path, mode, sha) for mode, kind, sha, _, path in self.entries(treeish, True) if kind == "blob"]
        out = self.git("cat-file", "--batch", stdin="".join(sha + "\n" for _, _, sha in blobs).encode())
        found, at = {}, 0
        for path, mode, _ in blobs:
            line = out.index(b"\n", at) + 1
            size = int(out[at:line].split()[2])
            found[path] = (mode, out[line:line + size])
            at = line + size + 1
        return found

    def write_blob(self, content):
        """As `git hash-object -w` does, without a process for each of a thousand files."""
        data = b"blob %d\0" % len(content) + content
        sha = hashlib.sha1(data).hexdigest()
        path = self.folder / "objects" / sha[:2] / sha[2:]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(data, 1))
        return sha

    def entries(self, treeish, recursive=False):
        """[(mode, type, sha, size or None, path)] of a tree; recursive: trees themselves too."""
        flags = ["-r", "-t"] if recursive else []
        listed = []
        for line in self.git("ls-tree", "-z", "-l", *flags, treeish).split(b"\0")[:-1]:
            facts, path = line.split(b"\t", 1)
            mode, kind, sha, size = facts.decode().split()
            listed.append((mode, kind, sha, None if size == "-" else int(size), path.decode()))
        return listed

    def entry(self, treeish, path):
        """The same of one path, or None."""
        line = self.git("ls-tree", "-z", "-l", treeish, "--", path).rstrip(b"\0")
        if not line:
            return None
        mode, kind, sha, size = line.split(b"\t", 1)[0].decode().split()
        return mode, kind, sha, None if size == "-" else int(size), path

    def write_tree(self, base, changes):
        """A tree that is `base` (or None) with [(mode, sha or None, path)] laid over it."""
        self.git("read-tree", base if base else "--empty")
        lines = b"".join(f"{mode if sha else 0} {sha or '0' * 40}\t{path}\0".encode()
                         for mode, sha, path in changes)
        self.git("update-index", "--replace", "-z", "--index-info", stdin=lines)
        return self.git("write-tree").decode().strip()

    def write_commit(self, tree, parents, message, author, committer):
        environment = {}
        for role, person in (("AUTHOR", author), ("COMMITTER", committer)):
            environment[f"GIT_{role}_NAME"], environment[f"GIT_{role}_EMAIL"] = person
        arguments = [argument for parent in parents for argument in ("-p", parent)]
        return self.git("commit-tree", tree, *arguments, stdin=message.encode(),
                        environment=environment).decode().strip()

    def move(self, branch, new, old):
        """Moves a branch from `old` (None: it is new) to `new`; False if it is elsewhere."""
        return self.git("update-ref", f"refs/heads/{branch}", new, old or "0" * 40,
                        check=False) is not None

    def is_ancestor(self, old, new):
        return self.git("merge-base", "--is-ancestor", old, new, check=False) is not None

    def commit_files(self, branch, files, message, person):
        """{path: text or None} as one commit on a branch."""
        head = self.branch(branch)
        changes = [("100644", None if text is None else self.write_blob(text.encode()), path)
                   for path, text in files.items()]
        tree = self.write_tree(head, changes)
        commit = self.write_commit(tree, [head] if head else [], message, person, person)
        self.move(branch, commit, head)
        return commit

    def log(self, branch):
        """The commits of a branch, newest first: sha, author, committer, message."""
        out = self.git("log", "-z", "--format=%H%n%an <%ae>%n%cn <%ce>%n%B", f"refs/heads/{branch}")
        names = ("sha", "author", "committer", "message")
        return [dict(zip(names, record.split("\n", 3))) for record in out.decode().split("\0") if record]

    def fsck(self):
        """Raises if an object is broken."""
        self.git("fsck", "--strict", "--no-dangling")
