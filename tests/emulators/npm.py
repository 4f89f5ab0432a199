"""Installs a folder's locked npm packages below the build folder, once; `npm.py FOLDER` prints where."""

import fcntl
import os
import pathlib
import shutil
import subprocess
import sys

LISTS = (".npmrc", "package.json", "package-lock.json")


def install(folder):
    """Copies the lists and scripts of `folder` and installs what they name; the copy's path."""
    folder = pathlib.Path(folder)
    copy = pathlib.Path(os.environ["STSCTL_BINARY_DIR"]) / "npm" / folder.name
    copy.mkdir(parents=True, exist_ok=True)
    with open(copy / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side
        install_into(copy, folder)
    return copy


def install_into(copy, folder):
    marker = copy / "installed.json"
    wanted = "".join((folder / name).read_text() for name in LISTS)
    for script in (*LISTS, *(path.name for path in folder.glob("*.mjs"))):
        shutil.copy(folder / script, copy / script)
    if not marker.exists() or marker.read_text() != wanted:
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=copy,
                              text=True, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"npm ci: {done.stdout}{done.stderr}")
        marker.write_text(wanted)


if __name__ == "__main__":
    print(install(sys.argv[1]))
