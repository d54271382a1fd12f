"""A ledger wherever it lies: encrypted, kept and disposed of, witnessed, mirrored, moved."""

from __future__ import annotations

import base64
import io
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

import sealwright as sw
from sealwright import (
    InvalidInput,
    KeyEncryptionKey,
    Ledger,
    LedgerError,
    Mirror,
    PolicyDenied,
    PrivateKey,
    ServiceUnavailable,
    Spool,
    VerificationFailed,
    Witness,
)

from conftest import BEFORE, FIXTURES, NOW, OURS, RELEASE, World, found
from test_timestamp import authority as authority  # noqa: PLC0414

PROVENANCE = "https://slsa.dev/provenance/v1"
LATER = "2029-01-01T00:00:00Z"
SCHEDULE = {"v": "sealwright-retention/v1", "frameworks": ["pci-dss-4.0.1"]}
RECORDS = {"id": "urn:example:workload:records", "kind": "workload"}
CLEO = {"id": "mailto:cleo@example.org", "kind": "human", "displayName": "Cleo Example"}
WITNESS = "witness.example.org/w1"


def officers(policy: dict[str, Any], _: dict[str, PrivateKey]) -> None:
    """Two people are records officers, and `records` may place holds and dispose."""
    for person in policy["people"][1:]:
        person["roles"].append("records-officer")
    (records,) = [s for s in policy["signers"] if s["name"] == "records"]
    records["predicateTypes"] += [f"{OURS}legal-hold/v0.1", f"{OURS}retention-disposal/v0.1"]


def own_key(world: World) -> PrivateKey:
    return PrivateKey.read(world.folder / "log.pem")


def log(world: World, about: str) -> sw.Receipt:
    """Appends a record of a test run, which nothing else says."""
    subject = [{"digest": sw.parse_digest(sw.digest_bytes(about.encode()))}]
    (run,) = world.ledger.search(predicate_type="https://in-toto.io/attestation/test-result/v0.1", limit=1).records
    statement = sw.Statement(run.statement.predicate_type, subject, run.statement.predicate)
    return world.ledger.record_statement(statement, world.keys["tester"], now=NOW)


def test_pages_are_read_when_they_are_needed(world: World) -> None:
    with Ledger.open(world.folder / "ledger", anchors=world.folder / "state") as ledger:
        assert [r.index for r in ledger.iterate(limit=2)] == list(range(ledger.size))
        assert [r.statement.predicate_type for r in ledger.iterate(predicate_type=PROVENANCE)] == [PROVENANCE]
        with pytest.raises(InvalidInput) as too_long:
            next(iter(ledger.iterate(limit=10_001)))
        assert too_long.value.code == "LIMIT_EXCEEDED"


def test_a_complete_answer_comes_from_the_log(world: World) -> None:
    complete = world.ledger.complete(release=RELEASE)
    assert [r.index for r in complete.records] == [r.index for r in world.ledger.search(release=RELEASE).records]
    assert (complete.more, complete.size, complete.without_body) == (False, world.ledger.size, [])
    assert complete.root in world.ledger.checkpoint
    everything = world.ledger.complete(limit=1)
    assert (len(everything.records), everything.more) == (1, True)


def test_figures_are_data_and_text_for_prometheus(world: World) -> None:
    stats = world.ledger.stats(now=NOW)
    data = stats.to_dict()
    assert (data["size"], data["origin"]) == (world.ledger.size, "example.org/python")
    assert data["types"][PROVENANCE]["records"] == 1
    assert f'sealwright_ledger_entries{{origin="example.org/python"}} {data["size"]}' in stats.to_prometheus()
    assert world.ledger.repairs() == []


def test_what_a_crash_left_is_repaired_and_told(world: World) -> None:
    journal = world.folder / "ledger/journal"
    journal.write_bytes(journal.read_bytes().rstrip(b"\0") + b"half a frame")
    ledger = Ledger.open(world.folder / "ledger", anchors=world.folder / "state")
    assert [repair["kind"] for repair in ledger.repairs()] == ["dropped"]
    assert ledger.size == world.ledger.size


