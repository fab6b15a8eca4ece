"""What packages say agrees with the tree: one version, one list of libraries, and a tarball that is the same twice.

Usage: test_packaging.py SOURCE_ROOT
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# What building any package needs, or what Debian calls otherwise in a package's own list.
NOT_LIBRARIES = {"build-essential", "pkg-config", "pkgconf", "cmake", "ninja-build", "debhelper-compat"}


def read(root, *names):
    return root.joinpath(*names).read_text(encoding="utf-8")


def versions(root):
    return {
        "CMakeLists.txt": re.search(r"^project\(scrapetop VERSION ([\d.]+)", read(root, "CMakeLists.txt"), re.M)[1],
        "debian/changelog": re.match(r"scrapetop \(([\d.]+)-", read(root, "debian", "changelog"))[1],
    }


def library_lists(root):
    """The same libraries, as three files tell them."""
    control = read(root, "debian", "control")
    wanted = re.search(r"^Build-Depends:\n((?: .*\n)+)", control, re.M)[1]
    deps = re.search(r"^build=\((.*?)^\)", read(root, "scripts", "deps"), re.M | re.S)[1]
    cmake = read(root, "cmake", "libraries.cmake")
    return {
        "debian/control": set(re.findall(r"^ ([a-z0-9.+-]+)", wanted, re.M)) - NOT_LIBRARIES,
        "scripts/deps": set(deps.split()) - NOT_LIBRARIES,
        "cmake/libraries.cmake": set(re.findall(r"^ *scrapetop_library\(\w+ \S+ (\S+?)\)", cmake, re.M)),
    }


def tarball(root, place):
    done = subprocess.run([str(root / "scripts" / "release"), "--source", place], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"scripts/release --source ended with {done.returncode}: {done.stderr}")
    with open(done.stdout.strip(), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def container_faults(root):
    """What a container's engine would find late or never; tests/e2e/test_container.py runs the commands."""
    text = read(root, "Containerfile")
    bases = re.findall(r"^FROM (\S+)", text, re.M)
    if len(bases) != 2 or len(set(bases)) != 1:
        yield f"Containerfile: not built for the release that it runs on: {bases}"
    user = re.findall(r"^USER (\S+)$", text, re.M)
    if not user or user[-1].split(":")[0] in ("0", "root"):
        yield "Containerfile: it runs as root"
    # Only the form of a list makes the program itself process 1, which gets the signals.
    for word in ("ENTRYPOINT", "CMD", "HEALTHCHECK .*CMD"):
        lists = [line for line in re.findall(rf"^{word} (.*)$", text, re.M) if line.startswith("[")]
        if len(lists) != 1 or not all(isinstance(part, str) for part in json.loads(lists[0])):
            yield f"Containerfile: {word} is not one list of words"
    built = re.findall(r"dockerfile: (\w+)", read(root, "compose.yaml"))
    if built != ["Containerfile"]:
        yield f"compose.yaml builds {built}"


def main(root):
    faults = []
    told = versions(root)
    if len(set(told.values())) != 1:
        faults.append(f"more than one version: {told}")
    lists = library_lists(root)
    all_of_them = set.union(*lists.values())
    for name, own in lists.items():
        if own != all_of_them:
            faults.append(f"{name} lacks {', '.join(sorted(all_of_them - own))}")
    faults.extend(container_faults(root))
    if (root / ".git").exists() and shutil.which("git"):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            if tarball(root, one) != tarball(root, two):
                faults.append("two tarballs of one commit differ")
    else:
        print("no git, or no repository of it: whether two tarballs are the same was not looked at", file=sys.stderr)
    for fault in faults:
        print(fault, file=sys.stderr)
    return bool(faults)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not os.path.isdir(sys.argv[1]):
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1])))
