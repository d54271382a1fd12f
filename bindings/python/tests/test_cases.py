"""Every case of `fixtures/cases`, as Rust and Node run them too: the same input gives the same code."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import sealwright
from sealwright import KeyEncryptionKey, Ledger, PrivateKey, PublicKey, SealwrightError, Signer, Statement

from conftest import FIXTURES

CASES = sorted((FIXTURES / "cases").glob("*/*.json"))


def test_there_are_cases() -> None:
    assert len(CASES) >= 360


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_case(path: Path, tmp_path: Path) -> None:
    case = json.loads(path.read_text())
    try:
        gives = run(path.parent.name, case["input"], tmp_path)
        code = "ok"
    except SealwrightError as error:
        code = error.code
    assert code == case["expect"]
    if code == "ok" and "gives" in case:
        assert gives == case["gives"]


def run(topic: str, given: dict[str, Any], tmp: Path) -> Any:
    match topic:
        case "verify":
            verified = sealwright.verify(given["record"].encode(), trust=given["keys"], **demand(given))
            return [signer["name"] for signer in verified.signers]
        case "blob" | "certificate":
            trust = sealwright.TrustRoot(given["signers"])
            for root in given["trustedRoots"]:
                trust = trust.with_sigstore(json.dumps(root).encode())
            blob = given["blob"].get("digest") or given["blob"]["text"].encode()
            signed = sealwright.Verifier(trust).verify_blob(given["bundle"].encode(), blob, **demand(given))
            return [signer["name"] for signer in signed["signers"]]
        case "provenance":
            verified = sealwright.verify(
                given["record"].encode(), trust=given["keys"], artifact="any-unsafe", signer=given["signer"]
            )
            return sealwright.provenance.check(verified, **demand(given)).to_dict()["build"]["builderId"]
        case "commit":
            if "trustedRoot" in given:
                root = sealwright.TrustRoot().with_sigstore(given["trustedRoot"].encode()).with_signers(given["signers"])
                believed = sealwright.commit.CommitTrust().with_certificates(root)
            else:
                believed = sealwright.commit.CommitTrust().with_allowed_signers(given["allowedSigners"].encode())
            check = {"tag": sealwright.commit.verify_tag, "commit": sealwright.commit.verify}[given["kind"]]
            said = check(given["raw"].encode(), given["id"], believed, now=given["now"])
            return said["signer"]["principals"]
        case "layout":
            links = {name: link.encode() for name, link in given["links"].items()}
            held = sealwright.layout.verify(given["layout"].encode(), given["owners"], links, **demand(given))
            return [step["name"] for step in held["steps"]]
        case "signer":
            Signer.open(given["reference"], **snake(given["access"]))
        case "statement":
            Statement(given["predicateType"], given["subjects"], given["predicate"])
        case "payload":
            Statement.parse(given["payload"].encode())
        case "digest":
            return sealwright.parse_digest(given["text"])
        case "key" if "public" in given:
            return PublicKey.from_pem(given["public"]).id
        case "key":
            return PrivateKey.from_pem(given["private"], given.get("passphrase")).public.id
        case "trust-policy":
            sealwright.trust_policy_statement(given["policy"])
        case "junit":
            return sealwright.junit.read(given["report"].encode())
        case "ingest":
            report = (FIXTURES / given["report"]).read_bytes()
            taken = sealwright.ingest.read(report, given["told"], now=given["now"])
            statements = [
                {
                    "predicateType": statement.predicate_type,
                    "subject": statement.subjects,
                    "predicate": {name: said for name, said in statement.predicate.items() if name != "nonce"},
                }
                for statement in taken.statements
            ]
            return {"format": taken.format, "statements": statements}
        case "sbom" if "files" in given:
            for name, text in given["files"].items():
                (tmp / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp / name).write_text(text)
            bom = sealwright.sbom.generate(tmp, **snake(given["options"]))
            return [f"{c['bom-ref']} {c['scope']}" for c in bom["components"]]
        case "sbom":
            return [f"{f['rule']} {f['path']}" for f in sealwright.sbom.validate(given["document"].encode())]
        case "image":
            bom = sealwright.sbom.generate_image(FIXTURES / given["image"], **snake(given["options"]))
            return [component["bom-ref"] for component in bom["components"]]
        case "ledger":
            if given["anchors"]:
                shutil.copytree(FIXTURES / given["anchors"], tmp / "anchors")
            ledger = Ledger.open(copied(given, tmp), anchors=tmp / "anchors")
            for index in range(ledger.size):
                ledger.record(index)
            assert ledger.audit()["findings"] == []
        case "opening":
            place = copied(given, tmp) if "folder" in given else given["place"]
            file = given["encryptionKey"]
            key = KeyEncryptionKey.open(str(FIXTURES / file)) if file else None
            options = snake(given["opening"])
            ledger = Ledger.open(place, anchors=tmp / "anchors", encryption_key=key, **options)
            assert len(list(ledger.iterate())) == ledger.size
            assert ledger.key_encryption_key == (key.id if key else None)
        case "encryption-key":
            reference = str(FIXTURES / given["file"]) if "file" in given else given["reference"]
            return KeyEncryptionKey.open(reference, **snake(given["access"])).id
        case "schedule":
            rules = sealwright.longest_retention(given["schedule"], given["kinds"])
            return [list(rule) for rule in rules]
        case "pack":
            signers = str(FIXTURES / given["signers"])
            more = given.get("demand", {})
            sealwright.pack.verify(copied(given, tmp), signers=signers, log_key=given["logKey"], **more)
        case _:
            raise AssertionError(f"no such topic of cases: {topic}")
    return None


def snake(options: dict[str, Any]) -> dict[str, Any]:
    """Options under their names in Python."""
    return {re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name): v for name, v in options.items()}


def demand(case: dict[str, Any]) -> dict[str, Any]:
    return snake(case["expectation"])


def copied(case: dict[str, Any], tmp: Path) -> Path:
    """A copy of the folder of a case, with its change."""
    folder = tmp / "copy"
    shutil.copytree(FIXTURES / case["folder"], folder)
    if change := case["change"]:
        file = folder / change["file"]
        if change.get("remove"):
            file.unlink()
        else:
            content = file.read_bytes() if file.exists() else b""
            file.write_bytes(content[: change.get("keep")] + change.get("append", "").encode())
    return folder
