"""Opens one body or attachment of an encrypted ledger with nothing of Sealwright: hashlib, hmac, and AES-GCM.

    open_body.py LEDGER KEY-FILE PASSPHRASE INDEX|SHA256

Writes salt and record of entry INDEX, or the attachment of that SHA-256, to stdout. Exit 77 without `cryptography`.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import sys

try:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    sys.exit(77)

KEK, KEYRING, SEALED = b"sealwright-kek/v1", b"sealwright-keyring/v1", b"sealwright-sealed/v1"
CHUNK = 64 * 1024 + 16


def unwrap(key, wrapped, aad):
    return AESGCM(key).decrypt(wrapped[:12], wrapped[12:], aad)


def kek(path, passphrase):
    file = json.loads(path.read_bytes())
    assert file["v"].encode() == KEK
    if "key" in file:
        return base64.b64decode(file["key"])
    sealed = file["sealed"]
    cost = sealed["scrypt"]
    salt = base64.b64decode(cost["salt"])
    under = hashlib.scrypt(
        passphrase.encode(), salt=salt, n=cost["n"], r=cost["r"], p=cost["p"], dklen=32, maxmem=2**28
    )
    return unwrap(under, base64.b64decode(sealed["key"]), KEK)


def keyring(folder, key):
    ring = json.loads((folder / "keyring.json").read_bytes())
    origin = json.loads((folder / "ledger.json").read_bytes())["origin"].encode()
    root = unwrap(key, base64.b64decode(ring["root"]), origin)

    def opened(what, name, wrapped):
        return unwrap(root, base64.b64decode(wrapped), b"\0".join([KEYRING, origin, what, name]))

    keys = {k["id"]: opened(b"key", k["id"].encode(), k["key"]) for k in ring["keys"]}
    return origin, keys, opened(b"tag", ring["kek"].encode(), ring["tag"])


def content(sealed, key, context):
    chunks = [sealed[at : at + CHUNK] for at in range(0, len(sealed), CHUNK)]
    out = b""
    for number, chunk in enumerate(chunks):
        nonce = number.to_bytes(11, "big") + bytes([number == len(chunks) - 1])
        out += AESGCM(key).decrypt(nonce, chunk, context)
    return out


def main(folder, key_file, passphrase, what):
    origin, keys, tag = keyring(folder, kek(key_file, passphrase))

    def header(name, context):
        wrapped = json.loads((folder / name).read_bytes())
        assert wrapped["v"].encode() == SEALED
        by = wrapped["wrappedBy"]
        aad = b"\0".join([KEYRING, origin, b"object", by.encode(), context])
        secret = unwrap(keys[by], base64.b64decode(wrapped["key"]), aad)
        return secret[:32], secret[32:]

    if len(what) == 64:
        label = hmac.new(tag, b"attachment\0" + what.encode(), "sha256").hexdigest()
        name = f"keys/attachments/{label}"
        key, note = header(name, name.encode())
        assert note[:32].hex() == what
        return content((folder / "attachments" / note[32:].hex()).read_bytes(), key, b"attachments")
    name = f"bodies/{int(what):03}"
    key, _ = header(f"keys/{name}", name.encode())
    return content((folder / name).read_bytes(), key, name.encode())


sys.stdout.buffer.write(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), *sys.argv[3:5]))
