"""SBOMs of the same lock files by us and by others: what each found, and what they found that we did not.

    sbom.py CORPORA SEALWRIGHT [PROJECT…]

Each tool gets a copy of the lock file and its manifest in a folder of its own, and no network. Packages are compared by
package URL without qualifiers, licences by the package that has one, hashes by their value, edges by both ends. Ends
with 1 if a peer found what we did not and EXPLAINED does not say why that is right, or if EXPLAINED says too much.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from urllib.parse import unquote

from sbom_explained import EXPLAINED

INSTALLED = Path(__file__).resolve().parent / "sbom"
NODE, PYTHON, GO = (INSTALLED / there for there in ("node_modules/.bin", ".venv/bin", "bin"))

# lock files by what cdxgen calls their kind, after the manifest that is copied beside them
KINDS = {
    "rust": ["Cargo.toml", "Cargo.lock"],
    "js": ["package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"],
    "python": ["pyproject.toml", "poetry.lock", "uv.lock", "Pipfile.lock", "pylock.toml", "requirements.txt"],
    "go": ["go.sum", "go.mod"],
    "java": ["settings.xml", "pom.xml"],
    "gradle": ["build.gradle", "gradle.lockfile"],
    "php": ["composer.json", "composer.lock"],
    "dotnet": ["Directory.Build.props", "packages.lock.json"],
    "swift": ["Package.swift", "Package.resolved"],
    "elixir": ["mix.exs", "mix.lock"],
}
LOCKS = {lock: (kind, manifest) for kind, (manifest, *locks) in KINDS.items() for lock in locks}
# the real projects, and of the kinds that they lack Trivy's fixtures; a file under another name gets that of its kind
PROJECTS = {
    "ripgrep": "real/ripgrep/Cargo.lock",
    "sigstore-rust": "real/sigstore-rust/Cargo.lock",
    "uv, cargo": "real/uv/Cargo.lock",
    "sigstore-js": "real/sigstore-js/package-lock.json",
    "fedramp-web": "real/fedramp-web/src/web/package-lock.json",
    "cdxgen-v1": "real/cdxgen-v1/test/data/package-json/v1/package-lock.json",
    "cdxgen-pnpm5": "real/cdxgen-pnpm5/test/data/pnpm-lock.yaml",
    "bytemd": "real/bytemd/test/data/pnpm_locks/bytemd-pnpm-lock.yaml",
    "witness-docs": "real/witness-docs/docs-website/yarn.lock",
    "poetry-702": "real/poetry-702/tests/_data/infiles/poetry/regression-issue702/lock21/poetry.lock",
    "uv": "real/uv/uv.lock",
    "syft": "real/syft/go.mod",
    "junit-plugin": "real/junit-plugin/pom.xml",
    "bun": "trivy-fixtures/bun/bun.lock",
    "poetry": "trivy-fixtures/poetry/poetry.lock",
    "pipenv": "trivy-fixtures/trivy-ci-test/Pipfile.lock",
    "pylock": "trivy-fixtures/pylock/pylock.toml",
    "pip": "trivy-fixtures/pip/requirements.txt",
    "pom": "trivy-fixtures/pom/pom.xml",
    "gradle": "trivy-fixtures/gradle/gradle.lockfile",
    "composer": "trivy-fixtures/composer/composer.lock",
    "nuget": "trivy-fixtures/nuget/packages.lock.json",
    "swift": "trivy-fixtures/swift/Package.resolved",
    "mix": "trivy-fixtures/mixlock/mix.lock",
}
COLUMNS = ("purls", "licences", "hashes", "edges")
# whatever a tool would fetch, it does not get; nor may it let a package manager tell what the lock file does not
NOWHERE = "http://127.0.0.1:9"
OFFLINE = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "MAVEN_CENTRAL_URL"), NOWHERE) | {
    "CDXGEN_ALLOWED_COMMANDS": "none", "CDXGEN_ALLOWED_HOSTS": "localhost", "FETCH_LICENSE": "false", "GOPROXY": "off",
    "GOTOOLCHAIN": "local", "PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "npm_config_offline": "true",
    "SYFT_CHECK_FOR_APP_UPDATE": "false", "SYFT_JAVASCRIPT_INCLUDE_DEV_DEPENDENCIES": "true",
}  # fmt: skip


def commands(ours, project, kind, lock, folder, out):
    """Name and command line of each tool that says it reads such a lock file, ours first, and again with a name."""
    make = [ours, "sbom", "generate", folder, "--out", out]
    yield "ours", make
    yield "ours", [*make, "--name", re.sub(r"\W+", "-", project), "--product-version", "0"]
    yield "syft", [GO / "syft", "scan", f"dir:{folder}", "--quiet", "--output", f"cyclonedx-json={out}"]
    yield "cdxgen", [NODE / "cdxgen", "--type", kind, "--no-install-deps", "--output", out, folder]
    if lock == "package-lock.json":
        only = ["--package-lock-only", "--ignore-npm-errors", "--output-file", out]
        yield "cyclonedx-npm", [NODE / "cyclonedx-npm", *only, folder / "package.json"]
    of_python = {"poetry.lock": ["poetry", "--all-extras", folder], "Pipfile.lock": ["pipenv", "--dev", folder],
                 "requirements.txt": ["requirements", folder / lock]}  # fmt: skip
    if lock in of_python:
        yield "cyclonedx-py", [PYTHON / "cyclonedx-py", *of_python[lock], "--output-file", out]
    if lock == "uv.lock":
        every = ["--frozen", "--all-packages", "--all-extras", "--all-groups", "--output-file", out]
        yield "uv export", [PYTHON / "uv", "export", "--format", "cyclonedx1.5", "--project", folder, *every]


def lay(source, manifest, lock, folder):
    """Copies lock file and manifest into `folder`, and those of an npm workspace as its lock file has them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copyfile(source, folder / lock)
    beside = source.parent / manifest
    if beside.is_file():
        shutil.copyfile(beside, folder / beside.name)
    if lock == "package-lock.json":
        for path, entry in json.loads(source.read_text()).get("packages", {}).items():
            if path and "node_modules" not in path:
                (folder / path).mkdir(parents=True)
                (folder / path / "package.json").write_text(json.dumps({"name": Path(path).name} | entry))


