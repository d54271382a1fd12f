"""Verifies the 345 bundles of CPython releases in the corpora on all cores: `verify_all.py TRUSTED_ROOT FOLDER`."""

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from sigstore.hashes import Hashed
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity
from sigstore_models.common.v1 import HashAlgorithm

root, folder = sys.argv[1], Path(sys.argv[2])


def work(cases):
    verifier = Verifier(trusted_root=TrustedRoot.from_file(root))
    read = {}
    for case in cases:
        version = case["version"]
        if version not in read:
            read[version] = json.loads((folder / "versions" / f"{version}.json").read_bytes())
        bundle = Bundle.from_json(json.dumps(read[version][case["index"]]["raw"]["sigstore"]))
        digest = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(case["sha256"]))
        verifier.verify_artifact(digest, bundle, Identity(identity=case["identity"], issuer=case["issuer"]))
    return len(cases)


if __name__ == "__main__":
    cases = [json.loads(line) for line in (folder / "peer-verdicts.jsonl").read_text().splitlines()]
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        done = sum(pool.map(work, [cases[n::cores] for n in range(cores)]))
    if done != 345:
        sys.exit(f"expected 345 bundles, found {done}")
