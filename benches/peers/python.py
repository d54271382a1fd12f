"""The same work as our benches, done by Python's tools and by our binding: prints nanoseconds by row and side, as JSON.

Takes the folder of the corpora. Each side is checked before it is timed: it does the work, and refuses what is wrong.
"""

import json
import statistics
import sys
import time
from pathlib import Path

BEACON = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/"
    ".github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
GITHUB = "https://token.actions.githubusercontent.com"


def timed(work, seconds=1.5, least=5):
    """Median time of one run of `work`, in nanoseconds."""
    work()
    samples, end = [], time.perf_counter() + seconds
    while len(samples) < least or time.perf_counter() < end:
        before = time.perf_counter_ns()
        work()
        samples.append(time.perf_counter_ns() - before)
    return statistics.median(samples)


def refuses(work):
    try:
        work()
    except Exception:
        return
    raise AssertionError("what is wrong was believed")


def verification(corpora, rows):
    import sealwright
    from sigstore.models import Bundle, TrustedRoot
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity

    cases = corpora / "sigstore-bundles/conformance/bundle-verify"
    artifact = (cases / "a.txt").read_bytes()
    policy = Identity(identity=BEACON, issuer=GITHUB)
    identity = {"subject": BEACON, "issuer": GITHUB}
    production = corpora / "sigstore-trust-roots/public-good/targets/trusted_root.json"
    for row, case, root in (
        ("verify bundle v0.3", "happy-path-v0.3", production),
        ("verify bundle Rekor v2", "rekor2-happy-path", cases / "rekor2-happy-path/trusted_root.json"),
    ):
        text = (cases / case / "bundle.sigstore.json").read_bytes()
        theirs = Verifier(trusted_root=TrustedRoot.from_file(str(root)))
        ours = sealwright.Verifier(sealwright.TrustRoot().with_sigstore(root.read_bytes()))
        for side, work in (
            ("python", lambda file: theirs.verify_artifact(file, Bundle.from_json(text), policy)),
            ("ours in python", lambda file: ours.verify_blob(text, file, identity=identity)),
        ):
            refuses(lambda: work(b"another"))
            rows.setdefault(row, {})[side] = timed(lambda: work(artifact))


def envelopes(rows):
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    signer = CryptoSigner.generate_ecdsa()
    for size, length in (("1KB", 1_000), ("1MB", 1_000_000)):
        payload = b"t" * length

        def sign(payload=payload):
            envelope = Envelope(payload, "application/vnd.in-toto+json", {})
            envelope.sign(signer)
            return json.dumps(envelope.to_dict())

        text = sign()

        def verify(text=text):
            Envelope.from_dict(json.loads(text)).verify([signer.public_key], 1)

        wrong = json.dumps({**json.loads(text), "payload": "dA=="})
        refuses(lambda: verify(wrong))
        rows[f"sign {size}"] = {"python": timed(sign)}
        rows[f"verify {size}"] = {"python": timed(verify)}


def statements(rows):
    from google.protobuf import struct_pb2
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
    from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
    from in_toto_attestation.v1.statement import Statement
    from google.protobuf.json_format import MessageToDict

    def build(count):
        parameters = struct_pb2.Struct()
        parameters.update({"ref": "refs/heads/main"})
        definition = provenance_pb2.BuildDefinition(
            build_type="https://example.org/build/v1", external_parameters=parameters
        )
        details = provenance_pb2.RunDetails(builder=provenance_pb2.Builder(id="https://example.org/builder"))
        made = provenance_pb2.Provenance(build_definition=definition, run_details=details)
        subjects = [ResourceDescriptor(name=f"a{i}", digest={"sha256": f"{i:064x}"}).pb for i in range(count)]
        predicate = MessageToDict(made)
        # it checks names and presence, no digest
        statement = Statement(subjects, "https://slsa.dev/provenance/v1", predicate)
        statement.validate()
        return json.dumps(MessageToDict(statement.pb))

    from sigstore.dsse import DigestSet, StatementBuilder, Subject

    plain = {
        "buildDefinition": {
            "buildType": "https://example.org/build/v1",
            "externalParameters": {"ref": "refs/heads/main"},
        },
        "runDetails": {"builder": {"id": "https://example.org/builder"}},
    }

    def untyped(count):
        subjects = [Subject(name=f"a{i}", digest=DigestSet(root={"sha256": f"{i:064x}"})) for i in range(count)]
        builder = StatementBuilder().subjects(subjects)
        return builder.predicate_type("https://slsa.dev/provenance/v1").predicate(plain).build()

    for count in (1, 1000):
        for named, work in (("", build), (" (StatementBuilder)", untyped)):
            rows[f"statement {count} subjects{named}"] = {"python": timed(lambda: work(count))}


def main():
    rows = {}
    verification(Path(sys.argv[1]).resolve(), rows)
    envelopes(rows)
    statements(rows)
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
