"""What the tests share: the fixtures of the project, and an organisation with keys, a trust policy and a ledger."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import sealwright
from sealwright import KeyEncryptionKey, Ledger, PrivateKey, Statement

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
NOW = "2026-11-21T10:00:00Z"
RELEASE = "shop-1.4.0"
DEV = {"id": "urn:example:env:dev", "class": "dev"}
BEFORE = "2026-11-21T09:00:00Z"
OURS = "https://sealwright.dev/attestation/"

Change: TypeAlias = Callable[[dict[str, Any], dict[str, PrivateKey]], None]


@dataclass
class World:
    """An organisation that recorded all evidence of one release, and no decision yet."""

    folder: Path
    ledger: Ledger
    keys: dict[str, PrivateKey]
    artifact: str

    def signers(self) -> Path:
        """A SIGNERS file of everybody, in which `records` may sign packs."""
        for name, key in self.keys.items():
            (self.folder / f"{name}.pem").write_text(key.public.to_pem())
        lines = [f"key {k.public.id} {k.public.key_type} {n}.pem" for n, k in self.keys.items()]
        path = self.folder / "SIGNERS"
        path.write_text("".join(f"{line}{' pack' if 'records.pem' in line else ''}\n" for line in lines))
        return path


def statements() -> list[dict[str, Any]]:
    """The statements of the pack among the fixtures, in the order of its ledger."""
    records = sorted((FIXTURES / "packs/whole/records").glob("*.json"))
    payloads = [json.loads(r.read_text())["dsseEnvelope"]["payload"] for r in records]
    return [json.loads(base64.b64decode(p)) for p in payloads]


def found(
    folder: Path,
    change: Change = lambda policy, keys: None,
    key: KeyEncryptionKey | None = None,
    submitter: str | None = None,
) -> World:
    """The organisation of the fixtures with keys of its own, up to the first gate, with a trust policy that was changed."""
    trust, *acts = statements()
    policy: dict[str, Any] = trust["predicate"]
    keys = {s["name"]: PrivateKey.generate("ed25519") for s in policy["signers"]}
    new_ids = {}
    for signer in policy["signers"]:
        new_ids[signer["key"]["digest"]["sha256"]] = keys[signer["name"]].public.id
        signer["key"] = sealwright.key_descriptor(keys[signer["name"]].public)
    for person in policy["people"]:
        for identity in person["ids"]:
            identity["subject"] = new_ids.get(identity["subject"], identity["subject"])
    may = {s["name"]: list(s["predicateTypes"]) for s in policy["signers"]}
    change(policy, keys)
    record = sealwright.sign(sealwright.trust_policy_statement(policy), keys["admin"])
    log_key = PrivateKey.generate("ed25519")
    log_key.write(folder / "log.pem")
    ledger = Ledger.init(
        folder / "ledger",
        anchors=folder / "state",
        origin="example.org/python",
        log_key=log_key,
        trust_policy=[record],
        encryption_key=key,
        now=BEFORE,
    )
    if submitter:
        ledger = Ledger.open(folder / "ledger", anchors=folder / "state", log_key=log_key, submitter=submitter)
    ledger.attach(sealwright.starter_bundle())
    artifact = ""
    for act in acts:
        kind = act["predicateType"]
        if kind.startswith((f"{OURS}policy-evaluation", f"{OURS}promotion", f"{OURS}deployment")):
            continue
        if kind == "https://slsa.dev/provenance/v1":
            artifact = "sha256:" + act["subject"][0]["digest"]["sha256"]
        able = [name for name, types in may.items() if kind in types]
        signer = act["predicate"].get("inRole", able[0])
        ledger.record_statement(Statement(kind, act["subject"], act["predicate"]), keys[signer], now=BEFORE)
    return World(folder, ledger, keys, artifact)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The organisation of the fixtures with keys of its own, up to the first gate."""
    return found(tmp_path)
