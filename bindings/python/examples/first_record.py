"""Makes a key, signs provenance for a file, verifies it, keeps it in a ledger and finds it again."""

import sys
from pathlib import Path

import sealwright as sw


def main(file: Path, ledger: sw.Ledger, key: sw.PrivateKey) -> sw.Found:
    """The ten lines of the README. `key` is one that the trust policy of the ledger lets say provenance."""
    digest = sw.digest_file(file)
    subject = {"name": file.name, "digest": sw.parse_digest(digest)}
    build = {"buildType": "https://example.org/build/v1", "externalParameters": {"target": file.name}}
    run = {"builder": {"id": "https://example.org/builders/main"}}
    said = {"buildDefinition": build, "runDetails": run}
    record = sw.sign(sw.Statement("https://slsa.dev/provenance/v1", [subject], said), key)
    keys = {"builder": key.public.to_pem()}
    verified = sw.verify(record, trust=keys, artifact=digest, signer="builder")
    receipt = ledger.append(ledger.verify(verified.record))
    receipt.verify(record, ledger.log_key)
    return ledger.search(digest=digest)


def own_ledger(folder: Path, key: sw.PrivateKey) -> sw.Ledger:
    """A new ledger in which `key`, called `builder`, may sign the trust policy and say provenance."""
    bundle = sw.starter_bundle()
    provenance = "https://slsa.dev/provenance/v1"
    trust_policy = "https://sealwright.dev/attestation/trust-policy/v0.1"
    signer = {
        "name": "builder",
        "key": sw.key_descriptor(key.public),
        "predicateTypes": [provenance, trust_policy],
        "for": [{"builder": "https://example.org/builders/main"}],
    }
    policy = {
        "version": 1, "admins": [{"signer": "builder"}], "threshold": 1, "signers": [signer], "writers": [],
        "people": [], "revocations": [], "profile": sw.policy_profile(bundle), "witnesses": [], "quorum": 0,
    }  # fmt: skip
    record = sw.sign(sw.trust_policy_statement(policy), key)
    log_key = sw.PrivateKey.generate("ed25519")
    origin = "example.org/first-ledger"
    return sw.Ledger.init(
        folder / "ledger", anchors=folder / "state", origin=origin, log_key=log_key, trust_policy=[record]
    )


if __name__ == "__main__":
    builder = sw.PrivateKey.generate("p256")
    found = main(Path(sys.argv[1]), own_ledger(Path(sys.argv[2]), builder), builder)
    print(f"entry {found.records[0].index} of {found.size}, signed by {found.records[0].speaker['signer']}")
