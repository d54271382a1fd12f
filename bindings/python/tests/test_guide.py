"""The Python examples of `docs/guide`, run as they are printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sealwright as sw

from conftest import FIXTURES
from test_evidence import CONFIG, case, token
from test_oci import Kept, push, registry as registry  # noqa: PLC0414

GUIDE = FIXTURES.parent / "docs/guide"


def prepare(folder: Path) -> None:
    """Lays out what the examples read."""
    key = sw.PrivateKey.generate("p256")
    key.write(folder / "ci.pem")
    (folder / "ci.pub").write_text(key.public.to_pem())
    sw.PrivateKey.generate("p384").write(folder / "builder.pem", "correct horse battery staple")
    (folder / "app").write_text("what was built\n")
    (folder / "app.sigstore.json").write_bytes(sw.sign_blob(folder / "app", key))
    (folder / "trusted_root.json").write_text(json.dumps(case("certificate/good")["trustedRoots"][0]))
    (folder / "signing_config.json").write_text(json.dumps(CONFIG))
    layout, commit = case("layout/good"), case("commit/good")
    (folder / "scan.sarif").write_bytes((FIXTURES / "reports/sarif/failed.sarif").read_bytes())
    (folder / "app.tgz").write_text("app")
    (folder / "root.layout").write_text(layout["layout"])
    (folder / "owner.pub").write_text(layout["owners"][0])
    (folder / "links").mkdir()
    for name, link in layout["links"].items():
        (folder / "links" / name).write_text(link)
    (folder / "allowed_signers").write_text(commit["allowedSigners"])
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, check=True)
    store = ["git", "hash-object", "-t", "commit", "-w", "--literally", "--stdin"]
    subprocess.run(store, cwd=folder, input=commit["raw"].encode(), check=True, capture_output=True)
    (folder / ".git/refs/heads/main").write_text(commit["id"] + "\n")


def example(page: str, folder: Path, host: str = "") -> subprocess.CompletedProcess[str]:
    blocks = re.findall(r"```python\n(.*?)```", (GUIDE / f"{page}.md").read_text(), re.S)
    assert blocks, page
    script = "\n".join(blocks).replace("registry.example.org", host)
    github = json.loads((FIXTURES / "ci/github-actions.json").read_text())["environment"]
    environment = {**github, "PATH": os.environ["PATH"], "SIGSTORE_ID_TOKEN": token("sigstore")}
    return subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("verifying", "ci signed sha256:"),
        ("signing", ""),
        ("provenance", "built by https://github.com/"),
        ("ingest", "sarif says FAILED\n"),
        ("commits", "ada@example.org wrote it\n"),
    ],
)
def test_the_examples_of_the_guide_run(page: str, says: str, tmp_path: Path) -> None:
    prepare(tmp_path)
    ran = example(page, tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(says)
    assert page != "signing" or (tmp_path / "app.python.json").exists()


def test_the_example_of_keyless_signing_runs_up_to_the_services(tmp_path: Path) -> None:
    prepare(tmp_path)
    ran = example("keyless", tmp_path)
    assert ran.stdout == "this will be published: ada\n"
    assert "ServiceUnavailable" in ran.stderr


def test_the_example_of_registries_and_layouts_runs(tmp_path: Path, registry: tuple[str, Kept]) -> None:
    prepare(tmp_path)
    host, kept = registry
    digest = push(kept, "v1")
    statement = sw.Statement("https://example.org/note/v1", [{"digest": sw.parse_digest(digest)}], {})
    record = sw.sign(statement, sw.PrivateKey.read(tmp_path / "ci.pem"))
    sw.oci.Registry().attach(f"{host}/team/app@{digest}", record)
    ran = example("registry", tmp_path, host)
    assert (ran.stdout, ran.stderr) == ("1 bundles, 2 steps\n", "")
