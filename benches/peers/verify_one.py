"""Verifies one signed file as sigstore-python does it: `verify_one.py TRUSTED_ROOT BUNDLE ARTIFACT IDENTITY ISSUER`."""

import sys
from pathlib import Path

from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

root, bundle, artifact, identity, issuer = sys.argv[1:]
Verifier(trusted_root=TrustedRoot.from_file(root)).verify_artifact(
    Path(artifact).read_bytes(), Bundle.from_json(Path(bundle).read_bytes()), Identity(identity=identity, issuer=issuer)
)