def test_what_was_appended_is_brought_to_rest(world: World) -> None:
    log(world, "settled")
    assert (world.folder / "ledger/journal").exists()
    world.ledger.settle()
    assert not (world.folder / "ledger/journal").exists()
    placed = (world.folder / "ledger/checkpoint").read_text()
    assert placed == world.ledger.checkpoint


def test_leaving_a_block_brings_what_was_appended_to_rest(world: World) -> None:
    with world.ledger as ledger:
        log(world, "left")
        assert (world.folder / "ledger/journal").exists()
    assert not (world.folder / "ledger/journal").exists()
    assert (world.folder / "ledger/checkpoint").read_text() == ledger.checkpoint
    # and what the block raised is what is heard, whatever closing meets
    log(world, "open again")
    (world.folder / "ledger/bodies").rename(world.folder / "elsewhere")
    (world.folder / "ledger/bodies").write_bytes(b"")
    with pytest.raises(ZeroDivisionError), ledger:
        _ = 1 // 0
    with pytest.raises(sw.SealwrightError) as failed:
        ledger.close()
    assert failed.value.code == "MALFORMED"


def test_attachments_are_bytes_files_and_streams(world: World) -> None:
    ledger = world.ledger
    raw = bytes(range(256)) * 3000
    file = world.folder / "report.bin"
    file.write_bytes(raw)
    digest = ledger.attach(raw)
    with file.open("rb") as stream:
        assert ledger.attach(file) == ledger.attach(stream) == ledger.attach(io.BytesIO(raw)) == digest
    assert ledger.attachment(digest) == raw
    with ledger.attachment_stream(digest) as reader:
        assert reader.size == len(raw)
        assert reader.read(5) == raw[:5]
        assert reader.read() == raw[5:]
        assert reader.read(1) == b""
    pieces = list(ledger.attachment_stream(digest))
    assert len(pieces) == 3 and b"".join(pieces) == raw
    out = io.BytesIO()
    shutil.copyfileobj(ledger.attachment_stream(digest), out)
    assert out.getvalue() == raw
    (kept,) = (world.folder / "ledger/attachments").rglob(digest.removeprefix("sha256:"))
    kept.write_bytes(raw[:-1] + b"?")
    with pytest.raises(LedgerError) as changed:
        for _ in ledger.attachment_stream(digest):
            pass
    assert changed.value.code == "LEDGER_TAMPERED"
    with pytest.raises(InvalidInput) as never:
        ledger.attachment_stream("sha256:" + "0" * 64)
    assert never.value.code == "NOT_FOUND"
    broken = io.TextIOWrapper(io.BytesIO(raw))
    with pytest.raises(ServiceUnavailable) as unreadable:
        ledger.attach(broken)  # type: ignore[arg-type]
    assert unreadable.value.code == "IO"


def test_an_encrypted_ledger_opens_with_its_key_alone(tmp_path: Path) -> None:
    key = KeyEncryptionKey.generate(tmp_path / "kek.json", "correct horse")
    assert "correct horse" not in repr(key) and key.id in repr(key)
    world = found(tmp_path, key=key)
    place, state = tmp_path / "ledger", tmp_path / "state"
    assert world.ledger.key_encryption_key == key.id
    stored = b"".join(f.read_bytes() for f in place.rglob("*") if f.is_file())
    assert RELEASE.encode() not in stored and PROVENANCE.encode() not in stored
    again = KeyEncryptionKey.open(str(tmp_path / "kek.json"), passphrase="correct horse")
    ledger = Ledger.open(place, anchors=state, encryption_key=again)
    assert len(ledger.search(release=RELEASE).records) > 0
    other = KeyEncryptionKey.generate(tmp_path / "other.json")
    for wrong in (other, None):
        with pytest.raises(InvalidInput) as refused:
            Ledger.open(place, anchors=state, encryption_key=wrong)
        assert refused.value.code == "WRONG_KEY"
    rotated = ledger.rotate_encryption_keys(other)
    assert (rotated["key"], rotated["resumed"]) == (other.id, False)
    assert ledger.key_encryption_key == other.id
    with pytest.raises(InvalidInput) as old:
        Ledger.open(place, anchors=state, encryption_key=again)
    assert old.value.code == "WRONG_KEY"
    assert Ledger.open(place, anchors=state, encryption_key=other).audit()["findings"] == []
    with pytest.raises(InvalidInput) as there:
        KeyEncryptionKey.generate(tmp_path / "other.json")
    assert there.value.code == "ALREADY_EXISTS"


