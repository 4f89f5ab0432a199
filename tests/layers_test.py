"""Holds every #include against the two tables of docs/architecture.md."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROJECT = {"base", "dns", "sts", "plan", "rollout", "config", "io", "serve", "reports", "providers", "engine",
           "cli"}
STANDARD = re.compile(r"[a-z_0-9]+$|(sys|arpa|netinet|net)/[a-z_0-9]+\.h$|"
                      r"(unistd|fcntl|glob|spawn|poll|pthread|netdb|resolv|signal|dlfcn)\.h$|fmt/.*")


def tables():
    layers, libraries = {}, {}
    for line in (ROOT / "docs" / "architecture.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 2 or cells[0].startswith("-") or cells[0] in ("folder", "third party"):
            continue
        if re.fullmatch(r"(src/[a-z]+|providers)", cells[0]):
            layers[cells[0].removeprefix("src/")] = set(cells[1].split())
        else:
            libraries[cells[0]] = [place.strip() for place in cells[1].split(",")]
    return layers, libraries


def layer_of(path):
    return "providers" if path.parts[0] == "providers" else path.parts[1]


def library_allowed(path, include, libraries):
    for name, places in libraries.items():
        if name.lower().replace("nlohmann/json", "nlohmann") not in include.lower():
            continue
        for place in places:
            if place == ".cpp files":
                return path.suffix == ".cpp"
            if str(path).startswith(place):
                return True
        return False
    return bool(STANDARD.match(include))


def faults(path, layers, libraries):
    layer = layer_of(path)
    for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
        found = re.match(r'#include ([<"])([^">]+)[">]', line)
        if not found:
            continue
        kind, include = found.groups()
        if kind == '"':
            target = include.split("/")[0]
            good = target in PROJECT and (target == layer or target in layers[layer])
        else:
            good = library_allowed(path, include, libraries)
        if not good:
            yield f"{path}:{number}: {line}"


def main():
    layers, libraries = tables()
    assert set(layers) == PROJECT, f"the table names {sorted(layers)}"
    files = [p.relative_to(ROOT) for top in ("src", "providers") for p in (ROOT / top).rglob("*")
             if p.suffix in (".h", ".cpp") and p.name != "main.cpp"]
    bad = [fault for path in sorted(files) for fault in faults(path, layers, libraries)]
    # The check itself must be able to fail.
    assert not library_allowed(pathlib.Path("src/plan/x.cpp"), "yaml-cpp/yaml.h", libraries)
    assert not library_allowed(pathlib.Path("src/plan/x.h"), "nlohmann/json.hpp", libraries)
    print("\n".join(bad) or f"{len(files)} files keep to the layers")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
