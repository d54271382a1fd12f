"""Trusted roots out of a TUF repository on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

import sealwright as sw
from sealwright import PrivateKey, TrustRoot, VerificationFailed
from sealwright.keyless import RootArchive, RootSource

from conftest import NOW
from test_evidence import case

LONG = "2999-01-01T00:00:00Z"


class Repository:
    """With one key for all roles."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.key = PrivateKey.generate("p256")
        public = {"public": self.key.public.to_pem()}
        self.entry = {"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": public}
        self.id = sw.digest_bytes(canonical(self.entry)).removeprefix("sha256:")

    def signed(self, role: dict[str, Any]) -> bytes:
        signature = {"keyid": self.id, "sig": self.key.sign(canonical(role)).hex()}
        return json.dumps({"signed": role, "signatures": [signature]}).encode()

    def root(self) -> bytes:
        roles = dict.fromkeys(["root", "timestamp", "snapshot", "targets"], {"keyids": [self.id], "threshold": 1})
        keys = {self.id: self.entry}
        return self.signed({**role("root", 1), "consistent_snapshot": False, "keys": keys, "roles": roles})

    def publish(self, trusted_root: bytes, version: int) -> None:
        def described(content: bytes) -> dict[str, Any]:
            digest = sw.digest_bytes(content).removeprefix("sha256:")
            return {"length": len(content), "hashes": {"sha256": digest}}

        targets = self.signed({**role("targets", version), "targets": {"trusted_root.json": described(trusted_root)}})
        meta = {"targets.json": {"version": version, **described(targets)}}
        snapshot = self.signed({**role("snapshot", version), "meta": meta})
        meta = {"snapshot.json": {"version": version, **described(snapshot)}}
        timestamp = self.signed({**role("timestamp", version), "meta": meta})
        self.files.update({"/targets.json": targets, "/snapshot.json": snapshot, "/timestamp.json": timestamp})
        self.files["/targets/trusted_root.json"] = trusted_root


def role(kind: str, version: int) -> dict[str, Any]:
    return {"_type": kind, "spec_version": "1.0.0", "version": version, "expires": LONG}


def canonical(value: dict[str, Any]) -> bytes:
    """Canonical JSON as TUF has it, in which a line end stands as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).replace("\\n", "\n").encode()


@pytest.fixture
def repository() -> Iterator[Repository]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            found = made.files.get(self.path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(found or b"")

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made = Repository(f"http://127.0.0.1:{server.server_address[1]}/")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()


def test_a_root_that_the_pinned_one_vouches_for_is_fetched_and_kept(repository: Repository, tmp_path: Path) -> None:
    trusted_root = json.dumps(case("certificate/good")["trustedRoots"][0]).encode()
    repository.publish(trusted_root, 2)
    archive, source = RootArchive(tmp_path / "roots"), RootSource(repository.url, repository.root())
    newest, is_new = archive.refresh(source, now=NOW)
    assert (newest, is_new) == ({"fetchedAt": NOW, "digest": sw.digest_bytes(trusted_root)}, True)
    assert archive.refresh(source, now=NOW) == (newest, False)
    assert archive.roots() == [newest]
    assert json.loads(archive.trusted_root()) == json.loads(trusted_root)
    TrustRoot().with_sigstore(archive.trusted_root())
    stranger = Repository(repository.url)
    with pytest.raises(VerificationFailed) as unsigned:
        RootArchive(tmp_path / "other").refresh(RootSource(repository.url, stranger.root()), now=NOW)
    assert unsigned.value.code == "BAD_SIGNATURE"
    with pytest.raises(VerificationFailed) as other:
        archive.refresh(RootSource(repository.url, stranger.root()), now=NOW)
    assert other.value.code == "TRUST_POLICY_REFUSED"