def run(command, scratch):
    """Runs it to its end; gives what it said if it failed, the seconds it took, and the most megabytes it held."""
    # nor does it take what lies in the caches of this machine
    environment = os.environ | OFFLINE | {"GOMODCACHE": f"{scratch}/go", "HOME": f"{scratch}/home"}
    said = scratch / "said"
    files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
             (os.POSIX_SPAWN_OPEN, 2, said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]  # fmt: skip
    before = time.perf_counter()
    try:
        child = os.posix_spawn(command[0], [*map(str, command)], environment, file_actions=files)
    except OSError as error:
        return f"not installed: {error.strerror}", 0, 0
    _, status, used = os.wait4(child, 0)
    seconds = time.perf_counter() - before
    megabytes = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return said.read_text(errors="replace").strip() or "no word" if status else None, seconds, megabytes


def plain(purl):
    """A package URL without qualifiers and escapes, its name in the letters that its type means."""
    name, version = re.fullmatch("(.*?)(@[^@/]*)?", unquote(re.split("[?#]", purl)[0])).groups("")
    return (re.sub("[-_.]+", "-", name.lower()) if name.startswith("pkg:pypi/") else name.lower()) + version


def nested(components):
    for component in components:
        yield component
        yield from nested(component.get("components", []))


def read(bom, root, known):
    """What a CycloneDX file says by package URL, the product as `root`; `known` has the URLs of names and versions."""
    product = bom.get("metadata", {}).get("component", {})
    listed = list(nested(bom.get("components", [])))
    names, found = {product.get("bom-ref"): "root"}, {column: set() for column in COLUMNS}
    # a tool may take each project of a workspace for a part of the product
    for component in [*listed, *nested(product.get("components", []))]:
        if "purl" not in component:
            names[component.get("bom-ref")] = known.get(f"{component['name']}@{component.get('version')}")
            continue
        purl = plain(component["purl"])
        purl = "root" if purl in (root, plain(product.get("purl", ""))) else purl
        names[component.get("bom-ref")] = purl
        if purl == "root":
            continue
        found["purls"].add(purl)
        if component.get("licenses"):
            found["licences"].add(purl)
        for holder in (component, *component.get("externalReferences", [])):
            found["hashes"] |= {f"{purl} {h['content'].lower()}" for h in holder.get("hashes", [])}
    for entry in bom.get("dependencies", []):
        ends = {names.get(ref) for ref in entry.get("dependsOn", [])} - {None}
        if names.get(entry["ref"]):
            found["edges"] |= {f"{names[entry['ref']]} -> {end}" for end in ends}
    found["edges"].discard("root -> root")
    return len(listed), found


