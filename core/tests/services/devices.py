"""Keys that cannot be taken out: in moto's AWS KMS, in OpenBao's transit, and in a SoftHSM token.

`planted` keys were made outside and put in, so that a test knows the private bytes that must never come out again.
"""

import base64
import json
import os
import subprocess
import urllib.request
from pathlib import Path

import pinned

VAULT_TOKEN = "only-for-tests"
REGION = "us-east-1"
PIN = "1234"
TOKEN = "sealwright"


def kms_keys(endpoint, folder: Path):
    specs = {"p256": "ECC_NIST_P256", "p384": "ECC_NIST_P384"}
    # kms.py takes them from there
    planted = {name: str(_planted(folder / f"kms-{name}.pem", f"P-{name[1:]}")) for name in specs}
    return {
        "endpoint": endpoint,
        "region": REGION,
        "access_key_id": "test",
        "secret_access_key": "test",
        "keys": {
            name: _kms(endpoint, "CreateKey", KeyUsage="SIGN_VERIFY", KeySpec=spec) for name, spec in specs.items()
        },
        "planted": planted,
        # they encrypt ledgers
        "symmetric": {
            name: _kms(endpoint, "CreateKey", KeyUsage="ENCRYPT_DECRYPT", KeySpec="SYMMETRIC_DEFAULT")
            for name in ("one", "two")
        },
    }


def _kms(endpoint, action, **body):
    request = urllib.request.Request(
        endpoint,
        json.dumps(body).encode(),
        {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"TrentService.{action}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20250101/{REGION}/kms/aws4_request, SignedHeaders=host, Signature=0",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["KeyMetadata"]["KeyId"]


def vault_keys(address, folder: Path):
    _vault(address, "sys/mounts/transit", type="transit")
    kinds = {"p256": "ecdsa-p256", "p384": "ecdsa-p384", "ed25519": "ed25519"}
    for name, kind in kinds.items():
        _vault(address, f"transit/keys/{name}", type=kind)
    # they encrypt ledgers
    for name in ("ledger-one", "ledger-two"):
        _vault(address, f"transit/keys/{name}", type="aes256-gcm96")
    planted = _planted(folder / "vault-planted.pem", "P-256")
    der = base64.b64encode(_openssl("pkcs8", "-topk8", "-nocrypt", "-in", planted, "-outform", "DER")).decode()
    subprocess.run(
        [str(pinned.bao()), "transit", "import", "transit/keys/planted", der, "type=ecdsa-p256"],
        env={**os.environ, "BAO_ADDR": address, "BAO_TOKEN": VAULT_TOKEN, "HOME": str(folder)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return {
        "address": address,
        "token": VAULT_TOKEN,
        "mount": "transit",
        "keys": [*kinds, "planted"],
        "planted": str(planted),
    }


def _vault(address, path, **body):
    headers = {"X-Vault-Token": VAULT_TOKEN, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/v1/{path}", json.dumps(body).encode(), headers)
    urllib.request.urlopen(request, timeout=30).close()


def softhsm_token(folder: Path):
    module = pinned.softhsm()
    tokens, conf = folder / "tokens", folder / "softhsm2.conf"
    tokens.mkdir()
    conf.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    env = {**os.environ, "SOFTHSM2_CONF": str(conf)}

    def util(*arguments):
        subprocess.run(["softhsm2-util", *arguments], env=env, check=True, stdout=subprocess.DEVNULL)

    util("--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", PIN)
    planted = {}
    for number, (label, curve) in enumerate({"p256": "P-256", "p384": "P-384"}.items(), 1):
        pem = _planted(folder / f"pkcs11-{label}.pem", curve)
        util("--import", str(pem), "--token", TOKEN, "--label", label, "--id", f"{number:02}", "--pin", PIN)
        planted[label] = str(pem)
    # they encrypt ledgers
    for number, label in enumerate(("ledger-one", "ledger-two"), 11):
        aes = folder / f"{label}.aes"
        aes.touch(0o600)
        aes.write_bytes(os.urandom(32))
        util("--import", str(aes), "--aes", "--token", TOKEN, "--label", label, "--id", f"{number:02}", "--pin", PIN)
    return {"module": module, "conf": str(conf), "token": TOKEN, "pin": PIN, "planted": planted}


def _planted(to: Path, curve):
    pem = _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}")
    to.touch(0o600)
    to.write_bytes(pem)
    return to


def _openssl(*arguments):
    return subprocess.run(
        ["openssl", *map(str, arguments)], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ).stdout
