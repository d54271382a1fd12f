"""The Python binding as a client like any other, for the tests of the services.

    ours.py sign blob|statement OF BUNDLE < {"trustedRoot", "signingConfig", "token" or "environment"}
    ours.py seal REFERENCE OF BUNDLE < {"access"}    signs a file with a key that is elsewhere
    ours.py attach IMAGE BUNDLE
    ours.py list IMAGE BUNDLE                       writes the only bundle of an image
    ours.py verify blob|statement BUNDLE FILE SUBJECT ISSUER TRUSTED_ROOT

Ends with 0, or says the code of the error and ends with 1.
"""

import json
import sys
from pathlib import Path

import sealwright as sw
from sealwright import keyless


def sign(kind, of, bundle):
    given = json.load(sys.stdin)
    trust = sw.TrustRoot().with_sigstore(Path(given["trustedRoot"]).read_bytes())
    services = keyless.Services.from_signing_config(Path(given["signingConfig"]).read_bytes())
    if "token" in given:
        token = keyless.Token.parse(given["token"])
    else:
        token = keyless.Token.ambient(services.audience, environment=given["environment"])
        assert token is not None
    if kind == "blob":
        made = keyless.sign_blob(sw.digest_file(of), services, token, trust)
    else:
        made = keyless.sign_statement(sw.Statement.parse(Path(of).read_bytes()), services, token, trust)
    Path(bundle).write_bytes(made)


def seal(reference, of, bundle):
    access = json.load(sys.stdin)["access"]
    signer = sw.Signer.open(reference, **{"time_limit_millis": 30_000, **access})
    Path(bundle).write_bytes(sw.sign_blob(Path(of), signer))


def attach(image, bundle):
    sw.oci.Registry().attach(image, Path(bundle).read_bytes())


def listed(image, bundle):
    (found,), unreadable = sw.oci.Registry().bundles(image)
    assert not unreadable
    Path(bundle).write_bytes(found["bundle"])


def verify(kind, bundle, file, subject, issuer, trusted_root):
    verifier = sw.Verifier(sw.TrustRoot().with_sigstore(Path(trusted_root).read_bytes()))
    demanded = {"identity": {"subject": subject, "issuer": issuer}, "log_entries": 1, "timestamps": 1}
    made = Path(bundle).read_bytes()
    if kind == "blob":
        verifier.verify_blob(made, Path(file), **demanded)
    else:
        verifier.verify(made, artifact=sw.digest_file(file), **demanded)


if __name__ == "__main__":
    try:
        {"sign": sign, "seal": seal, "attach": attach, "list": listed, "verify": verify}[sys.argv[1]](*sys.argv[2:])
    except sw.SealwrightError as error:
        print(error.code)
        sys.exit(1)
