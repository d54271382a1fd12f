"""Bundles beside images, in a registry that a test keeps in memory on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import sealwright as sw
from sealwright import InvalidInput, PrivateKey, SealwrightError
from sealwright.oci import Registry

from conftest import NOW

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
Kept = dict[str, tuple[str, bytes]]


class Handler(BaseHTTPRequestHandler):
    """Takes what it is given, and lists no referrers, so that the tag has to stand in."""

    kept: Kept

    def log_message(self, *_: object) -> None:
        pass

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def reply(self, status: int, content: tuple[str, bytes] = ("", b""), **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": content[0], "Content-Length": str(len(content[1])), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[1])

    def do_GET(self) -> None:
        found = self.kept.get(self.path.rsplit("/", 1)[1])
        if found:
            self.reply(200, found)
        else:
            self.reply(404)

    def do_HEAD(self) -> None:
        self.reply(404)

    def do_POST(self) -> None:
        self.body()
        self.reply(202, Location=f"{self.path}1")

    def do_PUT(self) -> None:
        path, _, query = self.path.partition("?digest=")
        content = (self.headers.get("Content-Type", ""), self.body())
        self.kept[query.replace("%3A", ":") or path.rsplit("/", 1)[1]] = content
        self.reply(201)


@pytest.fixture
def registry() -> Iterator[tuple[str, Kept]]:
    handler = type("Kept", (Handler,), {"kept": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}", handler.kept  # type: ignore[attr-defined]
    server.shutdown()


def push(kept: Kept, name: str) -> str:
    """Puts an image under its digest and a tag."""
    empty = {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "digest": sw.digest_bytes(b"{}")}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": empty, "layers": [], "annotations": {"n": name}}
    content = json.dumps(manifest).encode()
    kept[sw.digest_bytes(content)] = kept[name] = (MANIFEST, content)
    return sw.digest_bytes(content)


def test_a_bundle_is_kept_beside_its_image_and_found_there(registry: tuple[str, Kept]) -> None:
    host, kept = registry
    digest = push(kept, "v1")
    ours = Registry()
    found = ours.resolve(f"{host}/team/app:v1")
    assert (found["digest"], found["kind"]) == (digest, "manifest")
    key = PrivateKey.generate("p256")
    record = sw.sign(sw.Statement("https://example.org/note/v1", [{"digest": sw.parse_digest(digest)}], {}), key)
    image = f"{host}/team/app@{digest}"
    manifest = ours.attach(image, record, now=NOW)
    (one,), unreadable = ours.bundles(image)
    assert (one["bundle"], one["payload"], one["manifest"], one["place"]) == (record, None, manifest, "referrer")
    assert one["annotations"]["dev.sigstore.bundle.predicateType"] == "https://example.org/note/v1"
    assert unreadable == []
    sw.verify(one["bundle"], trust={"ci": key.public.to_pem()}, artifact=digest, signer="ci")
    assert ours.copy_bundles(image, f"{host}/other/app@{digest}") == [manifest]
    kept[sw.digest_bytes(record)] = ("", b"x" * len(record))
    nothing, (broken,) = ours.bundles(image)
    assert (nothing, broken["code"], broken["digest"]) == ([], "DIGEST_MISMATCH", manifest)


def test_what_is_not_of_the_image_is_not_kept(registry: tuple[str, Kept]) -> None:
    host, kept = registry
    image = f"{host}/team/app@{push(kept, 'v1')}"
    other = sw.digest_bytes(b"other")
    statement = sw.Statement("https://example.org/note/v1", [{"digest": sw.parse_digest(other)}], {})
    record = sw.sign(statement, PrivateKey.generate("p256"))
    for at, bundle, code in (
        (image, record, "DIGEST_MISMATCH"),
        (f"{host}/team/app:v1", record, "API_MISUSE"),
        (image, b"{}", "UNSUPPORTED"),
        ("", record, "MALFORMED"),
    ):
        with pytest.raises(SealwrightError) as refused:
            Registry().attach(at, bundle)
        assert refused.value.code == code
    with pytest.raises(InvalidInput) as missing:
        Registry().resolve(f"{host}/team/app:v2")
    assert missing.value.code == "NOT_FOUND"


def test_credentials_are_of_one_kind_and_never_shown() -> None:
    login = json.dumps({"auths": {"registry.example": {"auth": "dXNlcjpzZWNyZXQ="}}})
    Registry(docker_config=login, registry="registry.example")
    Registry(user="u", password="secret", plain_http_unsafe=True)
    Registry(token="secret")
    for way in ({"user": "u"}, {"token": "secret", "user": "u"}, {"docker_config": login}, {"secret": "secret"}):
        with pytest.raises(InvalidInput) as refused:
            Registry(**way)  # type: ignore[arg-type]
        assert refused.value.code == "MALFORMED"
        assert "secret" not in str(refused.value)


def test_the_image_of_an_old_signature_is_read_from_what_it_signs() -> None:
    digest = sw.digest_bytes(b"image")
    kind = "cosign container image signature"
    payload = {"critical": {"image": {"docker-manifest-digest": digest}, "type": kind, "identity": {}}, "optional": {}}
    assert sw.oci.signed_image(json.dumps(payload).encode()) == digest
    with pytest.raises(InvalidInput) as other:
        sw.oci.signed_image(b"{}")
    assert other.value.code == "MALFORMED"