def test_records_are_held_disposed_of_and_proven_after_all(tmp_path: Path) -> None:
    world = found(tmp_path, officers)
    ledger, records = world.ledger, world.keys["records"]
    (build,) = ledger.search(predicate_type=PROVENANCE).records
    entries = [build.index]
    assert ledger.retention(SCHEDULE, now=NOW).due == []
    retention = ledger.retention(SCHEDULE, now=LATER)
    assert build.index in [due["index"] for due in retention.due]
    assert len(retention.to_dict()["records"]) == ledger.size

    hold = "https://example.org/holds/17"
    sw.place_hold(
        ledger, records, hold_id=hold, matter="Matter 17", ordered_by=CLEO, entries=entries, now=LATER
    )
    plan = ledger.plan_disposal(SCHEDULE, entries=entries, now=LATER)
    assert not plan.may_go and hold in plan.to_dict()["refused"][0]["obstacles"][0]
    with pytest.raises(InvalidInput) as nothing:
        sw.place_hold(ledger, records, hold_id=f"{hold}0", matter="x", ordered_by=CLEO, now=LATER)
    assert nothing.value.code == "API_MISUSE"
    with pytest.raises(PolicyDenied) as held:
        sw.approve_disposal(
            ledger, world.keys["reviewer"], schedule=SCHEDULE, approver=CLEO, entries=entries, now=LATER
        )
    assert held.value.code == "POLICY_DENIED"
    sw.release_hold(ledger, records, hold_id=hold, ordered_by=CLEO, now=LATER)
    assert [(h["placed"]["holdId"], h["releasedBy"]) for h in ledger.holds()] == [(hold, ledger.size - 1)]

    with pytest.raises(PolicyDenied):
        ledger.dispose(SCHEDULE, records, executed_by=RECORDS, entries=entries, now=LATER)
    for officer in ("reviewer", "release-manager"):
        by = {**CLEO, "id": f"mailto:{officer}@example.org"}
        sw.approve_disposal(
            ledger, world.keys[officer], schedule=SCHEDULE, approver=by, entries=entries, now=LATER
        )
    receipt = ledger.prove(build.index)
    assert ledger.plan_disposal(SCHEDULE, entries=entries, now=LATER).may_go
    done = ledger.dispose(SCHEDULE, records, executed_by=RECORDS, entries=entries, now=LATER)
    assert done["entries"] == entries and ledger.finish_disposals() == []
    with pytest.raises(LedgerError) as gone:
        ledger.record(build.index)
    assert gone.value.code == "BODY_DISPOSED"
    receipt.verify(build.verified.record, ledger.log_key)
    assert ledger.audit()["findings"] == []


def test_the_longest_rule_wins() -> None:
    schedule = {**SCHEDULE, "frameworks": ["hipaa-security-rule", "pci-dss-4.0.1"]}
    assert sw.longest_retention(schedule, ["build.provenance"])[0] == ("hipaa-doc", "P6Y")


def test_bodies_go_to_the_archive_and_back(world: World) -> None:
    place, state, cold = (world.folder / name for name in ("ledger", "state", "cold"))
    with pytest.raises(InvalidInput) as unnamed:
        world.ledger.archive(NOW)
    assert unnamed.value.code == "API_MISUSE"
    ledger = Ledger.open(place, anchors=state, archive=cold)
    moved = ledger.archive(NOW)
    assert moved["entries"] == ledger.archived() == list(range(1, ledger.size))
    assert ledger.record(1).index == 1
    with pytest.raises(LedgerError) as cold_there:
        Ledger.open(place, anchors=state).record(1)
    assert cold_there.value.code == "BODY_ARCHIVED"
    assert ledger.unarchive([1])["entries"] == [1]
    assert ledger.unarchive()["entries"] == moved["entries"][1:]
    assert (ledger.archived(), ledger.audit()["findings"]) == ([], [])


