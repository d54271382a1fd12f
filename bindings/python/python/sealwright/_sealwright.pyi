# Written by hand; `python -m mypy.stubtest sealwright` holds it against the module.

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar, TypeAlias, final

__all__ = [
    "Decision",
    "Found",
    "InvalidInput",
    "Ledger",
    "LedgerError",
    "LedgerRecord",
    "Permit",
    "PolicyDenied",
    "PrivateKey",
    "PublicKey",
    "Receipt",
    "Recorded",
    "SealwrightError",
    "ServiceUnavailable",
    "Statement",
    "VerificationFailed",
    "Verified",
    "Verifier",
    "custody",
    "decide",
    "deploy",
    "digest_bytes",
    "digest_file",
    "digest_folder",
    "digest_set",
    "drift",
    "gaps",
    "junit_read",
    "key_descriptor",
    "pack_build",
    "pack_verify",
    "parse_digest",
    "policy_descriptor",
    "policy_profile",
    "promote",
    "release_begin",
    "run_command",
    "sbom_generate",
    "sbom_read",
    "sbom_validate",
    "sign",
    "snapshot",
    "starter_bundle",
    "trust_policy_statement",
    "verify",
]

_Path: TypeAlias = str | PathLike[str]
_Data: TypeAlias = dict[str, Any]
"""Data as the core writes it: JSON objects whose names are those of the record formats."""
_Given: TypeAlias = Mapping[str, Any]
"""Data as the core reads it."""

class SealwrightError(Exception):
    """What went wrong; `code` never changes for a cause."""

    code: str
    context: dict[str, str]

class InvalidInput(SealwrightError):
    """Correct the input or the call."""

class VerificationFailed(SealwrightError):
    """Do not use what was to be verified."""

class PolicyDenied(SealwrightError):
    """Meet the policy, then ask again."""

class LedgerError(SealwrightError):
    """Look after the ledger."""

class ServiceUnavailable(SealwrightError):
    """Try again, or look after machine or service."""

@final
class PrivateKey:
    """A private key that signs. It cannot be copied or shown; its bytes are zeroed when it is let go."""

    @staticmethod
    def generate(key_type: str) -> PrivateKey: ...
    @staticmethod
    def from_pem(pem: str, passphrase: str | None = None) -> PrivateKey: ...
    @staticmethod
    def read(path: _Path, passphrase: str | None = None) -> PrivateKey: ...
    def write(self, path: _Path, passphrase: str | None = None) -> None: ...
    def to_pem(self, passphrase: str | None = None) -> str: ...
    @property
    def public(self) -> PublicKey: ...
    def sign(self, message: bytes) -> bytes: ...

