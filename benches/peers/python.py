"""The same work as our benches, done by Python's tools: prints one JSON object of nanoseconds by row and side.

Takes the folder of the corpora. Correctness of what is timed is checked before it is timed.
"""

import json
import statistics
import subprocess
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


def verification(corpora, rows):
    from sigstore.models import Bundle, TrustedRoot
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity

    conformance = corpora / "sigstore-bundles/conformance"
    artifact = (conformance / "bundle-verify/a.txt").read_bytes()
    policy = Identity(identity=BEACON, issuer=GITHUB)
    production = corpora / "sigstore-trust-roots/public-good/targets/trusted_root.json"
    for row, case, root in (
        ("verify bundle v0.3", "happy-path-v0.3", production),
        ("verify bundle Rekor v2", "rekor2-happy-path", None),
    ):
        folder = conformance / "bundle-verify" / case
        verifier = Verifier(trusted_root=TrustedRoot.from_file(str(root or folder / "trusted_root.json")))
        text = (folder / "bundle.sigstore.json").read_bytes()
        rows[row] = timed(lambda: verifier.verify_artifact(artifact, Bundle.from_json(text), policy))

    program = (
        "import sys\n"
        "from sigstore.models import Bundle, TrustedRoot\n"
        "from sigstore.verify import Verifier\n"
        "from sigstore.verify.policy import Identity\n"
        "root, bundle, artifact, identity, issuer = sys.argv[1:]\n"
        "Verifier(trusted_root=TrustedRoot.from_file(root)).verify_artifact(\n"
        "    open(artifact, 'rb').read(), Bundle.from_json(open(bundle).read()), Identity(identity=identity, issuer=issuer))\n"
    )
    bundle = conformance / "bundle-verify/happy-path-v0.3/bundle.sigstore.json"
    command = [sys.executable, "-c", program, production, bundle, conformance / "bundle-verify/a.txt", BEACON, GITHUB]
    releases = corpora / "sigstore-bundles/cpython-releases"
    everything = [sys.executable, "-c", ALL, production, releases]
    rows["345 bundles, process start included"] = timed(lambda: subprocess.run(everything, check=True))
    rows["verify by command, cold"] = timed(lambda: subprocess.run(command, check=True))


ALL = """
import json, sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from sigstore.hashes import Hashed
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity
from sigstore_models.common.v1 import HashAlgorithm

root, folder = sys.argv[1:]

def work(lines):
    verifier = Verifier(trusted_root=TrustedRoot.from_file(root))
    for case in lines:
        releases = json.loads((Path(folder) / "versions" / (case["version"] + ".json")).read_text())
        bundle = Bundle.from_json(json.dumps(releases[case["index"]]["raw"]["sigstore"]))
        digest = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(case["sha256"]))
        verifier.verify_artifact(digest, bundle, Identity(identity=case["identity"], issuer=case["issuer"]))
    return len(lines)

cases = [json.loads(line) for line in (Path(folder) / "peer-verdicts.jsonl").read_text().splitlines()]
with ProcessPoolExecutor(2) as pool:
    assert sum(pool.map(work, [cases[0::2], cases[1::2]])) == 345
"""


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

        rows[f"sign {size}"] = timed(sign)
        rows[f"verify {size}"] = timed(verify)


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
        rows[f"statement {count} subjects"] = timed(lambda count=count: build(count))
        rows[f"statement {count} subjects (StatementBuilder)"] = timed(lambda count=count: untyped(count))


def imports(rows):
    for row, code in (("import", "import sigstore.verify, sigstore.models"), ("interpreter", "pass")):
        rows[row] = timed(lambda code=code: subprocess.run([sys.executable, "-c", code], check=True))
    rows["import"] -= rows.pop("interpreter")


def main():
    rows = {}
    verification(Path(sys.argv[1]).resolve(), rows)
    envelopes(rows)
    statements(rows)
    imports(rows)
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