@pytest.fixture
def witnessed(tmp_path: Path) -> Iterator[tuple[World, Witness, str]]:
    """A ledger whose trust policy lists a witness, the witness, and the URL of a server that asks it."""
    witness = Witness(tmp_path / "witness", WITNESS, PrivateKey.generate("ed25519"))

    def listed(policy: dict[str, Any], _: dict[str, PrivateKey]) -> None:
        policy["witnesses"] = [{"name": WITNESS, "key": witness.key}]
        policy["quorum"] = 1

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            answer = witness.add_checkpoint(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(answer["status"])
            self.send_header("Content-Type", answer["contentType"])
            self.end_headers()
            self.wfile.write(answer["body"].encode())

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found(tmp_path, listed), witness, f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()


def test_witnesses_cosign_what_extends_what_they_saw(witnessed: tuple[World, Witness, str]) -> None:
    world, witness, url = witnessed
    ledger = world.ledger
    assert ledger.witnessed()["cosignatures"] == []
    with pytest.raises(InvalidInput) as unknown:
        witness.cosign(world.folder / "ledger")
    assert unknown.value.code == "NOT_FOUND"
    cosigned = witness.cosign(world.folder / "ledger", log_key=ledger.log_key)
    assert [c["witness"] for c in ledger.keep_cosigned(cosigned)] == [WITNESS]
    log(world, "more")
    asked = ledger.ask_witnesses({WITNESS: url})
    assert asked["failed"] == [] and asked["witnessed"]["size"] == ledger.size
    assert [c["witness"] for c in ledger.witnessed()["cosignatures"]] == [WITNESS]
    silent = ledger.ask_witnesses({WITNESS: "http://127.0.0.1:9/"})
    assert [(f["witness"], f["code"]) for f in silent["failed"]] == [(WITNESS, "SERVICE_UNAVAILABLE")]
    with pytest.raises(InvalidInput) as unlisted:
        ledger.ask_witnesses({"witness.example.org/other": url})
    assert unlisted.value.code == "API_MISUSE"
    witness.trust_log(ledger.log_key)
    assert ledger.audit()["findings"] == []


def test_a_checkpoint_is_timestamped(tmp_path: Path, authority: tuple[str, bytes]) -> None:
    url, root = authority
    digest = sw.parse_digest(sw.digest_bytes(root))
    carried = {"digest": digest, "content": base64.b64encode(root).decode()}
    (tmp_path / "world").mkdir()
    world = found(tmp_path / "world", lambda policy, _: policy.update(trustedRoots=[carried]))
    stamped = world.ledger.timestamp_checkpoint(url)
    assert stamped["authority"] == "https://tsa.example"
    assert world.ledger.witnessed()["timestamps"] == [stamped]
    with pytest.raises(VerificationFailed) as not_over_it:
        world.ledger.keep_timestamp(world.ledger.checkpoint, b"no token")
    assert not_over_it.value.code == "BAD_TIMESTAMP"
    assert world.ledger.audit()["findings"] == []


def test_the_log_key_is_replaced_and_old_receipts_hold(world: World) -> None:
    ledger, old = world.ledger, world.ledger.log_key
    other = Ledger.open(world.folder / "ledger", anchors=world.folder / "state")
    before = ledger.prove(1)
    note = ledger.rotate_log_key(PrivateKey.generate("ed25519"))
    assert ledger.log_key != old and ledger.log_key in note and ledger.rotations() == [note]
    assert other.log_key == old
    other.refresh()
    assert other.log_key == ledger.log_key
    record = ledger.record(1).verified.record
    after = log(world, "after")
    before.verify(record, old)
    newest = ledger.record(after.index).verified.record
    with pytest.raises(VerificationFailed) as replaced:
        after.verify(newest, old)
    assert replaced.value.code in ("BAD_SIGNATURE", "UNTRUSTED_SIGNER")
    after.verify(newest, old, rotations=[note])
    after.verify(newest, ledger.log_key)
    with pytest.raises(VerificationFailed):
        Ledger.open(world.folder / "ledger", anchors=world.folder / "state", log_key=own_key(world))


def test_two_histories_are_found_and_proven(world: World) -> None:
    shutil.copytree(world.folder / "ledger", world.folder / "twin")
    shutil.copytree(world.folder / "state", world.folder / "twin-state")
    key = own_key(world)
    log(world, "one history")
    twin = Ledger.open(world.folder / "twin", anchors=world.folder / "twin-state", log_key=key)
    log(World(world.folder, twin, world.keys, world.artifact), "another history")
    with pytest.raises(LedgerError) as forked:
        Ledger.open(world.folder / "twin", anchors=world.folder / "state")
    assert forked.value.code == "LEDGER_FORKED"
    (proof,) = world.ledger.forks()
    assert twin.checkpoint in proof["checkpoints"]
    sw.verify_fork(proof, world.ledger.log_key)
    proof["checkpoints"][1] = proof["checkpoints"][0]
    with pytest.raises(VerificationFailed) as none:
        sw.verify_fork(proof, world.ledger.log_key)
    assert none.value.code == "EXPECTATION_UNMET"


def test_a_mirror_is_pulled_and_restored(world: World) -> None:
    source, copy = world.folder / "ledger", world.folder / "copy"
    mirror = Mirror(copy, anchors=world.folder / "state")
    pulled = mirror.pull(source, pins={"logKey": world.ledger.log_key}, now=NOW)
    assert (pulled["had"], pulled["size"]) == (0, world.ledger.size)
    log(world, "since")
    lag = mirror.lag(source, now="2026-11-21T10:01:00Z")
    assert (lag["entries"], lag["millis"], lag["pulledAt"]) == (1, 60_000, NOW)
    assert mirror.pull(source, now=NOW)["size"] == world.ledger.size
    with pytest.raises(InvalidInput) as reading_only:
        Ledger.open(copy, anchors=world.folder / "state", log_key=own_key(world))
    assert reading_only.value.code == "API_MISUSE"
    back = world.folder / "back"
    restored = Mirror.restore(back, copy, anchors=world.folder / "state")
    ledger = Ledger.open(back, anchors=world.folder / "state", log_key=own_key(world))
    assert (ledger.size, ledger.checkpoint) == (restored["size"], world.ledger.checkpoint)


def test_a_mirror_of_an_encrypted_ledger_is_proven_with_its_key(tmp_path: Path) -> None:
    key = KeyEncryptionKey.generate(tmp_path / "kek.json")
    world = found(tmp_path, key=key)
    log(world, "sealed")
    source, copy, back, state = (tmp_path / name for name in ("ledger", "copy", "back", "state"))
    mirror = Mirror(copy, anchors=state)
    blind = mirror.pull(source, pins={"logKey": world.ledger.log_key}, now=NOW)
    assert blind["unproven"] == blind["size"]
    assert mirror.pull(source, encryption_key=key, now=NOW)["unproven"] == 0
    with pytest.raises(InvalidInput) as without:
        Mirror.restore(back, copy, anchors=state)
    assert without.value.code == "WRONG_KEY"
    assert Mirror.restore(back, copy, anchors=state, encryption_key=key)["withoutBody"] == 0
    ledger = Ledger.open(back, anchors=state, log_key=own_key(world), encryption_key=key)
    assert ledger.checkpoint == world.ledger.checkpoint


def test_a_ledger_moves_and_its_old_place_takes_nothing(world: World) -> None:
    state, there = world.folder / "state", world.folder / "there"
    moved = Ledger.move_to(world.folder / "ledger", there, anchors=state)
    assert (moved["size"], moved["to"]) == (world.ledger.size, str(there))
    ledger = Ledger.open(there, anchors=state, log_key=own_key(world))
    assert (ledger.place, ledger.moved_to) == (str(there), None)
    assert moved["root"] in ledger.checkpoint
    world.ledger.refresh()
    assert world.ledger.moved_to == str(there)
    with pytest.raises(LedgerError) as refused:
        log(world, "too late")
    assert refused.value.code == "APPEND_REFUSED"
    with pytest.raises(InvalidInput) as address:
        Ledger.move_to("https://ledger.example.org", there, anchors=state)
    assert address.value.code == "API_MISUSE"


def test_a_bucket_is_a_place_like_any_other(world: World) -> None:
    """Nothing answers there, so that it is seen what is asked for; buckets with services are tested with the command."""
    place = world.folder / "bucket.toml"
    place.write_text(
        'bucket = "s3://evidence/shop"\ndatabase = "postgres://s@127.0.0.1:9/x"\nregion = "x"\n'
        'endpoint = "http://127.0.0.1:9"\nretries = 0\ntimeout-seconds = 1\n'
    )
    variables = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "PGPASSWORD": "secret"}
    with pytest.raises(ServiceUnavailable) as nobody:
        Ledger.open(place, anchors=world.folder / "state", variables=variables)
    assert nobody.value.code == "SERVICE_UNAVAILABLE" and "secret" not in str(nobody.value)
    place.write_text('bucket = "no address"\n')
    with pytest.raises(InvalidInput) as unreadable:
        Ledger.open(place, anchors=world.folder / "state")
    assert unreadable.value.code == "MALFORMED"


