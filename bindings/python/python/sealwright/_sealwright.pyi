# Written by hand; `python -m mypy.stubtest sealwright` holds it against the module.

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar, TypeAlias, final

from _typeshed import SupportsRead

__all__ = [
    "AttachmentReader",
    "Authorship",
    "Checked",
    "CommitTrust",
    "Complete",
    "Decision",
    "DisposalPlan",
    "Found",
    "Ingested",
    "InvalidInput",
    "KeyEncryptionKey",
    "Ledger",
    "LedgerError",
    "LedgerRecord",
    "LedgerStats",
    "Mirror",
    "Permit",
    "PolicyDenied",
    "PrivateKey",
    "PublicKey",
    "Receipt",
    "Recorded",
    "Records",
    "Registry",
    "Reproduction",
    "Retention",
    "RootArchive",
    "RootSource",
    "SealwrightError",
    "ServiceUnavailable",
    "Services",
    "Signer",
    "Spool",
    "Statement",
    "Token",
    "TrustRoot",
    "VerificationFailed",
    "Verified",
    "Verifier",
    "Witness",
    "alerts",
    "approve_disposal",
    "ci_plain_machine",
    "ci_provenance",
    "commit_verify",
    "commit_verify_tag",
    "custody",
    "decide",
    "deploy",
    "digest_bytes",
    "digest_file",
    "digest_folder",
    "digest_set",
    "drift",
    "gaps",
    "guard_text",
    "ingest_formats",
    "ingest_read",
    "ingest_read_file",
    "junit_read",
    "key_descriptor",
    "keyless_sign_blob",
    "keyless_sign_statement",
    "keyless_timestamp",
    "layout_verify",
    "longest_retention",
    "oci_signed_image",
    "pack_build",
    "pack_verify",
    "parse_digest",
    "place_hold",
    "policy_descriptor",
    "policy_profile",
    "promote",
    "provenance_build",
    "provenance_check",
    "provenance_check_summary",
    "provenance_isolated",
    "provenance_reproduced",
    "release_begin",
    "release_hold",
    "run_command",
    "sbom_convert",
    "sbom_diff",
    "sbom_generate",
    "sbom_generate_image",
    "sbom_licenses",
    "sbom_merge",
    "sbom_query",
    "sbom_read",
    "sbom_read_vex",
    "sbom_score",
    "sbom_validate",
    "sbom_vex_status",
    "sign",
    "sign_blob",
    "snapshot",
    "starter_bundle",
    "trust_policy_statement",
    "verify",
    "verify_fork",
]

_Path: TypeAlias = str | PathLike[str]
_Data: TypeAlias = dict[str, Any]
"""Data as the core writes it: JSON objects whose names are those of the record formats."""
_Given: TypeAlias = Mapping[str, Any]
"""Data as the core reads it."""
_Signers: TypeAlias = Mapping[str, str | _Given]
"""Trusted signers by name: a `PUBLIC KEY` PEM text, or a dict of `key` or `identity`, `validFrom` and `validUntil`."""
_AnySigner: TypeAlias = PrivateKey | Signer
_Content: TypeAlias = bytes | PathLike[str] | SupportsRead[bytes]

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
    def write(self, path: _Path, passphrase: str | None = None, *, format: str | None = None) -> None: ...
    def to_pem(self, passphrase: str | None = None, *, format: str | None = None) -> str: ...
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
    @staticmethod
    def from_jwk(json: str) -> PublicKey: ...
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
    def signed_at(self) -> str | None: ...
    @property
    def log_entries(self) -> list[_Data]: ...
    @property
    def timestamps(self) -> list[_Data]: ...
    @property
    def record(self) -> bytes: ...

@final
class Signer:
    """A signer that was opened by its reference, wherever its key is."""

    @staticmethod
    def open(
        reference: str,
        *,
        passphrase: str | None = None,
        pin: str | None = None,
        public_key: str | None = None,
        vault: _Given | None = None,
        time_limit_millis: int | None = None,
    ) -> Signer: ...
    @property
    def public(self) -> PublicKey: ...
    def sign(self, message: bytes) -> bytes: ...

