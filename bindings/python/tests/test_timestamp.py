"""A timestamp by an RFC 3161 authority that openssl runs on loopback."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import sealwright as sw
from sealwright import PrivateKey, TrustRoot, VerificationFailed

CONFIG = """
[stamper]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = authority
[authority]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
"""


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """The address of an authority, and a trusted root that believes it."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "config").write_text(CONFIG)
    (tmp_path / "serial").write_text("01\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    usage = ["-addext", "keyUsage=critical,keyCertSign", "-days", "9", "-subj", "/CN=ca"]
    openssl("req", "-x509", *key, *usage, "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", *key, "-subj", "/CN=tsa", "-keyout", "tsa.key", "-out", "tsa.csr")
    by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "config", "-extensions", "stamper"]
    openssl("x509", "-req", "-in", "tsa.csr", "-out", "tsa.pem", "-days", "9", *by)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            (tmp_path / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            signer = ["-config", "config", "-signer", "tsa.pem", "-inkey", "tsa.key"]
            openssl("ts", "-reply", "-queryfile", "query", "-out", "reply", *signer)
            self.send_response(200)
            self.end_headers()
            self.wfile.write((tmp_path / "reply").read_bytes())

    chain = [ssl.PEM_cert_to_DER_cert((tmp_path / f"{name}.pem").read_text()) for name in ("tsa", "ca")]
    certificates = [{"rawBytes": base64.b64encode(der).decode()} for der in chain]
    root = {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "timestampAuthorities": [{"uri": "https://tsa.example", "certChain": {"certificates": certificates}}],
    }
    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", json.dumps(root).encode()
    server.shutdown()


def test_a_record_signed_with_a_key_gets_a_timestamp(authority: tuple[str, bytes]) -> None:
    url, root = authority
    trust = TrustRoot().with_sigstore(root)
    key = PrivateKey.generate("p256")
    digest = sw.digest_bytes(b"shop")
    record = sw.sign(sw.Statement("https://example.org/note/v1", [{"digest": sw.parse_digest(digest)}], {}), key)
    stamped = sw.keyless.timestamp(record, url, trust)
    believed = trust.with_signers({"ci": key.public.to_pem()})
    verified = sw.verify(stamped, trust=believed, artifact=digest, signer="ci", timestamps=1)
    assert [stamp["authority"] for stamp in verified.timestamps] == ["https://tsa.example"]
    assert verified.signed_at == verified.timestamps[0]["at"]
    with pytest.raises(VerificationFailed) as unstamped:
        sw.verify(record, trust=believed, artifact=digest, signer="ci", timestamps=1)
    assert unstamped.value.code == "BAD_TIMESTAMP"
    with pytest.raises(VerificationFailed) as unknown:
        sw.keyless.timestamp(record, url, TrustRoot())
    assert unknown.value.code == "BAD_TIMESTAMP"
