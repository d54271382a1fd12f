"""moto's AWS KMS, with two things as they are at AWS: a digest is signed as it is, and key material may be made outside.

    kms.py FOLDER ARGUMENT…     takes the arguments of `moto_server`; a key of ECC_NIST_P256 or ECC_NIST_P384 is the one
                                in FOLDER/kms-p256.pem or FOLDER/kms-p384.pem, if that is there
"""

import sys
import threading
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from moto.kms.responses import KmsResponse
from moto.kms.utils import ECDSAPrivateKey
from moto.server import main

FOLDER = Path(sys.argv[1])
FILES = {"ECC_NIST_P256": "kms-p256.pem", "ECC_NIST_P384": "kms-p384.pem"}
HASHES = {"ECDSA_SHA_256": SHA256, "ECDSA_SHA_384": SHA384}

asked = threading.local()
make, sign_message, answer = ECDSAPrivateKey.__init__, ECDSAPrivateKey.sign, KmsResponse.sign


def planted(self, key_spec):
    make(self, key_spec)
    file = FOLDER / FILES.get(key_spec, "none")
    if file.is_file():
        self.private_key = load_pem_private_key(file.read_bytes(), None)


def sign(self, message, signing_algorithm):
    if asked.message_type != "DIGEST":
        return sign_message(self, message, signing_algorithm)
    return self.private_key.sign(message, ec.ECDSA(Prehashed(HASHES[signing_algorithm]())))


def remembering(self):
    asked.message_type = self._get_param("MessageType")
    return answer(self)


ECDSAPrivateKey.__init__, ECDSAPrivateKey.sign, KmsResponse.sign = planted, sign, remembering
main(sys.argv[2:])
