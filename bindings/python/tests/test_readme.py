"""The Python examples of the READMEs, run as they are printed."""

import re
import subprocess
import sys
from pathlib import Path

from conftest import World

ROOT = Path(__file__).parents[3]


def test_the_example_of_the_readme_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    run = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "ci says https://slsa.dev/provenance/v1\n"


def test_the_examples_of_the_readme_of_the_package_run(world: World) -> None:
    (world.folder / "report.xml").write_text("<testsuite/>")
    (world.folder / "trust.sigstore.json").write_bytes(world.ledger.record(0).verified.record)
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "bindings/python/README.md").read_text(), re.S)
    run = subprocess.run([sys.executable, "-c", "\n".join(examples)], cwd=world.folder, capture_output=True, text=True)
    assert run.stderr == ""
    said = run.stdout.splitlines()
    assert said[-3:] == ["12 bytes", f"{world.ledger.size} entries", "sealed with True"]
    assert any("/attestation/release/" in line for line in said)
    assert (world.folder / "copy/mirror.json").exists()