@final
class TrustRoot:
    """What a verifier believes. It is never changed; each `with_…` gives another one."""

    def __new__(cls, signers: _Signers | None = None) -> TrustRoot: ...
    @staticmethod
    def public_good() -> TrustRoot: ...
    @staticmethod
    def staging() -> TrustRoot: ...
    @staticmethod
    def github() -> TrustRoot: ...
    def with_signers(self, signers: _Signers) -> TrustRoot: ...
    def with_sigstore(self, trusted_root: bytes) -> TrustRoot: ...

@final
class Verifier:
    """Verifies records and signed files against what a trust root believes."""

    def __new__(cls, trust: TrustRoot | _Signers) -> Verifier: ...
    def verify(
        self,
        record: bytes,
        *,
        artifact: str,
        signer: str | Sequence[str] | None = None,
        identity: _Given | None = None,
        predicate_type: str | None = None,
        log_entries: int | None = None,
        timestamps: int | None = None,
        witnesses: Sequence[str] | None = None,
        quorum: int | None = None,
        unlogged_unsafe: bool | None = None,
        without_sct_unsafe: bool | None = None,
        at: str | None = None,
    ) -> Verified: ...
    def verify_blob(
        self,
        bundle: bytes,
        blob: str | _Content,
        *,
        artifact: str | None = None,
        signer: str | Sequence[str] | None = None,
        identity: _Given | None = None,
        log_entries: int | None = None,
        timestamps: int | None = None,
        witnesses: Sequence[str] | None = None,
        quorum: int | None = None,
        unlogged_unsafe: bool | None = None,
        without_sct_unsafe: bool | None = None,
        at: str | None = None,
    ) -> _Data: ...

@final
class Services:
    """The services that make a keyless signature."""

    @staticmethod
    def from_signing_config(config: bytes, *, now: str | None = None) -> Services: ...
    @staticmethod
    def public_good(knowing: str, *, config: bytes | None = None, now: str | None = None) -> Services: ...
    @staticmethod
    def staging(*, now: str | None = None) -> Services: ...
    @property
    def audience(self) -> str: ...
    @property
    def addresses(self) -> list[str]: ...

@final
class Token:
    """An OpenID Connect identity token. It cannot be shown; its memory is overwritten when it is let go."""

    @staticmethod
    def parse(text: str) -> Token: ...
    @staticmethod
    def read(path: _Path) -> Token: ...
    @staticmethod
    def ambient(audience: str, *, environment: Mapping[str, str] | None = None) -> Token | None: ...
    @property
    def publication(self) -> _Data: ...
    @property
    def expires_at(self) -> str: ...

@final
class RootSource:
    """A TUF repository of trusted roots, and the `root.json` that trust in it begins with."""

    def __new__(cls, url: str, pinned: bytes) -> RootSource: ...
    @staticmethod
    def public_good() -> RootSource: ...
    @staticmethod
    def staging() -> RootSource: ...
    @staticmethod
    def github() -> RootSource: ...

@final
class RootArchive:
    """A folder with all trusted roots that were ever fetched from one source."""

    def __new__(cls, folder: _Path) -> RootArchive: ...
    def refresh(self, source: RootSource, *, now: str | None = None) -> tuple[_Data, bool]: ...
    def roots(self) -> list[_Data]: ...
    def trusted_root(self) -> bytes: ...
    def signing_config(self) -> bytes: ...

@final
class Checked:
    """A build that is what was demanded. Made only by checking."""

    def to_dict(self) -> _Data: ...
    def summary(
        self,
        *,
        verifier_id: str,
        resource_uri: str,
        policy: _Given,
        levels: Sequence[str],
        now: str | None = None,
    ) -> _Data: ...

@final
class Reproduction:
    """Proof that two builds of one commit made the same artifacts. Made only by comparing them."""

    def to_dict(self) -> _Data: ...
    def summary(
        self,
        *,
        verifier_id: str,
        resource_uri: str,
        policy: _Given,
        levels: Sequence[str],
        now: str | None = None,
    ) -> _Data: ...