def test_a_spool_is_sent_when_there_is_a_ledger(world: World) -> None:
    spool = Spool(world.folder / "spool")
    (run,) = world.ledger.search(predicate_type=PROVENANCE).records
    stranger = sw.sign(run.statement, PrivateKey.generate("ed25519"))
    waits = Path(spool.add(run.verified.record, now=NOW))
    spool.add(stranger, now=NOW)
    assert spool.waiting()[0] == waits.name and len(spool.waiting()) == 2
    sent = spool.send(world.ledger, now=NOW)
    assert [d["receipt"]["index"] for d in sent["delivered"]] == [run.index]
    assert [r["code"] for r in sent["refused"]] == ["UNTRUSTED_SIGNER"]
    assert (sent["stopped"], spool.waiting()) == (None, [])
    with pytest.raises(InvalidInput):
        spool.add(b"no record")


def test_files_wait_in_a_spool_and_are_sent_before_records(world: World) -> None:
    spool, report = Spool(world.folder / "spool"), world.folder / "report"
    with pytest.raises(InvalidInput) as mistyped:
        spool.send(world.ledger, now=NOW)
    assert mistyped.value.code == "NOT_FOUND"
    report.write_bytes(b"a report")
    digest = spool.attach(report)
    with report.open("rb") as stream:
        assert spool.attach(b"a report") == spool.attach(stream) == digest == sw.digest_bytes(b"a report")
    assert spool.attachments() == [digest]
    assert spool.send(world.ledger, now=NOW)["stopped"] is None
    assert (spool.attachments(), world.ledger.attachment(digest)) == ([], b"a report")
    with pytest.raises(InvalidInput) as missing:
        spool.attach(world.folder / "none")
    assert missing.value.code == "NOT_FOUND"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[World, str, str]]:
    """A ledger behind a sequencer on loopback, its URL, and a token that lets in."""

    def writers(policy: dict[str, Any], _: dict[str, PrivateKey]) -> None:
        types = {t for s in policy["signers"] for t in s["predicateTypes"]}
        apart = {f"{OURS}{kind}/v0.1" for kind in ("trust-policy", "deployment")}
        policy["writers"] = [
            {"credential": "ci", "predicateTypes": sorted(types - apart)},
            {"credential": "admins", "predicateTypes": [f"{OURS}trust-policy/v0.1"]},
        ]

    world = found(tmp_path, writers, submitter="ci")
    issuer = PrivateKey.generate("ed25519")

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    der = base64.b64decode("".join(issuer.public.to_pem().splitlines()[1:-1]))
    jwk = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k", "x": part(der[-32:])}
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [jwk]}))
    now = int(time.time())
    claims = {"iss": "https://ci.example.org", "sub": "ci", "aud": "ledger", "iat": now, "exp": now + 600}
    head = {"alg": "EdDSA", "kid": "k", "typ": "JWT"}
    signed = f"{part(json.dumps(head).encode())}.{part(json.dumps(claims).encode())}"
    token = f"{signed}.{part(issuer.sign(signed.encode()))}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "serve.toml").write_text(
        f"""
ledger = "ledger"
state = "server-state"
log-key = "log.pem"
listen = "127.0.0.1:{port}"
transport = "plain-behind-proxy"
[roles]
all = ["append", "attach", "read-log", "read-records", "search"]
[[issuer]]
issuer = "https://ci.example.org"
audience = "ledger"
algorithms = ["EdDSA"]
keys-file = "keys.json"
[[caller]]
name = "ci"
credential = "ci"
roles = ["all"]
token = {{ issuer = "https://ci.example.org", subject = "ci" }}
"""
    )
    command = [sys.executable, "-c", "import sys; from sealwright.command import main; sys.exit(main())"]
    server = subprocess.Popen(
        [*command, "ledger", "serve", "--config", "serve.toml"], cwd=tmp_path, stderr=subprocess.PIPE
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=1).close()
            break
        except OSError:
            assert server.poll() is None, server.communicate()[1].decode()
            time.sleep(0.05)
    yield world, url, token
    server.terminate()
    server.communicate(timeout=60)
    assert server.returncode == 0


