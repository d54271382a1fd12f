"""Each call of the API, as a user of Python makes it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import sealwright as sw
from sealwright import InvalidInput, Ledger, LedgerError, PolicyDenied, PrivateKey, VerificationFailed

from conftest import DEV, NOW, RELEASE, World

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))
import first_record  # noqa: E402

ACTOR = {"id": "urn:example:workload:records", "kind": "workload"}
PROVENANCE = "https://slsa.dev/provenance/v1"


def note(about: str) -> tuple[str, sw.Statement]:
    digest = sw.digest_bytes(about.encode())
    subject = {"digest": sw.parse_digest(digest)}
    return digest, sw.Statement("https://example.org/note/v1", [subject], {"of": about})


def test_files_and_folders_are_hashed(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("hello\n")
    expected = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    assert sw.digest_file(file) == sw.digest_bytes(b"hello\n") == expected
    assert list(sw.digest_set(file, ["sha256", "sha512"])) == ["sha256", "sha512"]
    assert list(sw.digest_folder(tmp_path)) == ["dirHash1"]


def test_a_key_goes_to_a_file_and_comes_back(tmp_path: Path) -> None:
    key = PrivateKey.generate("p256")
    key.write(tmp_path / "key.pem", "correct horse")
    assert PrivateKey.read(tmp_path / "key.pem", "correct horse").public == key.public
    with pytest.raises(InvalidInput) as wrong:
        PrivateKey.read(tmp_path / "key.pem", "battery staple")
    assert wrong.value.code == "WRONG_PASSPHRASE"
    with pytest.raises(InvalidInput, match="not overwritten") as there:
        key.write(tmp_path / "key.pem")
    assert there.value.code == "ALREADY_EXISTS"
    public = sw.PublicKey.from_pem(key.public.to_pem())
    public.verify(b"text", key.sign(b"text"))
    with pytest.raises(VerificationFailed):
        public.verify(b"test", key.sign(b"text"))
    assert "PRIVATE KEY" not in repr(key)


def test_a_statement_is_signed_and_verified() -> None:
    key = PrivateKey.generate("ed25519")
    digest, statement = note("shop")
    record = sw.sign(statement, key)
    keys = {"builder": {"key": key.public.to_pem(), "validFrom": "2026-01-01T00:00:00Z"}}
    verified = sw.verify(record, trust=keys, artifact=digest, signer=["builder"], at=NOW)
    assert verified.statement == statement
    assert verified.statement.predicate == {"of": "shop"}
    assert verified.signers[0]["keyId"] == key.public.id
    assert verified.record == record


def test_what_was_not_demanded_is_refused_with_code_and_context() -> None:
    key = PrivateKey.generate("ed25519")
    _, statement = note("shop")
    other, _ = note("other")
    verifier = sw.Verifier({"builder": key.public.to_pem()})
    with pytest.raises(VerificationFailed, match="check the artifact") as refused:
        verifier.verify(sw.sign(statement, key), artifact=other, signer="builder")
    assert refused.value.code == "DIGEST_MISMATCH"
    assert refused.value.context["expected"] == other
    with pytest.raises(InvalidInput, match="no artifact is demanded"):
        verifier.verify(sw.sign(statement, key), signer="builder")  # type: ignore[call-arg]


def test_what_has_no_json_form_is_refused() -> None:
    for odd in (object(), float("nan"), {b"bytes": 1}):
        with pytest.raises((TypeError, ValueError)):
            sw.Statement("https://example.org/x/v1", [], {"odd": odd})


def test_records_are_appended_found_proven_and_audited(world: World) -> None:
    ledger = world.ledger
    found = ledger.search(digest=world.artifact, predicate_type=PROVENANCE)
    assert (len(found.records), found.more, found.size) == (1, False, ledger.size)
    record = found.records[0]
    assert record.speaker["signer"] == "builder"
    assert record.logged_at == "2026-11-21T09:00:00Z"
    assert not record.revoked
    receipt = ledger.prove(record.index)
    receipt.verify(record.verified.record, ledger.log_key)
    with pytest.raises(LedgerError) as tampered:
        receipt.verify(b"x", ledger.log_key)
    assert tampered.value.code == "LEDGER_TAMPERED"
    kept = json.dumps(receipt.to_dict()).encode()
    parsed = sw.Receipt.parse(kept)
    assert parsed == receipt
    said = parsed.check(record.verified.record, log_key=ledger.log_key)
    assert (said["index"], said["origin"], said["size"]) == (record.index, ledger.origin, ledger.size)
    assert said["cosignatures"] == []
    w1 = "witness.example.org/w1+869f2844+BC5HVDhToR/mNhI0KgUu1UIAsKs2eFSLfk5BM/rCOlkQ"
    w2 = "witness.example.org/w2+2eb2b5e9+BC5HVDhToR/mNhI0KgUu1UIAsKs2eFSLfk5BM/rCOlkQ"
    for witnesses, quorum, expected in [
        ([w1], None, "BAD_CHECKPOINT"),
        ([w1, w1], 2, "API_MISUSE"),
        ([w1, w2], 1, "API_MISUSE"),
        ([w1], 0, "API_MISUSE"),
        ([], None, "API_MISUSE"),
        (None, 1, "API_MISUSE"),
    ]:
        with pytest.raises(sw.SealwrightError) as refused:
            parsed.check(record.verified.record, log_key=ledger.log_key, witnesses=witnesses, quorum=quorum)
        assert refused.value.code == expected
    with pytest.raises(LedgerError) as other:
        parsed.check(b"x", log_key=ledger.log_key)
    assert other.value.code == "LEDGER_TAMPERED"
    with pytest.raises(InvalidInput):
        sw.Receipt.parse(kept[:-1])
    again = ledger.append(ledger.verify(record.verified.record, now=NOW), now=NOW)
    assert again.already_there
    assert [r.index for r in ledger.append_all([record.verified], now=NOW)] == [record.index]
    assert ledger.entry(record.index)["type"] == PROVENANCE
    with pytest.raises(InvalidInput) as beyond:
        ledger.record(10_000)
    assert beyond.value.code == "NOT_FOUND"
    with pytest.raises(InvalidInput):
        ledger.search(nonsense=1)  # type: ignore[call-arg]
    assert ledger.audit()["findings"] == []
    with pytest.raises(VerificationFailed) as not_entitled:
        ledger.record_statement(note("x")[1], world.keys["builder"], now=NOW)
    assert not_entitled.value.code == "NOT_ENTITLED"
    assert ledger.attachment(ledger.attach(b"raw")) == b"raw"
    assert ledger.trust_policy()["version"] == 1


def test_a_ledger_is_opened_with_what_is_known_of_it(world: World) -> None:
    folder, state = world.folder / "ledger", world.folder / "state"
    log_key = PrivateKey.read(world.folder / "log.pem")
    pins = {"logKey": world.ledger.log_key}
    other = Ledger.open(folder, anchors=state, log_key=log_key, pins=pins)
    assert (other.anchored, other.size, other.origin) == ("extends", world.ledger.size, "example.org/python")
    assert other.checkpoint == world.ledger.checkpoint
    assert Ledger.open(folder, anchors=world.folder / "new").anchored == "first-use"
    with pytest.raises(VerificationFailed):
        Ledger.open(folder, anchors=state, log_key=PrivateKey.generate("ed25519"))


def test_a_release_goes_through_gate_promotion_deployment_and_pack(world: World) -> None:
    ledger, records = world.ledger, world.keys["records"]
    decision = sw.decide(
        ledger, records, artifact=world.artifact, environment=DEV, release_id=RELEASE, deployer="deployer", now=NOW
    )
    permit = decision.enforce(ledger)
    assert permit.environment["id"] == DEV["id"]
    assert sw.Permit.of_decision(ledger, decision.payload).decision == permit.decision
    promotion = sw.promote(ledger, records, permit, release_id=RELEASE, promoted_by=ACTOR, now=NOW)
    deployer = {"id": "urn:example:workload:deployer", "kind": "workload"}
    subject = permit.artifacts[0]
    sw.deploy(
        ledger,
        world.keys["deployer"],
        permit,
        promotion=promotion.payload,
        deployment_id="urn:example:deployment:1",
        release_id=RELEASE,
        environment=DEV,
        artifacts=[subject],
        triggered_by=deployer,
        executed_by=deployer,
        started_at=NOW,
        finished_at=NOW,
        status="SUCCEEDED",
        strategy="recreate",
        resources=["urn:example:env:dev/shop"],
        now=NOW,
    )
    with pytest.raises(PolicyDenied) as spent:
        sw.promote(ledger, records, permit, release_id=RELEASE, promoted_by=ACTOR, now=NOW)
    assert spent.value.code == "PERMIT_REFUSED"
    state = [{"resource": "urn:example:env:dev/shop", "digest": subject["digest"]}]
    sw.snapshot(ledger, records, environment=DEV, observer=ACTOR, state=state, source=b"{}", now=NOW)
    assert sw.drift(ledger, records, environment_id=DEV["id"], now=NOW)["report"]["findings"] == []
    assert "deployed" in [step["act"] for step in sw.custody(ledger, RELEASE)["steps"]]
    assert sw.gaps(ledger, RELEASE) == []
    folder = world.folder / "pack"
    built = sw.pack.build(
        ledger, records, folder, release_id=RELEASE, requested_by=ACTOR, requested_at=NOW, now=NOW
    )
    log_key = PrivateKey.read(world.folder / "log.pem").public.to_pem()
    verdict = sw.pack.verify(folder, signers=str(world.signers()), log_key=log_key)
    assert verdict["statement"]["packId"] == built["packId"]


def test_a_refusal_says_which_checks_refuse(world: World) -> None:
    never_built, _ = note("never built")
    decision = sw.decide(
        world.ledger,
        world.keys["records"],
        artifact=never_built,
        environment=DEV,
        release_id=RELEASE,
        deployer="deployer",
        now=NOW,
    )
    assert not decision.passed
    assert "EV-PROV-001" in [check["id"] for check in decision.refusals]
    with pytest.raises(PolicyDenied) as denied:
        decision.enforce(world.ledger)
    assert denied.value.code == "POLICY_DENIED"
    assert "EV-PROV-001" in denied.value.context["checks"]


def test_a_release_is_begun_once(world: World) -> None:
    artifacts = [{"digest": sw.parse_digest(world.artifact)}]
    begin = {"release_id": "shop-2", "purl": "pkg:generic/shop@2.0.0", "artifacts": artifacts}
    sw.release_begin(world.ledger, world.keys["records"], **begin, now=NOW)  # type: ignore[arg-type]
    begin["purl"] = "pkg:generic/shop@2.0.1"
    with pytest.raises(InvalidInput) as twice:
        sw.release_begin(world.ledger, world.keys["records"], **begin, now=NOW)  # type: ignore[arg-type]
    assert twice.value.code == "ALREADY_EXISTS"


def test_documents_are_read(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "app"\nversion = "1.0.0"\n')
    (tmp_path / "Cargo.lock").write_text('version = 4\n[[package]]\nname = "app"\nversion = "1.0.0"\n')
    bom = sw.sbom.generate(tmp_path, bom_ref="app")
    assert bom["metadata"]["component"]["bom-ref"] == "app"
    assert sw.sbom.validate(json.dumps(bom).encode()) == []
    assert sw.junit.read(b'<testsuite><testcase name="a"/></testsuite>')["tests"] == 1


def test_an_sbom_is_converted_compared_and_asked() -> None:
    def bom(version: str, license: str) -> bytes:
        purl = f"pkg:npm/leftpad@{version}"
        component: dict[str, object] = {"type": "library", "bom-ref": purl, "name": "leftpad", "version": version}
        component["purl"] = purl
        component |= {"licenses": [{"license": {"id": license}}], "tags": ["x"]}
        return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]}).encode()

    first, second = bom("1.0.0", "MIT"), bom("1.1.0", "GPL-3.0-only")
    made = sw.sbom.convert(first, "spdx", timestamp="2026-11-21T09:30:00Z")
    assert sw.sbom.validate(made["document"].encode()) == []
    assert [loss["path"] for loss in made["lost"]] == ["/components/0/tags"]
    assert sw.sbom.diff(first, second)["upgraded"][0]["after"] == "1.1.0"
    assert sw.sbom.score(first)["components"][0]["missing"] == ["supplier", "hash"]
    assert len(sw.sbom.query(first, purl="pkg:npm/leftpad", range="<2")["found"]) == 1
    assert sw.sbom.licenses(first, deny=["GPL-3.0-only"]) == []
    assert sw.sbom.licenses(second, deny=["GPL-3.0-only"])[0]["license"] == "GPL-3.0-only"
    merged = sw.sbom.merge([first, second], name="suite")
    assert sw.sbom.read(merged["document"].encode())["componentCount"] == 2
    said = {"vulnerability": "CVE-1", "status": "fixed", "products": ["pkg:npm/leftpad@1.1.0"]}
    vex = json.dumps({"@context": "https://openvex.dev/ns/v0.2.0", "statements": [said]}).encode()
    assert sw.sbom.read_vex(vex)[0]["status"] == "fixed"
    status = sw.sbom.vex_status([vex], "CVE-1", "pkg:npm/leftpad@1.1.0")
    assert status is not None and status["status"] == "fixed"
    assert sw.sbom.vex_status([vex], "CVE-1", "pkg:npm/leftpad@1.0.0") is None
    with pytest.raises(sw.InvalidInput) as refused:
        sw.sbom.convert(first, "pdf")
    assert refused.value.code == "MALFORMED"



def test_other_threads_run_while_work_is_done() -> None:
    key = PrivateKey.generate("p256")
    done = threading.Event()
    turns = 0

    def work() -> None:
        key.to_pem("correct horse")  # scrypt takes its time
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.wait(0.001):
        turns += 1
    thread.join()
    assert turns >= 5


def test_everything_says_what_it_is() -> None:
    undocumented = []
    for name in sw.__all__:
        item = getattr(sw, name)
        members = vars(item).items() if isinstance(item, type) else []
        for path, thing in [(name, item), *((f"{name}.{n}", m) for n, m in members if not n.startswith("_"))]:
            if not getattr(thing, "__doc__", None):
                undocumented.append(path)
    assert undocumented == []


def test_the_command_runs() -> None:
    command = [sys.executable, "-c", "import sys; from sealwright.command import main; sys.exit(main())"]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("sealwright ")
    assert subprocess.run([*command, "no-such-command"], capture_output=True, check=False).returncode == 2


def test_the_example_does_what_it_says(tmp_path: Path) -> None:
    key = PrivateKey.generate("p256")
    found = first_record.main(Path(__file__), first_record.own_ledger(tmp_path, key), key)
    assert found.records[0].speaker["signer"] == "builder"
