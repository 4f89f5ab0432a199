"""Installs a folder's locked npm packages below the build folder, once."""

import os
import pathlib
import shutil
import subprocess

LISTS = (".npmrc", "package.json", "package-lock.json")


def install(folder):
    """Copies the lists and scripts of `folder` and installs what they name; the copy's path."""
    folder = pathlib.Path(folder)
    copy = pathlib.Path(os.environ["STSCTL_BINARY_DIR"]) / "npm" / folder.name
    copy.mkdir(parents=True, exist_ok=True)
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
    return copy