@final
class CommitTrust:
    """Whose signatures on commits and tags are believed. Each `with_…` gives another one."""

    def __new__(cls) -> CommitTrust: ...
    def with_allowed_signers(self, file: bytes) -> CommitTrust: ...
    def with_revoked_ssh_keys(self, file: bytes) -> CommitTrust: ...
    def with_openpgp_keyring(self, file: bytes) -> CommitTrust: ...
    def with_certificates(self, trust: TrustRoot) -> CommitTrust: ...
    def with_forge(self, name: str, forge: CommitTrust) -> CommitTrust: ...

@final
class Authorship:
    """Who wrote a commit: what it says itself, who signed it, and what does not fit."""

    @staticmethod
    def of(raw: bytes, commit_id: str, trust: CommitTrust, *, now: str | None = None) -> Authorship: ...
    @property
    def is_clear(self) -> bool: ...
    def to_dict(self) -> _Data: ...
    def descriptor(self, repository: str) -> _Data: ...

@final
class Registry:
    """A way to registries, with the credentials for one of them. Its calls touch the network."""

    def __new__(
        cls,
        *,
        user: str | None = None,
        password: str | None = None,
        token: str | None = None,
        docker_config: str | None = None,
        registry: str | None = None,
        plain_http_unsafe: bool | None = None,
    ) -> Registry: ...
    def resolve(self, image: str) -> _Data: ...
    def attach(self, image: str, bundle: bytes, *, now: str | None = None) -> str: ...
    def bundles(self, image: str) -> tuple[list[_Data], list[_Data]]: ...
    def copy_bundles(self, image: str, to: str) -> list[str]: ...

