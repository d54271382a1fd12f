"""What others sign, and signers elsewhere, as a user of Python meets them."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sealwright as sw
from sealwright import InvalidInput, PrivateKey, SealwrightError, ServiceUnavailable, Signer, TrustRoot, Verifier
from sealwright.keyless import RootArchive, RootSource, Services, Token

from conftest import FIXTURES, NOW, World

PROVENANCE = "https://slsa.dev/provenance/v1"
COMMIT = "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d"
KNOWING = "my-identity-is-published-for-ever"


def case(name: str) -> Any:
    return json.loads((FIXTURES / f"cases/{name}.json").read_text())["input"]


def code(refused: pytest.ExceptionInfo[SealwrightError]) -> str:
    return refused.value.code


def corpora(path: str) -> Path:
    """A folder of the corpora; a test that needs what is not there is skipped."""
    root = Path(os.environ.get("SEALWRIGHT_CORPORA", Path(__file__).resolve().parents[4] / "shared/corpora"))
    if not (root / path).exists():
        pytest.skip(f"no corpora: {path}")
    return root / path


def note() -> tuple[str, sw.Statement]:
    digest = sw.digest_bytes(b"shop")
    return digest, sw.Statement("https://example.org/note/v1", [{"digest": sw.parse_digest(digest)}], {})


def test_a_file_is_signed_and_verified_as_bytes_path_stream_and_digest(tmp_path: Path) -> None:
    file = tmp_path / "app"
    file.write_bytes(b"what was built" * 10_000)
    key = PrivateKey.generate("p384")
    verifier = Verifier({"ci": key.public.to_pem()})
    for blob in (file.read_bytes(), file, io.BytesIO(file.read_bytes())):
        bundle = sw.sign_blob(blob, key)
        with file.open("rb") as stream:
            for again in (file.read_bytes(), file, stream):
                verified = verifier.verify_blob(bundle, again, signer="ci", artifact=sw.digest_file(file))
                assert [s["name"] for s in verified["signers"]] == ["ci"]
    by_digest = "sha384:" + sw.digest_set(file, ["sha384"])["sha384"]
    assert verifier.verify_blob(bundle, by_digest, signer="ci")["digest"] == by_digest
    with pytest.raises(sw.VerificationFailed) as other:
        verifier.verify_blob(bundle, b"what was not built", signer="ci")
    assert code(other) == "DIGEST_MISMATCH"
    with pytest.raises(InvalidInput) as missing:
        verifier.verify_blob(bundle, tmp_path / "nothing", signer="ci")
    assert code(missing) == "NOT_FOUND"


def test_a_stream_that_fails_or_gives_too_much_is_an_error() -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("the disk is gone")

    class Greedy(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"x" * (size + 1)

    for stream in (Broken(), Greedy()):
        with pytest.raises(ServiceUnavailable) as failed:
            sw.sign_blob(stream, PrivateKey.generate("p256"))
        assert code(failed) == "IO"


def test_a_trust_root_holds_keys_identities_and_trusted_roots() -> None:
    given = case("certificate/good")
    key = PrivateKey.generate("p256")
    root = TrustRoot({"ci": key.public.to_pem()}).with_signers({"ada": {"identity": given["expectation"]["identity"]}})
    for trusted_root in given["trustedRoots"]:
        root = root.with_sigstore(json.dumps(trusted_root).encode())
    verifier = Verifier(root)
    waived: dict[str, Any] = {"unlogged_unsafe": True, "without_sct_unsafe": True, "at": "2027-06-01T00:00:00Z"}
    blob = given["blob"]["text"].encode()
    verified = verifier.verify_blob(given["bundle"].encode(), blob, signer=["ci", "ada"], **waived)
    assert verified["signers"][0]["certificate"]["issuer"] == "https://issuer.example"
    assert verified["signedAt"] == verified["timestamps"][0]["at"]
    digest, statement = note()
    record = sw.sign(statement, key)
    seen = sw.verify(record, trust=root, artifact=digest, signer="ci")
    assert (seen.signed_at, seen.log_entries, seen.timestamps) == (None, [], [])
    with pytest.raises(InvalidInput) as twice:
        root.with_signers({"ci": key.public.to_pem()})
    assert code(twice) == "API_MISUSE"
    with pytest.raises(InvalidInput) as garbage:
        root.with_sigstore(b"{}")
    assert code(garbage) == "MALFORMED"


def test_the_built_in_roots_believe_what_their_instances_signed() -> None:
    for root in (TrustRoot.public_good(), TrustRoot.staging(), TrustRoot.github()):
        assert isinstance(Verifier(root), Verifier)
    folder = corpora("sigstore-bundles/cpython-releases")
    line = json.loads((folder / "peer-verdicts.jsonl").read_text().splitlines()[0])
    releases = json.loads((folder / f"versions/{line['version']}.json").read_text())
    bundle = json.dumps(releases[line["index"]]["raw"]["sigstore"]).encode()
    signed_by = {"subject": line["identity"], "issuer": line["issuer"]}
    verifier = Verifier(TrustRoot.public_good())
    verified = verifier.verify_blob(bundle, f"sha256:{line['sha256']}", identity=signed_by)
    assert verified["logEntries"]
    with pytest.raises(sw.VerificationFailed) as untrusted:
        Verifier(TrustRoot.staging()).verify_blob(bundle, f"sha256:{line['sha256']}", identity=signed_by)
    assert code(untrusted) == "UNTRUSTED_CERTIFICATE"


def command(folder: Path) -> tuple[str, sw.PublicKey]:
    """A signer command, and the public half of its key."""
    for tool in ("openssl", "jq", "xxd"):
        assert shutil.which(tool), f"{tool} is needed"
    private = PrivateKey.generate("p256")
    private.write(folder / "elsewhere.pem")
    script = folder / "ask-signer"
    script.write_text(
        '#!/bin/bash\njq -r .digest | xxd -r -p | openssl pkeyutl -sign -inkey "$1" | base64 -w0\n'
    )
    script.chmod(0o755)
    return "command:" + json.dumps([str(script), str(folder / "elsewhere.pem")]), private.public


def test_a_signer_command_signs_records_files_and_what_goes_into_a_ledger(tmp_path: Path, world: World) -> None:
    reference, public = command(tmp_path)
    signer = Signer.open(reference, public_key=public.to_pem(), time_limit_millis=30_000)
    assert signer.public == public
    public.verify(b"text", signer.sign(b"text"))
    digest, statement = note()
    verifier = Verifier({"ci": public.to_pem()})
    assert verifier.verify(sw.sign(statement, signer), artifact=digest, signer="ci").statement == statement
    verifier.verify_blob(sw.sign_blob(b"app", signer), b"app", signer="ci")
    with pytest.raises(sw.VerificationFailed) as stranger:
        world.ledger.record_statement(statement, signer, now=NOW)
    assert code(stranger) == "UNTRUSTED_SIGNER"
    other = Signer.open(reference, public_key=PrivateKey.generate("p256").public.to_pem())
    with pytest.raises(SealwrightError) as lied:
        sw.sign(statement, other)
    assert code(lied) == "SIGNER_FAILED"


def test_a_key_file_is_a_signer_too_and_asks_for_its_passphrase(tmp_path: Path) -> None:
    key = PrivateKey.generate("ed25519")
    key.write(tmp_path / "key.pem", "correct horse", format="cosign")
    assert Signer.open(str(tmp_path / "key.pem"), passphrase="correct horse").public == key.public
    assert "ENCRYPTED SIGSTORE PRIVATE KEY" in key.to_pem("correct horse", format="cosign")
    for passphrase in (None, "battery staple"):
        with pytest.raises(InvalidInput) as wrong:
            Signer.open(str(tmp_path / "key.pem"), passphrase=passphrase)
        assert code(wrong) == "WRONG_PASSPHRASE"
    with pytest.raises(InvalidInput) as never:
        key.to_pem(format="cosign")
    assert code(never) == "API_MISUSE"
    with pytest.raises(InvalidInput) as unknown:
        Signer.open("key.pem", pass_phrase="correct horse")  # type: ignore[call-arg]
    assert code(unknown) == "MALFORMED"
    assert "correct" not in str(unknown.value)
    assert sw.PublicKey.from_jwk('{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}').id


def token(audience: str, subject: str = "ada") -> str:
    """A token that is valid for long; its signature says nothing."""
    claims = {"iss": "https://issuer.example", "sub": subject, "aud": audience, "exp": 32503680000, "repository": "a/b"}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


CONFIG = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    "oidcUrls": [],
    "caUrls": [
        {"url": "http://127.0.0.1:9", "majorApiVersion": 1, "validFor": {"start": "2020-01-01T00:00:00Z"}},
    ],
    "rekorTlogUrls": [
        {"url": "http://127.0.0.1:9", "majorApiVersion": 1, "validFor": {"start": "2020-01-01T00:00:00Z"}},
    ],
    "rekorTlogConfig": {"selector": "ANY"},
}


def test_a_keyless_signature_names_its_services_and_tells_what_it_publishes(tmp_path: Path) -> None:
    services = Services.from_signing_config(json.dumps(CONFIG).encode())
    assert (services.audience, services.addresses) == ("sigstore", ["http://127.0.0.1:9/", "http://127.0.0.1:9/"])
    (tmp_path / "token").write_text(token("sigstore"))
    given = Token.read(tmp_path / "token")
    published = {"issuer": "https://issuer.example", "identity": "ada", "details": {"repository": "a/b"}}
    assert (given.publication, given.expires_at) == (published, "3000-01-01T00:00:00Z")
    assert "c2ln" not in repr(given)
    digest, statement = note()
    calls: list[Callable[[Token], bytes]] = [
        lambda t: sw.keyless.sign_statement(statement, services, t, TrustRoot()),
        lambda t: sw.keyless.sign_blob(digest, services, t, TrustRoot()),
    ]
    for sign in calls:
        with pytest.raises(ServiceUnavailable) as down:
            sign(given)
        assert code(down) == "SERVICE_UNAVAILABLE"
        with pytest.raises(InvalidInput) as not_ours:
            sign(Token.parse(token("somebody-else")))
        assert code(not_ours) == "API_MISUSE"
    with pytest.raises(InvalidInput) as no_token:
        Token.parse("a.b.c")
    assert code(no_token) == "MALFORMED"


def test_public_good_is_asked_for_in_so_many_words() -> None:
    assert "https://fulcio.sigstore.dev/" in Services.public_good(KNOWING, now=NOW).addresses
    assert Services.staging(now=NOW).addresses
    with pytest.raises(InvalidInput) as unknowing:
        Services.public_good("yes")
    assert code(unknowing) == "API_MISUSE"
    config = json.dumps(CONFIG).replace("http://127.0.0.1:9", "https://fulcio.sigstore.dev")
    with pytest.raises(InvalidInput) as hidden:
        Services.from_signing_config(config.encode())
    assert code(hidden) == "API_MISUSE"


def test_a_job_s_token_is_found_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Token.ambient("sigstore", environment={"SIGSTORE_ID_TOKEN": token("sigstore", "job")})
    assert found is not None
    assert found.publication["identity"] == "job"
    assert Token.ambient("sigstore", environment={}) is None
    with pytest.raises(SealwrightError) as not_allowed:
        Token.ambient("sigstore", environment={"GITHUB_ACTIONS": "true"})
    assert code(not_allowed) == "PERMISSION_DENIED"
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", token("sigstore", "this process"))
    for environment in (None, os.environ):
        found = Token.ambient("sigstore", environment=environment)
        assert found is not None
        assert found.publication["identity"] == "this process"


def test_a_timestamp_needs_an_authority_that_is_believed() -> None:
    record = sw.sign(note()[1], PrivateKey.generate("p256"))
    with pytest.raises(ServiceUnavailable) as down:
        sw.keyless.timestamp(record, "http://127.0.0.1:9/api/v1/timestamp", TrustRoot())
    assert code(down) == "SERVICE_UNAVAILABLE"
    with pytest.raises(InvalidInput) as plain:
        sw.keyless.timestamp(record, "http://tsa.example", TrustRoot())
    assert code(plain) == "MALFORMED"


def test_trusted_roots_are_kept_and_fetched_only_when_asked(tmp_path: Path) -> None:
    archive = RootArchive(tmp_path / "roots")
    assert archive.roots() == []
    for ask in (archive.trusted_root, archive.signing_config):
        with pytest.raises(InvalidInput) as nothing:
            ask()
        assert code(nothing) == "NOT_FOUND"
    with pytest.raises(SealwrightError) as unreachable:
        archive.refresh(RootSource("http://127.0.0.1:9", b"{}"), now=NOW)
    assert code(unreachable) in ("SERVICE_UNAVAILABLE", "MALFORMED")
    (tmp_path / "roots/roots").mkdir(parents=True)
    for millis, name in ((1_700_000_000_000, "a"), (1_800_000_000_000, "b")):
        root = {"tlogs": [{"publicKey": {"rawBytes": name}}]}
        (tmp_path / f"roots/roots/{millis:015}.json").write_text(json.dumps(root))
    assert [r["fetchedAt"] for r in archive.roots()] == ["2023-11-14T22:13:20Z", "2027-01-15T08:00:00Z"]
    kept = json.loads(archive.trusted_root())["tlogs"]
    assert [log["publicKey"]["rawBytes"] for log in kept] == ["b", "a"]
    assert RootSource.public_good() and RootSource.staging() and RootSource.github()


def build(commit: str, builder: str, invocation: str) -> dict[str, Any]:
    source = {"uri": "git+https://git.example/acme/shop@refs/tags/v1.4.0", "digest": {"gitCommit": commit}}
    return {
        "buildDefinition": {
            "buildType": "https://example.org/build/v1",
            "externalParameters": {"source": source["uri"]},
            "resolvedDependencies": [source],
        },
        "runDetails": {"builder": {"id": builder}, "metadata": {"invocationId": invocation}},
    }


def verified(kind: str, predicate: dict[str, Any], about: bytes = b"shop") -> sw.Verified:
    key = PrivateKey.generate("ed25519")
    digest = sw.digest_bytes(about)
    record = sw.sign(sw.Statement(kind, [{"digest": sw.parse_digest(digest)}], predicate), key)
    return sw.verify(record, trust={"ci": key.public.to_pem()}, artifact=digest, signer="ci")


def test_a_build_is_checked_and_summed_up() -> None:
    record = verified(PROVENANCE, build(COMMIT, "https://a.example/builder", "1"))
    assert sw.provenance.build(record.statement)["source"]["commit"] == COMMIT
    builders = [{"id": "https://a.example/builder", "signers": ["ci"]}]
    checked = sw.provenance.check(record, builders=builders, source_versioned_tag="v1", image_tag="v1.4.0")
    told = checked.to_dict()
    assert told["build"]["builderId"] == "https://a.example/builder"
    assert [finding["field"] for finding in told["findings"]] == ["imageTag"]
    with pytest.raises(sw.VerificationFailed) as unmet:
        sw.provenance.check(record, source_commit="00" * 20)
    assert code(unmet) == "EXPECTATION_UNMET"
    assert unmet.value.context["field"] == "sourceCommit"
    policy = {"uri": "https://example.org/policy", "digest": {"sha256": "11" * 32}}
    summing: dict[str, Any] = {"verifier_id": "https://v.example", "resource_uri": "pkg:generic/shop", "policy": policy}
    summary = checked.summary(**summing, levels=["SLSA_BUILD_LEVEL_2"], now=NOW)
    assert summary["verificationResult"] == "PASSED"
    seen = verified("https://slsa.dev/verification_summary/v1", summary)
    assert sw.provenance.check_summary(seen, levels=["SLSA_BUILD_LEVEL_1"])["verifiedLevels"] == ["SLSA_BUILD_LEVEL_2"]
    with pytest.raises(sw.VerificationFailed) as too_low:
        sw.provenance.check_summary(seen, levels=["SLSA_BUILD_LEVEL_3"])
    assert code(too_low) == "EXPECTATION_UNMET"
    with pytest.raises(InvalidInput) as made_up:
        checked.summary(**summing, levels=["SLSA_GREAT"])
    assert code(made_up) == "MALFORMED"


def test_two_builds_are_compared() -> None:
    one = verified(PROVENANCE, build(COMMIT, "https://a.example/builder", "1"))
    other = verified(PROVENANCE, build(COMMIT, "https://b.example/builder", "1"))
    reproduction = sw.provenance.reproduced(one, other)
    assert reproduction.to_dict()["artifacts"] == [sw.digest_bytes(b"shop")]
    policy = {"uri": "https://example.org/policy"}
    summary = reproduction.summary(verifier_id="https://v.example", resource_uri="pkg:generic/shop", policy=policy, levels=[])
    assert summary["verifiedLevels"] == ["SLSA_BUILD_REPRODUCED"]
    with pytest.raises(sw.VerificationFailed) as differs:
        sw.provenance.reproduced(one, verified(PROVENANCE, build(COMMIT, "https://b.example/builder", "1"), b"shap"))
    assert code(differs) == "EXPECTATION_UNMET"
    scai = "https://in-toto.io/attestation/scai/v0.3"
    sw.provenance.isolated(one, verified(scai, {"attributes": [{"attribute": "BUILD_ISOLATED"}]}))
    with pytest.raises(sw.VerificationFailed) as not_claimed:
        sw.provenance.isolated(one, verified(scai, {"attributes": [{"attribute": "OTHER"}]}))
    assert code(not_claimed) == "EXPECTATION_UNMET"


@pytest.mark.parametrize("path", sorted((FIXTURES / "ci").glob("*.json")), ids=lambda p: p.stem)
def test_provenance_says_what_the_ci_system_says(path: Path) -> None:
    given = json.loads(path.read_text())
    at = "2026-11-21T09:30:00Z"
    for system in ("auto", path.stem):
        assert sw.ci.provenance(system, environment=given["environment"], now=at) == given["provenance"]
    told = sw.ci.provenance("auto", environment=given["environment"], parameters={"extra": 1}, finished=at)
    assert told["buildDefinition"]["externalParameters"]["extra"] == 1
    with pytest.raises(InvalidInput) as silent:
        sw.ci.provenance(path.stem, environment={})
    assert code(silent) == "NOT_FOUND"


def test_a_ci_system_of_one_s_own_and_a_plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"OURS": "1", "OURS_COMMIT": COMMIT}.items():
        monkeypatch.setenv(name, value)
    ours = b"""
        name = "ours"
        detect = { OURS = "1" }
        build-type = "https://example.org/build/v1"
        builder-id = "https://example.org/builders/main"
        source = { repository = "https://git.example/acme/shop", commit = "{OURS_COMMIT}" }
    """
    told = sw.ci.provenance("ours", systems=[ours])
    assert told["buildDefinition"]["resolvedDependencies"][0]["digest"] == {"gitCommit": COMMIT}
    with pytest.raises(InvalidInput) as unknown:
        sw.ci.provenance("ours")
    assert code(unknown) == "NOT_FOUND"
    source = {"uri": "git+https://git.example/acme/shop", "digest": {"gitCommit": COMMIT}}
    plain = sw.ci.plain_machine("https://example.org/machine", source, started=NOW, now=NOW)
    assert plain["runDetails"]["metadata"]["startedOn"] == NOW
    with pytest.raises(InvalidInput) as no_digest:
        sw.ci.plain_machine("https://example.org/machine", {"uri": "x:y"})
    assert code(no_digest) == "MALFORMED"


def test_who_wrote_a_commit_is_told_with_what_is_doubtful() -> None:
    good, unsigned = case("commit/good"), case("commit/unsigned")
    trust = sw.commit.CommitTrust().with_allowed_signers(good["allowedSigners"].encode())
    at = good["now"]
    wrote = sw.commit.Authorship.of(good["raw"].encode(), good["id"], trust, now=at)
    assert wrote.is_clear
    told = wrote.to_dict()
    assert (told["commit"], told["author"]["email"], told["doubts"]) == (good["id"], "ada@example.org", [])
    assert wrote.descriptor("git+https://git.example/acme/shop")["digest"]["gitCommit"] == good["id"]
    doubtful = sw.commit.Authorship.of(unsigned["raw"].encode(), unsigned["id"], trust, now=at)
    assert not doubtful.is_clear
    assert (doubtful.to_dict()["signer"], doubtful.to_dict()["doubts"][0]["kind"]) == (None, "UNSIGNED")
    said = sw.commit.verify(good["raw"].encode(), good["id"], trust, now=at)
    assert (said["message"], said["signer"]["key"]["type"]) == ("Prices\n", "ssh")
    forge = sw.commit.CommitTrust().with_forge("example.org", trust)
    assert sw.commit.verify(good["raw"].encode(), good["id"], forge, now=at)["signer"]["forge"] == "example.org"
    key = good["allowedSigners"].split(" ", 1)[1].encode()
    with pytest.raises(sw.VerificationFailed) as revoked:
        sw.commit.verify(good["raw"].encode(), good["id"], trust.with_revoked_ssh_keys(key), now=at)
    assert code(revoked) == "REVOKED"
    with pytest.raises(InvalidInput) as nobody:
        trust.with_certificates(TrustRoot.public_good())
    assert code(nobody) == "API_MISUSE"
    with pytest.raises(InvalidInput) as no_keyring:
        trust.with_openpgp_keyring(b"x")
    assert code(no_keyring) == "MALFORMED"


def test_a_layout_is_verified_with_the_links_of_a_folder(tmp_path: Path) -> None:
    given = case("layout/good")
    for name, link in given["links"].items():
        (tmp_path / name).write_text(link)
    expecting = given["expectation"]
    for links in (tmp_path, str(tmp_path)):
        held = sw.layout.verify(given["layout"].encode(), given["owners"], links, **expecting)
        assert [step["name"] for step in held["steps"]] == ["write", "pack"]
    with pytest.raises(InvalidInput) as nowhere:
        sw.layout.verify(given["layout"].encode(), given["owners"], tmp_path / "nowhere", **expecting)
    assert code(nowhere) == "NOT_FOUND"
