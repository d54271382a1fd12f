"""Keys and certificates of one run, made anew, and the Sigstore documents that make clients believe them."""

import base64
import hashlib
import json
import os
import subprocess
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

PASSWORD = "only-for-tests"
DAYS = "30"

CA = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
ISSUING = (
    "basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nextendedKeyUsage=codeSigning\n"
    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)
STAMPING = (
    "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n"
    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)
# what servers of the tests are called, beside the name that their clients must not take for one of theirs
SERVING = (
    "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
    "subjectAltName=DNS:localhost,DNS:db.example.org\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)


class Keys:
    """`folder` gets: fulcio-root.pem, fulcio-chain.pem, fulcio.key, ctlog.key, rekor.key, tsa-chain.pem, tsa.key."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._authority("fulcio-root", "Test Fulcio Root")
        self._issued("fulcio-issuing", "Test Fulcio Issuing", "fulcio-root", ISSUING, "P-384")
        self._authority("tsa-root", "Test TSA Root")
        self._issued("tsa-leaf", "Test TSA", "tsa-root", STAMPING, "P-256")
        self._chain("fulcio-chain.pem", "fulcio-issuing", "fulcio-root")
        self._chain("tsa-chain.pem", "tsa-leaf", "tsa-root")
        self._encrypted("fulcio-issuing", "fulcio.key")
        self._encrypted("tsa-leaf", "tsa.key")
        self._key("ctlog", "P-256")
        self._key("rekor-v1", "P-256")
        self._run("genpkey", "-algorithm", "ED25519", "-out", "rekor.key")

    def serving(self):
        """Adds server.crt and server.key, by the authority in ca.crt, and other-ca.crt, which has nothing to do with them."""
        self._authority("ca", "Test Server Authority")
        self._authority("other-ca", "Another Test Authority")
        self._issued("server", "Test Server", "ca", SERVING, "P-256")

    def path(self, name):
        return self.folder / name

    def certificates(self, *names):
        return [_b64(self._run("x509", "-in", f"{name}.crt", "-outform", "DER")) for name in names]

    def public(self, key):
        return self._run("pkey", "-in", key, "-pubout", "-outform", "DER")

    def sign(self, key, content):
        return self._run("dgst", "-sha256", "-sign", key, stdin=content)

    def _key(self, name, curve):
        self._run("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", f"{name}.key")

    def _authority(self, name, common_name):
        self._key(name, "P-384")
        self._sign(name, common_name, CA, "-signkey", f"{name}.key")

    def _issued(self, name, common_name, by, extensions, curve):
        self._key(name, curve)
        self._sign(name, common_name, extensions, "-CA", f"{by}.crt", "-CAkey", f"{by}.key", "-CAcreateserial")

    def _sign(self, name, common_name, extensions, *by):
        (self.folder / f"{name}.ext").write_text(extensions)
        self._run(
            "req", "-new", "-key", f"{name}.key", "-subj", f"/O=example.org/CN={common_name}", "-out", f"{name}.csr"
        )
        self._run(
            "x509",
            "-req",
            "-sha384",
            "-in",
            f"{name}.csr",
            "-days",
            DAYS,
            "-extfile",
            f"{name}.ext",
            *by,
            "-out",
            f"{name}.crt",
        )

    def _chain(self, to, *names):
        (self.folder / to).write_text("".join((self.folder / f"{name}.crt").read_text() for name in names))

    def _encrypted(self, name, to):
        self._run(
            "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", f"{name}.key", "-passout", f"pass:{PASSWORD}", "-out", to
        )

    def _run(self, *arguments, stdin=b""):
        done = subprocess.run(
            ["openssl", *arguments], cwd=self.folder, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        if done.returncode != 0:
            raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout


def trusted_root(keys: Keys, fulcio, rekor_origin, ctlog, tsa):
    """`rekor_origin` is the name in its checkpoints: the id of a Rekor v2 log is made of it and the key.

    Clients expect a checkpoint to bear the host of the log's URL, so the root says that one, not where it listens.
    """
    window = {"start": _time(timedelta(minutes=-5))}
    rekor_key, ctlog_key = keys.public("rekor.key"), keys.public("ctlog.key")
    # c2sp.org/signed-note: SHA-256 of name, line feed, 0x01 for Ed25519, and the 32 bytes of the key
    rekor_id = hashlib.sha256(rekor_origin.encode() + b"\n\x01" + rekor_key[-32:]).digest()
    return {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [_log(f"https://{rekor_origin}", rekor_key, "PKIX_ED25519", rekor_id, window)],
        "certificateAuthorities": [
            _authority(fulcio, "Test Fulcio Root", keys.certificates("fulcio-issuing", "fulcio-root"), window)
        ],
        "ctlogs": [_log(ctlog, ctlog_key, "PKIX_ECDSA_P256_SHA_256", hashlib.sha256(ctlog_key).digest(), window)],
        "timestampAuthorities": [_authority(tsa, "Test TSA Root", keys.certificates("tsa-leaf", "tsa-root"), window)],
    }


def with_rekor_v1(keys: Keys, root, origin):
    """The same root with the log of Rekor's first version, whose id is of its key alone."""
    key = keys.public("rekor-v1.key")
    window = root["tlogs"][0]["publicKey"]["validFor"]
    log = _log(f"https://{origin}", key, "PKIX_ECDSA_P256_SHA_256", hashlib.sha256(key).digest(), window)
    return root | {"tlogs": [*root["tlogs"], log]}


def signing_config(fulcio, rekor, tsa, oidc):
    def service(url, version):
        return [
            {
                "url": url,
                "majorApiVersion": version,
                "validFor": {"start": _time(timedelta(minutes=-5))},
                "operator": "example.org",
            }
        ]

    return {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": service(fulcio, 1),
        "oidcUrls": service(oidc, 1),
        "rekorTlogUrls": service(rekor, 2),
        "tsaUrls": service(tsa, 1),
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaConfig": {"selector": "ANY"},
    }


def trust_config(root, config):
    """The two in one, as sigstore-python takes them."""
    return {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": root,
        "signingConfig": config,
    }


def log_something(keys: Keys, rekor):
    """Puts an entry of no interest into the log.

    Protobuf's JSON leaves out an index of 0 and an empty path, and sigstore-python demands both: so nothing that
    matters may be first in the log, nor alone.
    """
    content = os.urandom(32)
    signature = keys.sign("ctlog.key", content)
    entry = {
        "hashedRekordRequestV002": {
            "digest": _b64(hashlib.sha256(content).digest()),
            "signature": {
                "content": _b64(signature),
                "verifier": {
                    "publicKey": {"rawBytes": _b64(keys.public("ctlog.key"))},
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                },
            },
        }
    }
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    request = urllib.request.Request(f"{rekor}/api/v2/log/entries", json.dumps(entry).encode(), headers)
    urllib.request.urlopen(request, timeout=30).close()


def write(path: Path, document):
    path.write_text(json.dumps(document, indent=2) + "\n")
    return str(path)


def _log(url, key, details, log_id, window):
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": _b64(key), "keyDetails": details, "validFor": window},
        "logId": {"keyId": _b64(log_id)},
    }


def _authority(url, name, certificates, window):
    return {
        "subject": {"organization": "example.org", "commonName": name},
        "uri": url,
        "certChain": {"certificates": [{"rawBytes": one} for one in certificates]},
        "validFor": window,
    }


def _time(offset):
    return (datetime.now(timezone.utc) + offset).strftime("%Y-%m-%dT%H:%M:%SZ")


def _b64(content):
    return base64.b64encode(content).decode()
