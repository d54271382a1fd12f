"""An OpenID Connect issuer on loopback for tests. It gives a token to whoever asks.

Two issuers in one: `/email` for people, `/ci` for workflows with the claims of GitHub Actions. Tokens come from
`/token?identity=email|ci&subject=…&audience=…&expires=SECONDS&claim.NAME=VALUE`, and the way that GitHub's runners and
Google's metadata server give them: `/github?audience=…` and `/computeMetadata/…/identity?audience=…`.
"""

import base64
import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

EMAIL = "release@example.org"
REPOSITORY = "example/shop"
WORKFLOW = f"{REPOSITORY}/.github/workflows/release.yml@refs/heads/main"
REQUEST_TOKEN = "only-a-runner-has-this"
METADATA = "/computeMetadata/v1/instance/service-accounts/default/identity"

CI_CLAIMS = {
    "actor": "octocat",
    "base_ref": "",
    "event_name": "push",
    "head_ref": "",
    "job_workflow_ref": WORKFLOW,
    "job_workflow_sha": "1" * 40,
    "ref": "refs/heads/main",
    "ref_type": "branch",
    "repository": REPOSITORY,
    "repository_id": "1001",
    "repository_owner": "example",
    "repository_owner_id": "101",
    "repository_visibility": "public",
    "run_attempt": "1",
    "run_id": "7",
    "run_number": "3",
    "runner_environment": "github-hosted",
    "sha": "1" * 40,
    "workflow": "release",
    "workflow_ref": WORKFLOW,
    "workflow_sha": "1" * 40,
}


class Issuer:
    def __init__(self, folder: Path):
        self._key = folder / "issuer.pem"
        _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(self._key))
        modulus = _openssl("rsa", "-in", str(self._key), "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
        self._jwk = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": "tests",
            "n": _b64(bytes.fromhex(modulus)),
            "e": "AQAB",
        }
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer._answer(self)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def token(self, identity="email", subject=None, audience="sigstore", expires=600, claims=None):
        now = int(time.time())
        payload = {"iss": f"{self.url}/{identity}", "aud": audience, "iat": now, "nbf": now, "exp": now + int(expires)}
        if identity == "email":
            email = subject or EMAIL
            payload |= {"sub": f"user:{email}", "email": email, "email_verified": True}
        else:
            payload |= CI_CLAIMS | {"sub": subject or f"repo:{REPOSITORY}:ref:refs/heads/main"}
        payload |= claims or {}
        signed = ".".join(
            _b64(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT", "kid": "tests"}, payload)
        )
        signature = _openssl("dgst", "-sha256", "-sign", str(self._key), stdin=signed.encode())
        return f"{signed}.{_b64(signature)}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request):
        where = urlsplit(request.path)
        asked = {name: values[-1] for name, values in parse_qs(where.query).items()}
        status, content = self._content(where.path, asked, request.headers)
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        request.send_response(status)
        request.send_header("Content-Type", "text/plain" if isinstance(content, str) else "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _content(self, path, asked, headers):
        for kind in ("email", "ci"):
            if path == f"/{kind}/.well-known/openid-configuration":
                return 200, self._discovery(f"{self.url}/{kind}")
        if path == "/keys":
            return 200, {"keys": [self._jwk]}
        audience = asked.get("audience", "sigstore")
        if path == "/token":
            claims = {name.removeprefix("claim."): value for name, value in asked.items() if name.startswith("claim.")}
            known = {name: asked[name] for name in ("identity", "subject", "expires") if name in asked}
            return 200, self.token(audience=audience, claims=claims, **known)
        if path == "/github":
            if headers.get("Authorization", "").lower() != f"bearer {REQUEST_TOKEN}":
                return 401, {"message": "no request token"}
            return 200, {"value": self.token("ci", audience=audience)}
        if path == METADATA:
            if headers.get("Metadata-Flavor") != "Google":
                return 403, "no header Metadata-Flavor"
            return 200, self.token("email", audience=audience)
        return 404, "not here"

    def _discovery(self, issuer):
        return {
            "issuer": issuer,
            "jwks_uri": f"{self.url}/keys",
            "authorization_endpoint": f"{issuer}/auth",
            "token_endpoint": f"{issuer}/token",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }


def _openssl(*arguments, stdin=None):
    return subprocess.run(
        ["openssl", *arguments], input=stdin, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ).stdout


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