def test_a_ledger_behind_an_address_is_used_like_one_in_a_folder(served: tuple[World, str, str]) -> None:
    world, url, token = served
    pins = {"logKey": world.ledger.log_key}
    anchors = world.folder / "elsewhere"
    (world.folder / "token").write_text(token)
    for access in ({"token": token}, {"tokenFile": str(world.folder / "token")}):
        ledger = Ledger.open(url, anchors=anchors, pins=pins, access=access)
        assert (ledger.size, ledger.checkpoint) == (world.ledger.size, world.ledger.checkpoint)
    assert [r.index for r in ledger.iterate(limit=3)] == list(range(ledger.size))
    assert ledger.complete(release=RELEASE).records[0].index == ledger.search(release=RELEASE).records[0].index
    receipt = log(World(world.folder, ledger, world.keys, world.artifact), "over the network")
    world.ledger.refresh()
    assert receipt.index == world.ledger.size - 1
    digest = ledger.attach(b"raw")
    assert ledger.attachment(digest) == b"".join(ledger.attachment_stream(digest)) == b"raw"
    again = Ledger.connect(url, anchors=anchors, access={"token": token}, pins=pins)
    assert again.anchored == "extends"
    with pytest.raises(InvalidInput) as keys:
        Ledger.open(url, anchors=anchors, access={"token": token}, log_key=own_key(world))
    assert keys.value.code == "API_MISUSE"
    with pytest.raises(sw.SealwrightError) as nobody:
        Ledger.open(url, anchors=anchors, pins=pins)
    assert nobody.value.code == "PERMISSION_DENIED" and token not in str(nobody.value)