@final
class PublicKey:
    """A public key that verifies."""

    @staticmethod
    def from_pem(pem: str) -> PublicKey: ...
    @staticmethod
    def read(path: _Path) -> PublicKey: ...
    def to_pem(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def key_type(self) -> str: ...
    def verify(self, message: bytes, signature: bytes) -> None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class Statement:
    """An in-toto Statement: what is said (the predicate) about what (the subjects)."""

    def __new__(cls, predicate_type: str, subjects: Sequence[_Given], predicate: _Given) -> Statement: ...
    @staticmethod
    def parse(payload: bytes) -> Statement: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def payload_digest(self) -> str: ...
    @property
    def predicate_type(self) -> str: ...
    @property
    def subjects(self) -> list[_Data]: ...
    @property
    def predicate(self) -> _Data: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class Verified:
    """Proof that a record was signed as demanded. Made only by verifying."""

    @property
    def statement(self) -> Statement: ...
    @property
    def signers(self) -> list[_Data]: ...
    @property
    def record(self) -> bytes: ...

@final
class Verifier:
    """Verifies records against trusted keys."""

    def __new__(cls, keys: Mapping[str, str | _Given]) -> Verifier: ...
    def verify(
        self,
        record: bytes,
        *,
        artifact: str,
        signer: str | Sequence[str],
        predicate_type: str | None = None,
        at: str | None = None,
    ) -> Verified: ...

@final
class Ledger:
    """A ledger in a folder: append, prove, search, audit. Several threads may use one handle; they take turns."""

    @staticmethod
    def init(
        folder: _Path,
        *,
        anchors: _Path,
        origin: str,
        log_key: PrivateKey,
        trust_policy: Sequence[bytes],
        now: str | None = None,
    ) -> Ledger: ...
    @staticmethod
    def open(
        folder: _Path, *, anchors: _Path, log_key: PrivateKey | None = None, pins: _Given | None = None
    ) -> Ledger: ...
    @staticmethod
    def connect(
        url: str, *, anchors: _Path, access: _Given | None = None, pins: _Given | None = None
    ) -> Ledger: ...
    def __enter__(self) -> Ledger: ...
    def __exit__(self, *_raised: object) -> None: ...
    @property
    def origin(self) -> str: ...
    @property
    def log_key(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def checkpoint(self) -> str: ...
    @property
    def anchored(self) -> str: ...
    def trust_policy(self) -> _Data: ...
    def refresh(self) -> None: ...
    def verify(self, record: bytes, *, now: str | None = None) -> Verified: ...
    def append(self, record: Verified, *, now: str | None = None) -> Receipt: ...
    def append_all(self, records: Sequence[Verified], *, now: str | None = None) -> list[Receipt]: ...
    def record_statement(self, statement: Statement, key: PrivateKey, *, now: str | None = None) -> Receipt: ...
    def entry(self, index: int) -> _Data: ...
    def record(self, index: int) -> LedgerRecord: ...
    def prove(self, index: int) -> Receipt: ...
    def search(
        self,
        *,
        release: str | None = None,
        commit: str | None = None,
        digest: str | None = None,
        environment: str | None = None,
        service: str | None = None,
        change: str | None = None,
        kind: str | None = None,
        predicate_type: str | None = None,
        since: str | None = None,
        until: str | None = None,
        after: int | None = None,
        limit: int | None = None,
    ) -> Found: ...
    def iterate(
        self,
        *,
        release: str | None = None,
        commit: str | None = None,
        digest: str | None = None,
        environment: str | None = None,
        service: str | None = None,
        change: str | None = None,
        kind: str | None = None,
        predicate_type: str | None = None,
        since: str | None = None,
        until: str | None = None,
        after: int | None = None,
        limit: int | None = None,
    ) -> Records: ...
    def rebuild_index(self) -> None: ...
    def audit(self) -> _Data: ...
    def attach(self, data: bytes) -> str: ...
    def attachment(self, digest: str) -> bytes: ...

@final
class Records:
    """Records of a ledger, one after the other; each page is read when it is needed."""

    def __iter__(self) -> Records: ...
    def __next__(self) -> LedgerRecord: ...

@final
class Receipt:
    """Proof that a record is in a ledger. Made only by a ledger."""

    @property
    def index(self) -> int: ...
    @property
    def already_there(self) -> bool: ...
    def to_dict(self) -> _Data: ...
    def verify(self, record: bytes, log_key: str) -> None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class LedgerRecord:
    """A record of a ledger: proven to be in it, and verified under the trust policy at its index."""

    @property
    def index(self) -> int: ...
    @property
    def logged_at(self) -> str: ...
    @property
    def entry(self) -> _Data: ...
    @property
    def verified(self) -> Verified: ...
    @property
    def statement(self) -> Statement: ...
    @property
    def speaker(self) -> _Data: ...
    @property
    def revoked(self) -> bool: ...

@final
class Found:
    """What a search found."""

    @property
    def records(self) -> list[LedgerRecord]: ...
    @property
    def more(self) -> bool: ...
    @property
    def size(self) -> int: ...

@final
class Decision:
    """A recorded decision."""

    @property
    def passed(self) -> bool: ...
    @property
    def evaluation(self) -> _Data: ...
    @property
    def refusals(self) -> list[_Data]: ...
    @property
    def payload(self) -> str: ...
    @property
    def receipt(self) -> Receipt: ...
    def enforce(self, ledger: Ledger) -> Permit: ...

@final
class Permit:
    """The right to promote and deploy one artifact into one environment, once and soon. Made only by a gate."""

    @staticmethod
    def of_decision(ledger: Ledger, decision: str) -> Permit: ...
    @property
    def decision(self) -> str: ...
    @property
    def artifacts(self) -> list[_Data]: ...
    @property
    def environment(self) -> _Data: ...
    @property
    def change_id(self) -> str | None: ...

@final
class Recorded:
    """A record that an act left in the ledger."""

    @property
    def payload(self) -> str: ...
    @property
    def receipt(self) -> Receipt: ...

def run_command(arguments: Sequence[str]) -> int: ...
def digest_bytes(data: bytes) -> str: ...
def digest_file(path: _Path) -> str: ...
def digest_folder(path: _Path) -> dict[str, str]: ...
def digest_set(path: _Path, algorithms: Sequence[str]) -> dict[str, str]: ...
def parse_digest(text: str) -> dict[str, str]: ...
def sign(statement: Statement, key: PrivateKey) -> bytes: ...
def verify(
    record: bytes,
    *,
    keys: Mapping[str, str | _Given],
    artifact: str,
    signer: str | Sequence[str],
    predicate_type: str | None = None,
    at: str | None = None,
) -> Verified: ...
def trust_policy_statement(policy: _Given) -> Statement: ...
def key_descriptor(key: PublicKey) -> _Data: ...
def starter_bundle() -> bytes: ...
def policy_descriptor(bundle: bytes) -> _Data: ...
def policy_profile(bundle: bytes) -> _Data: ...
def decide(
    ledger: Ledger,
    key: PrivateKey,
    *,
    artifact: str,
    environment: _Given,
    release_id: str,
    deployer: str,
    change_id: str | None = None,
    purl: str | None = None,
    now: str | None = None,
) -> Decision: ...
def release_begin(
    ledger: Ledger,
    key: PrivateKey,
    *,
    release_id: str,
    purl: str,
    artifacts: Sequence[_Given],
    now: str | None = None,
) -> Recorded: ...
def promote(
    ledger: Ledger,
    key: PrivateKey,
    permit: Permit,
    *,
    release_id: str,
    promoted_by: _Given,
    now: str | None = None,
) -> Recorded: ...
def deploy(
    ledger: Ledger,
    key: PrivateKey,
    permit: Permit | None = None,
    *,
    promotion: str | None = None,
    deployment_id: str,
    release_id: str,
    environment: _Given,
    artifacts: Sequence[_Given],
    triggered_by: _Given,
    executed_by: _Given,
    started_at: str,
    status: str,
    strategy: str,
    finished_at: str | None = None,
    change_ids: Sequence[str] | None = None,
    configuration: Sequence[_Given] | None = None,
    replaces: Sequence[_Given] | None = None,
    resources: Sequence[str] | None = None,
    earliest_commit_at: str | None = None,
    now: str | None = None,
) -> Recorded: ...
def snapshot(
    ledger: Ledger,
    key: PrivateKey,
    *,
    environment: _Given,
    observer: _Given,
    state: Sequence[_Given],
    source: bytes,
    now: str | None = None,
) -> Recorded: ...
def drift(ledger: Ledger, key: PrivateKey, *, environment_id: str, now: str | None = None) -> _Data: ...
def custody(ledger: Ledger, release_id: str) -> _Data: ...
def gaps(ledger: Ledger, release_id: str) -> list[_Data]: ...
def sbom_generate(
    root: _Path,
    *,
    name: str | None = None,
    version: str | None = None,
    purl: str | None = None,
    bom_ref: str | None = None,
    timestamp: str | None = None,
    cargo_home: str | None = None,
) -> _Data: ...
def sbom_validate(document: bytes) -> list[_Data]: ...
def sbom_read(document: bytes) -> _Data: ...
def junit_read(report: bytes) -> _Data: ...
def pack_build(
    ledger: Ledger,
    key: PrivateKey,
    folder: _Path,
    *,
    release_id: str,
    requested_by: _Given,
    requested_at: str,
    title: str | None = None,
    now: str | None = None,
) -> _Data: ...
def pack_verify(
    folder: _Path,
    *,
    signers: str,
    log_key: str,
    min_checkpoint: str | None = None,
    trust_policy: str | None = None,
) -> _Data: ...