def tell(text, items=()):
    """Prints a line below the table, with the first of `items`."""
    first = [re.sub("([0-9a-f]{8})[0-9a-f]{24,}$", r"\1…", item) for item in sorted(items)[:3]]
    first += ["…"] if len(items) > 3 else []
    text = f"{text}: {', '.join(first)}" if items else text
    whole = {"break_long_words": False, "break_on_hyphens": False}
    print(textwrap.fill(text, 80, initial_indent="  ", subsequent_indent="    ", **whole))


def compare(project, tool, ours, theirs, best, used):
    """Prints what differs from ours; gives how much of it nothing explains."""
    wrong, needed = 0, {edge.rpartition("@")[0] for edge in ours["edges"]}
    for column in COLUMNS:
        missing = theirs[column] - ours[column]
        for where, who, what, pattern, why in EXPLAINED:
            if re.fullmatch(where, project) and re.fullmatch(who, tool) and re.fullmatch(what, column):
                other = {item for item in missing if item.rpartition("@")[0] in needed}
                told = other if pattern is None else {item for item in missing if re.search(pattern, item)}
                if told:
                    used.add((where, who, what, pattern, why))
                    tell(f"{tool} alone, {len(told)} {column}, {why}", told)
                missing -= told
        if missing:
            tell(f"{tool} alone, {len(missing)} {column}, NOT EXPLAINED", missing)
        more = ours[column] - theirs[column]
        if more and tool == best:
            tell(f"ours alone, {len(more)} {column} that {tool} has not", more)
        wrong += len(missing)
    return wrong


def measure(ours, corpora, project, used, ran):
    """Runs every tool on one project and prints its part of the table; gives how much ours lacks without a reason."""
    source = corpora / "lockfiles" / PROJECTS[project]
    lock = next(lock for lock in LOCKS if source.name.endswith(lock))
    kind, manifest = LOCKS[lock]
    rows, errors, root = {}, {}, "root"
    scratch = Path(tempfile.mkdtemp())
    folder, out = scratch / "project", scratch / "bom.json"
    for tool, command in commands(ours, project, kind, lock, folder, out):
        if tool in rows:
            continue
        lay(source, manifest, lock, folder)
        out.unlink(missing_ok=True)
        error, seconds, megabytes = run(command, scratch)
        if error or not out.is_file():
            errors[tool] = " ".join((error or "wrote nothing").split())
            continue
        bom = json.loads(out.read_text())
        if tool == "ours":
            root = plain(bom["metadata"]["component"].get("purl", "root"))
        known = {purl.rpartition("/")[2]: purl for purl in rows["ours"][1]["purls"]} if "ours" in rows else {}
        rows[tool] = (*read(bom, root, known | {root.rpartition("/")[2]: "root"}), seconds, megabytes)
    shutil.rmtree(scratch)
    for tool, (count, found, seconds, megabytes) in rows.items():
        counts = "".join(f"{len(found[column]):9}" for column in COLUMNS)
        print(f"{project:13} {tool:13}{count:5}{counts}{seconds:6.2f}{megabytes:5.0f}")
    for tool in [tool for tool in errors if tool not in rows]:
        tell(f"{tool} not measured: {errors[tool][:300]}")
    mine = rows.pop("ours", (0, {column: set() for column in COLUMNS}))[1]
    ran.update(rows)
    best = max(rows, key=lambda tool: [len(rows[tool][1][column]) for column in COLUMNS], default=None)
    return sum(compare(project, tool, mine, row[1], best, used) for tool, row in rows.items())


def main(corpora, ours, *projects):
    print(f"{'project':13} {'tool':13}{'comp.':>5}" + "".join(f"{c:>9}" for c in COLUMNS) + f"{'s':>6}{'MB':>5}")
    used, ran, chosen = set(), set(), projects or PROJECTS
    wrong = sum(measure(Path(ours).resolve(), Path(corpora).resolve(), project, used, ran) for project in chosen)
    if not ran:
        sys.exit("no peer was measured")
    # of a tool that did not run nothing is to be explained
    stale = [e for e in EXPLAINED if e not in used and any(re.fullmatch(e[1], t) for t in ran) and not projects]
    if stale:
        tell("explained, though it is not so", [str(entry[:4]) for entry in stale])
    print(f"{wrong} findings of peers are neither ours nor explained" if wrong else "ours is below no peer")
    return bool(wrong or stale)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