@pytest.mark.parametrize("name", ["ledger-v1", "ledger-encrypted-v1"])
def test_the_golden_ledgers_are_read_as_when_they_were_written(name: str, tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / name, tmp_path / name)
    folder = tmp_path / name
    expected = json.loads((folder / "expected.json").read_bytes())
    key = KeyEncryptionKey.open(str(folder / "kek.json")) if (folder / "kek.json").exists() else None
    pins = {"logKey": expected["logKey"], "trustPolicy": expected["trustPolicy"], "minCheckpoint": expected["checkpoint"]}
    ledger = Ledger.open(folder / "ledger", anchors=folder / "anchors", encryption_key=key, pins=pins)
    assert (ledger.origin, ledger.size, ledger.checkpoint) == (
        expected["origin"],
        expected["size"],
        expected["checkpoint"],
    )
    for record in expected["records"]:
        found = ledger.record(record["index"])
        assert (found.statement.payload_digest, found.speaker["signer"]) == (record["payload"], record["signer"])
    assert ledger.attachment(expected["attachment"]) == b"<testsuite/>"
    assert ledger.audit()["findings"] == []
    given = expected["receipt"]
    receipt = sw.Receipt.parse(json.dumps(given["receipt"]).encode())
    receipt.check(given["record"].encode(), log_key=expected["logKey"])
    assert receipt.index == given["index"]
    names = {"predicateType": "predicate_type"}
    for rebuilt in (False, True):
        if rebuilt:
            ledger.rebuild_index()
        for case in expected["search"]:
            query = {names.get(name, name): value for name, value in case["query"].items()}
            by_index, by_log = ledger.search(**query), ledger.complete(**query)
            assert [r.index for r in by_index.records] == [r.index for r in by_log.records] == case["indexes"], query
            assert by_index.more is by_log.more is case["more"]