@final
class Ledger:
    """A ledger in a folder, in a bucket or behind an address: append, prove, search, audit.

    Several threads may use one handle; they take turns."""

    @staticmethod
    def init(
        place: _Path,
        *,
        anchors: _Path,
        origin: str,
        log_key: PrivateKey,
        trust_policy: Sequence[bytes],
        encryption_key: KeyEncryptionKey | None = None,
        variables: Mapping[str, str] | None = None,
        now: str | None = None,
    ) -> Ledger: ...
    @staticmethod
    def open(
        place: _Path,
        *,
        anchors: _Path,
        log_key: PrivateKey | None = None,
        encryption_key: KeyEncryptionKey | None = None,
        pins: _Given | None = None,
        submitter: str | None = None,
        archive: _Path | None = None,
        access: _Given | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Ledger: ...
    @staticmethod
    def move_to(
        source: _Path,
        to: _Path,
        *,
        anchors: _Path,
        encryption_key: KeyEncryptionKey | None = None,
        pins: _Given | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> _Data: ...
    @staticmethod
    def connect(
        url: str, *, anchors: _Path, access: _Given | None = None, pins: _Given | None = None
    ) -> Ledger: ...
    def __enter__(self) -> Ledger: ...
    def __exit__(self, *_raised: object) -> None: ...
    @property
    def origin(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def log_key(self) -> str: ...
    @property
    def key_encryption_key(self) -> str | None: ...
    @property
    def moved_to(self) -> str | None: ...
    @property
    def size(self) -> int: ...
    @property
    def checkpoint(self) -> str: ...
    @property
    def anchored(self) -> str: ...
    def repairs(self) -> list[_Data]: ...
    def stats(self, *, now: str | None = None) -> LedgerStats: ...
    def trust_policy(self) -> _Data: ...
    def refresh(self) -> None: ...
    def verify(self, record: bytes, *, now: str | None = None) -> Verified: ...
    def append(self, record: Verified, *, now: str | None = None) -> Receipt: ...
    def append_all(self, records: Sequence[Verified], *, now: str | None = None) -> list[Receipt]: ...
    def record_statement(self, statement: Statement, key: _AnySigner, *, now: str | None = None) -> Receipt: ...
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
        component: str | None = None,
        vulnerability: str | None = None,
        resource: str | None = None,
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
        component: str | None = None,
        vulnerability: str | None = None,
        resource: str | None = None,
        predicate_type: str | None = None,
        since: str | None = None,
        until: str | None = None,
        after: int | None = None,
        limit: int | None = None,
    ) -> Records: ...
    def complete(
        self,
        *,
        release: str | None = None,
        commit: str | None = None,
        digest: str | None = None,
        environment: str | None = None,
        service: str | None = None,
        change: str | None = None,
        kind: str | None = None,
        component: str | None = None,
        vulnerability: str | None = None,
        resource: str | None = None,
        predicate_type: str | None = None,
        since: str | None = None,
        until: str | None = None,
        after: int | None = None,
        limit: int | None = None,
    ) -> Complete: ...
    def affected(
        self,
        *,
        purl: str | None = None,
        range: str | None = None,
        advisory: _Data | None = None,
        vulnerability: str | None = None,
        complete: bool = False,
    ) -> _Data: ...
    def rebuild_index(self) -> None: ...
    def close(self) -> None: ...
    def settle(self) -> None: ...
    def audit(self) -> _Data: ...
    def attach(self, content: _Content) -> str: ...
    def attachment(self, digest: str) -> bytes: ...
    def attachment_stream(self, digest: str) -> AttachmentReader: ...
    def rotate_encryption_keys(self, to: KeyEncryptionKey) -> _Data: ...
    def rotate_log_key(self, new_key: PrivateKey) -> str: ...
    def rotations(self) -> list[str]: ...
    def witnessed(self) -> _Data: ...
    def ask_witnesses(self, urls: Mapping[str, str]) -> _Data: ...
    def keep_cosigned(self, checkpoint: str) -> list[_Data]: ...
    def timestamp_checkpoint(self, url: str) -> _Data: ...
    def keep_timestamp(self, checkpoint: str, token: bytes) -> _Data: ...
    def forks(self) -> list[_Data]: ...
    def retention(self, schedule: _Given, *, now: str | None = None) -> Retention: ...
    def plan_disposal(
        self, schedule: _Given, *, entries: Sequence[int] | None = None, now: str | None = None
    ) -> DisposalPlan: ...
    def dispose(
        self,
        schedule: _Given,
        key: _AnySigner,
        *,
        executed_by: _Given,
        entries: Sequence[int] | None = None,
        now: str | None = None,
    ) -> _Data: ...
    def finish_disposals(self) -> list[int]: ...
    def holds(self) -> list[_Data]: ...
    def archive(self, before: str) -> _Data: ...
    def unarchive(self, entries: Sequence[int] | None = None) -> _Data: ...
    def archived(self) -> list[int]: ...

@final
class AttachmentReader:
    """A file of a ledger, read in pieces like a binary file, and checked at its end."""

    @property
    def size(self) -> int: ...
    def read(self, size: int = -1) -> bytes: ...
    def __iter__(self) -> AttachmentReader: ...
    def __next__(self) -> bytes: ...
    def __enter__(self) -> AttachmentReader: ...
    def __exit__(self, *_raised: object) -> None: ...

@final
class KeyEncryptionKey:
    """A key that ledgers are encrypted with, wherever it is. It cannot be shown."""

    @staticmethod
    def generate(path: _Path, passphrase: str | None = None) -> KeyEncryptionKey: ...
    @staticmethod
    def open(
        reference: str,
        *,
        passphrase: str | None = None,
        pin: str | None = None,
        vault: _Given | None = None,
        time_limit_millis: int | None = None,
    ) -> KeyEncryptionKey: ...
    @property
    def id(self) -> str: ...

@final
class LedgerStats:
    """What a ledger holds and costs."""

    def to_dict(self) -> _Data: ...
    def to_prometheus(self) -> str: ...

@final
class Complete:
    """All records that match a query, up to a checkpoint."""

    @property
    def records(self) -> list[LedgerRecord]: ...
    @property
    def without_body(self) -> list[int]: ...
    @property
    def more(self) -> bool: ...
    @property
    def size(self) -> int: ...
    @property
    def root(self) -> str: ...

@final
class Retention:
    """The retention of all records of a ledger."""

    @property
    def due(self) -> list[_Data]: ...
    def to_dict(self) -> _Data: ...

@final
class DisposalPlan:
    """What would be disposed of, and what stands in the way."""

    @property
    def may_go(self) -> bool: ...
    def to_dict(self) -> _Data: ...

@final
class Witness:
    """A witness of our own: it remembers the highest checkpoint of each log, and cosigns only what extends it."""

    def __new__(cls, folder: _Path, name: str, key: PrivateKey) -> Witness: ...
    @property
    def key(self) -> str: ...
    def cosign(self, log: _Path, *, log_key: str | None = None, now: str | None = None) -> str: ...
    def trust_log(self, log_key: str, *, rotations: Sequence[str] = ...) -> None: ...
    def add_checkpoint(self, request: bytes, *, now: str | None = None) -> _Data: ...

@final
class Mirror:
    """A copy of a ledger in a folder of its own, which is pulled over and over."""

    def __new__(cls, folder: _Path, *, anchors: _Path, archive: _Path | None = None) -> Mirror: ...
    def pull(
        self,
        source: _Path,
        *,
        encryption_key: KeyEncryptionKey | None = None,
        pins: _Given | None = None,
        now: str | None = None,
    ) -> _Data: ...
    def lag(self, source: _Path, *, now: str | None = None) -> _Data: ...
    @staticmethod
    def restore(
        folder: _Path,
        copy: _Path,
        *,
        anchors: _Path,
        encryption_key: KeyEncryptionKey | None = None,
        archive: _Path | None = None,
        pins: _Given | None = None,
    ) -> _Data: ...

@final
class Spool:
    """A folder of signed records that wait to be appended, for runners without a network."""

    def __new__(cls, folder: _Path) -> Spool: ...
    def add(self, record: bytes, *, now: str | None = None) -> str: ...
    def attach(self, content: _Content) -> str: ...
    def waiting(self) -> list[str]: ...
    def attachments(self) -> list[str]: ...
    def send(self, ledger: Ledger, *, now: str | None = None) -> _Data: ...

@final
class Records:
    """Records of a ledger, one after the other; each page is read when it is needed."""

    def __iter__(self) -> Records: ...
    def __next__(self) -> LedgerRecord: ...

@final
class Receipt:
    """Proof that a record is in a ledger. Given by a ledger; one that is parsed is a claim until it is checked."""

    @staticmethod
    def parse(receipt: bytes) -> Receipt: ...
    @property
    def index(self) -> int: ...
    @property
    def already_there(self) -> bool: ...
    def to_dict(self) -> _Data: ...
    def check(
        self,
        record: bytes,
        *,
        log_key: str,
        rotations: Sequence[str] | None = None,
        witnesses: Sequence[str] | None = None,
        quorum: int | None = None,
    ) -> _Data: ...
    def verify(self, record: bytes, log_key: str, *, rotations: Sequence[str] = ...) -> None: ...
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
class Ingested:
    """What was made of a report."""

    @property
    def format(self) -> str: ...
    @property
    def statements(self) -> list[Statement]: ...
    @property
    def report(self) -> _Data: ...
    @property
    def holds_secrets(self) -> bool: ...

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

def longest_retention(schedule: _Given, kinds: Sequence[str]) -> list[tuple[str, str]]: ...
def place_hold(
    ledger: Ledger,
    key: _AnySigner,
    *,
    hold_id: str,
    matter: str,
    ordered_by: _Given,
    custodian: _Given | None = None,
    entries: Sequence[int] | None = None,
    services: Sequence[str] | None = None,
    releases: Sequence[str] | None = None,
    environments: Sequence[str] | None = None,
    predicate_types: Sequence[str] | None = None,
    window: _Given | None = None,
    everything: bool | None = None,
    now: str | None = None,
) -> Recorded: ...
def release_hold(
    ledger: Ledger,
    key: _AnySigner,
    *,
    hold_id: str,
    ordered_by: _Given,
    matter: str | None = None,
    now: str | None = None,
) -> Recorded: ...
def approve_disposal(
    ledger: Ledger,
    key: _AnySigner,
    *,
    schedule: _Given,
    approver: _Given,
    entries: Sequence[int] | None = None,
    now: str | None = None,
) -> Recorded: ...
def verify_fork(proof: _Given, log_key: str, *, rotations: Sequence[str] = ...) -> None: ...
def run_command(arguments: Sequence[str]) -> int: ...
def digest_bytes(data: bytes) -> str: ...
def digest_file(path: _Path) -> str: ...
def digest_folder(path: _Path) -> dict[str, str]: ...
def digest_set(path: _Path, algorithms: Sequence[str]) -> dict[str, str]: ...
def parse_digest(text: str) -> dict[str, str]: ...
def sign(statement: Statement, key: _AnySigner) -> bytes: ...
def sign_blob(blob: _Content, key: _AnySigner) -> bytes: ...
def verify(
    record: bytes,
    *,
    trust: TrustRoot | _Signers,
    artifact: str,
    signer: str | Sequence[str] | None = None,
    identity: _Given | None = None,
    predicate_type: str | None = None,
    log_entries: int | None = None,
    timestamps: int | None = None,
    witnesses: Sequence[str] | None = None,
    quorum: int | None = None,
    unlogged_unsafe: bool | None = None,
    without_sct_unsafe: bool | None = None,
    at: str | None = None,
) -> Verified: ...
def keyless_sign_statement(
    statement: Statement, services: Services, token: Token, trust: TrustRoot, *, now: str | None = None
) -> bytes: ...
def keyless_sign_blob(
    artifact: str, services: Services, token: Token, trust: TrustRoot, *, now: str | None = None
) -> bytes: ...
def keyless_timestamp(record: bytes, url: str, trust: TrustRoot) -> bytes: ...
def provenance_check(
    record: Verified,
    *,
    builders: Sequence[_Given] | None = None,
    source_uri: str | None = None,
    source_commit: str | None = None,
    source_branch: str | None = None,
    source_tag: str | None = None,
    source_versioned_tag: str | None = None,
    trigger: str | None = None,
    runner_environment: str | None = None,
    build_types: Sequence[str] | None = None,
    workflow_inputs: Mapping[str, str] | None = None,
    parameters: _Given | None = None,
    allowed_parameters: Sequence[str] | None = None,
    dependency_sources: Sequence[str] | None = None,
    base_images: Sequence[str] | None = None,
    environment_images: Sequence[str] | None = None,
    refuse_tags: bool | None = None,
    image_tag: str | None = None,
) -> Checked: ...
def provenance_check_summary(
    record: Verified,
    *,
    verifier_id: str | None = None,
    resource_uri: str | None = None,
    policy_uri: str | None = None,
    levels: Sequence[str] | None = None,
    dependency_level: str | None = None,
    subjects: Sequence[str] | None = None,
    verified_from: str | None = None,
    verified_until: str | None = None,
    key_id: str | None = None,
) -> _Data: ...
def provenance_build(statement: Statement) -> _Data: ...
def provenance_reproduced(first: Verified, second: Verified) -> Reproduction: ...
def provenance_isolated(provenance: Verified, claim: Verified) -> None: ...
def ci_provenance(
    system: str,
    *,
    environment: Mapping[str, str] | None = None,
    systems: Sequence[bytes] | None = None,
    started: str | None = None,
    finished: str | None = None,
    parameters: _Given | None = None,
    dependencies: Sequence[_Given] | None = None,
    now: str | None = None,
) -> _Data: ...
def ci_plain_machine(
    builder_id: str,
    source: _Given,
    *,
    started: str | None = None,
    finished: str | None = None,
    parameters: _Given | None = None,
    dependencies: Sequence[_Given] | None = None,
    now: str | None = None,
) -> _Data: ...
def commit_verify(raw: bytes, commit_id: str, trust: CommitTrust, *, now: str | None = None) -> _Data: ...
def commit_verify_tag(raw: bytes, tag_id: str, trust: CommitTrust, *, now: str | None = None) -> _Data: ...
def oci_signed_image(payload: bytes) -> str: ...
def layout_verify(
    layout: bytes,
    owners: Sequence[str],
    links: _Path | Mapping[str, bytes],
    *,
    artifact: str,
    parameters: Mapping[str, str] | None = None,
    require_commands: bool | None = None,
    at: str | None = None,
) -> _Data: ...
def trust_policy_statement(policy: _Given) -> Statement: ...
def key_descriptor(key: PublicKey) -> _Data: ...
def starter_bundle() -> bytes: ...
def policy_descriptor(bundle: bytes) -> _Data: ...
def policy_profile(bundle: bytes) -> _Data: ...
def decide(
    ledger: Ledger,
    key: _AnySigner,
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
    key: _AnySigner,
    *,
    release_id: str,
    purl: str,
    artifacts: Sequence[_Given],
    now: str | None = None,
) -> Recorded: ...
def promote(
    ledger: Ledger,
    key: _AnySigner,
    permit: Permit,
    *,
    release_id: str,
    promoted_by: _Given,
    now: str | None = None,
) -> Recorded: ...
def deploy(
    ledger: Ledger,
    key: _AnySigner,
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
    key: _AnySigner,
    *,
    environment: _Given,
    observer: _Given,
    state: Sequence[_Given],
    source: bytes,
    now: str | None = None,
) -> Recorded: ...
def drift(ledger: Ledger, key: _AnySigner, *, environment_id: str, now: str | None = None) -> _Data: ...
def alerts(
    ledger: Ledger,
    *,
    now: str | None = None,
    hours: int = 24,
    before: int = 7,
    times: int = 3,
    more: int = 5,
    days: int = 30,
) -> _Data: ...
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
    exclude: list[str] | None = None,
) -> _Data: ...
def sbom_generate_image(
    path: _Path,
    *,
    digest: str | None = None,
    tag: str | None = None,
    platform: str | None = None,
    name: str | None = None,
    version: str | None = None,
    purl: str | None = None,
    bom_ref: str | None = None,
    timestamp: str | None = None,
) -> _Data: ...
def sbom_validate(document: bytes) -> list[_Data]: ...
def sbom_read(document: bytes) -> _Data: ...
def sbom_convert(document: bytes, to: str, *, timestamp: str | None = None) -> _Data: ...
def sbom_diff(before: bytes, after: bytes) -> _Data: ...
def sbom_score(document: bytes) -> _Data: ...
def sbom_query(
    document: bytes,
    *,
    purl: str | None = None,
    name: str | None = None,
    range: str | None = None,
    license: str | None = None,
) -> _Data: ...
def sbom_licenses(
    document: bytes,
    *,
    allow: Sequence[str] | None = None,
    deny: Sequence[str] | None = None,
    allow_unlicensed: bool | None = None,
) -> list[_Data]: ...
def sbom_merge(
    documents: Sequence[bytes],
    *,
    name: str,
    version: str | None = None,
    timestamp: str | None = None,
) -> _Data: ...
def sbom_read_vex(document: bytes) -> list[_Data]: ...
def sbom_vex_status(
    documents: Sequence[bytes],
    vulnerability: str,
    product: str,
    component: str | None = None,
) -> _Data | None: ...
def junit_read(report: bytes) -> _Data: ...
def ingest_read(report: bytes, told: _Given | None = None, *, now: str | None = None) -> Ingested: ...
def ingest_read_file(path: _Path, told: _Given | None = None, *, now: str | None = None) -> Ingested: ...
def ingest_formats() -> list[_Data]: ...
def guard_text(text: str, rules: bytes | None = None) -> list[_Data]: ...
def pack_build(
    ledger: Ledger,
    key: _AnySigner,
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
    witnesses: Sequence[str] | None = None,
    quorum: int | None = None,
) -> _Data: ...
