"""Writes a TUF repository with python-tuf: roles with keys of their own, a root that was rotated once, consistent
snapshots.

    tuf_repository.py FOLDER TRUSTED_ROOT SIGNING_CONFIG

FOLDER then holds what a server serves, and `1.root.json` to pin.
"""

import hashlib
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

EXPIRES = (datetime.now(timezone.utc) + timedelta(days=30)).replace(microsecond=0)


def main(folder: Path, *files: Path):
    roles = {role: CryptoSigner.generate_ecdsa() for role in ("root", "targets", "snapshot", "timestamp")}
    successor = CryptoSigner.generate_ecdsa()
    folder.joinpath("targets").mkdir(parents=True)

    root = Root(version=1, expires=EXPIRES, consistent_snapshot=True)
    for role, signer in roles.items():
        root.add_key(signer.public_key, role)
    write(folder / "1.root.json", root, roles["root"])
    root.version = 2
    root.revoke_key(roles["root"].public_key.keyid, "root")
    root.add_key(successor.public_key, "root")
    write(folder / "2.root.json", root, roles["root"], successor)

    targets = Targets(version=1, expires=EXPIRES)
    for path, name in zip(files, ("trusted_root.json", "signing_config.v0.2.json")):
        targets.targets[name] = TargetFile.from_file(name, str(path))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        folder.joinpath("targets", f"{digest}.{name}").write_bytes(path.read_bytes())
    write(folder / "1.targets.json", targets, roles["targets"])
    snapshot = Snapshot(version=1, expires=EXPIRES, meta={"targets.json": MetaFile(1)})
    write(folder / "1.snapshot.json", snapshot, roles["snapshot"])
    timestamp = Timestamp(version=1, expires=EXPIRES, snapshot_meta=MetaFile(1))
    write(folder / "timestamp.json", timestamp, roles["timestamp"])


def write(path: Path, content, *signers):
    metadata = Metadata(content)
    for signer in signers:
        metadata.sign(signer, append=True)
    metadata.to_file(str(path))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