def test_affected_joins_sboms_with_what_runs(world: World) -> None:
    (sbom,) = world.ledger.search(predicate_type="https://cyclonedx.org/bom").records
    purl = next(c["purl"] for c in sbom.statement.predicate["components"] if "purl" in c)
    found = world.ledger.affected(purl=purl, complete=True)
    assert found == world.ledger.affected(purl=purl)
    (artifact,) = found["artifacts"]
    assert (artifact["digest"], artifact["records"]) == (world.artifact, [sbom.index])
    assert artifact["components"][0]["purl"] == purl
    assert artifact["running"] == []
    package = purl.split("@")[0]
    assert [r.index for r in world.ledger.search(component=package).records] == [sbom.index]
    assert world.ledger.affected(purl=package, range="<0.0.0")["artifacts"] == []
    advisory = {"id": "X-1", "affected": [{"package": {"ecosystem": "npm", "name": "x", "purl": package}}]}
    assert world.ledger.affected(advisory=advisory)["artifacts"] == found["artifacts"]
    wrong: list[tuple[dict[str, Any], str]] = [({}, "API_MISUSE"), ({"purl": "x"}, "MALFORMED"), ({"nonsense": 1}, "MALFORMED")]
    for asked, code in wrong:
        with pytest.raises(InvalidInput) as refused:
            world.ledger.affected(**asked)
        assert refused.value.code == code


def test_alerts_tell_secrets_that_are_read_more_often_than_they_are(tmp_path: Path) -> None:
    def collects(policy: dict[str, Any], _: dict[str, PrivateKey]) -> None:
        (records,) = [s for s in policy["signers"] if s["name"] == "records"]
        records["predicateTypes"].append(f"{OURS}key-access/v0.1")

    world = found(tmp_path, collects)
    secret = "vault://secret/data/shop"
    read = {
        "nonce": "00" * 16,
        "resource": secret,
        "resourceKind": "secret",
        "operation": "read",
        "actor": RECORDS,
        "at": BEFORE,
        "outcome": "SUCCEEDED",
        "count": 15,
        "window": {"from": BEFORE, "to": BEFORE},
        "sourceEvent": {"digest": {"sha256": "00" * 32}},
    }
    subject = {"uri": secret, "digest": {"uriSha256": sw.digest_bytes(secret.encode()).removeprefix("sha256:")}}
    statement = sw.Statement(f"{OURS}key-access/v0.1", [subject], read)
    index = world.ledger.record_statement(statement, world.keys["records"], now=NOW).index
    told = sw.alerts(world.ledger, now=NOW)
    assert [(a["kind"], a["about"], a["records"]) for a in told["alerts"]] == [
        ("unusual-reads", secret, [index]),
        ("unusual-reader", RECORDS["id"], [index]),
    ]
    assert sw.alerts(world.ledger, now=NOW, more=16)["alerts"] == []
    wrong: list[tuple[dict[str, Any], str]] = [({"hours": 0}, "API_MISUSE"), ({"hour": 1}, "MALFORMED")]
    for watch, code in wrong:
        with pytest.raises(InvalidInput) as refused:
            sw.alerts(world.ledger, now=NOW, **watch)
        assert refused.value.code == code
