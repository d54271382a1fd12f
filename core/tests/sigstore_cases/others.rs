//! Bundles of the other clients. Their owners state the verdict by the name of the file, or in the test that reads it;
//! where ours differs, the table says why.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::digest::{Algorithm, Digest};
use sealwright::json::Value;

use super::{About, Case, Expected, GITHUB, Signer, identity, read};

const OAUTH: &str = "https://github.com/login/oauth";
const GOOGLE: &str = "https://accounts.google.com";
const DEHAMER: (&str, &str) = ("brian@dehamer.com", OAUTH);
const WILLIAM: (&str, &str) = ("william@yossarian.net", OAUTH);
const JS_RELEASE: (&str, &str) =
    ("https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main", GITHUB);
const JS_PUBLISH: (&str, &str) =
    ("https://github.com/sigstore/sigstore-js/.github/workflows/publish.yml@refs/tags/v0.4.0", GITHUB);
/// How npm's registry calls its key in a bundle.
const NPM: &str = "SHA256:jl3bwswu80PjjokCgh0o2w5c2U4LhQAE57gj9cz1kzA";
const BEACON: (&str, &str) = (super::BEACON, GITHUB);

/// Which instance of Sigstore a bundle is of.
#[derive(Clone, Copy)]
enum Root {
    PublicGood,
    Staging,
    /// Its certificate is of the one, its log of the other.
    Both,
    /// GitHub's own, without logs.
    GitHub,
    /// A file beside the bundles.
    File(&'static str),
    /// Staging with the timestamp authority of this file in the place of its own.
    StagingWithAuthority(&'static str),
}

/// Who signed: somebody with a certificate, npm's registry, or the key in this file.
#[derive(Clone, Copy)]
enum By {
    Holder((&'static str, &'static str)),
    Npm,
    Key(&'static str),
}

/// What a bundle is about: a file beside it, a digest in hex by SHA-512, or whatever it says.
#[derive(Clone, Copy)]
enum Of {
    File(&'static str),
    /// By SHA-512, as npm does.
    File512(&'static str),
    Anything,
}

use By::{Holder, Key, Npm};
use Of::{Anything, File, File512};
use Root::{Both, GitHub, PublicGood, Staging, StagingWithAuthority};

/// File, which bundle in it, instance, signer, artifact, and the code if it must be refused.
type Row = (&'static str, usize, Root, By, Of, Option<&'static str>);

const ROWS: &[Row] = &[
    (
        "gh-cli/custom-issuer.sigstore.json",
        0,
        PublicGood,
        Holder((
            "https://github.com/too-legit/attest/.github/workflows/integration.yml@refs/heads/main",
            "https://token.actions.githubusercontent.com/hammer-time",
        )),
        File("gh-cli/custom-issuer-artifact"),
        None,
    ),
    (
        "gh-cli/github_provenance_demo-0.0.12-py3-none-any-bundle.jsonl",
        0,
        GitHub,
        Holder(("https://github.com/actions/attest-demo/.github/workflows/build-python.yml@refs/heads/main", GITHUB)),
        File("gh-cli/github_provenance_demo-0.0.12-py3-none-any.whl"),
        None,
    ),
    (
        "gh-cli/github_provenance_demo-0.0.12-py3-none-any-bundle-missing-cert.jsonl",
        0,
        GitHub,
        Holder(DEHAMER),
        Anything,
        Some("MALFORMED"),
    ),
    (
        "gh-cli/github_provenance_demo-0.0.12-py3-none-any-bundle-missing-verification-material.jsonl",
        0,
        GitHub,
        Holder(DEHAMER),
        Anything,
        Some("MALFORMED"),
    ),
    (
        "gh-cli/reusable-workflow-attestation.sigstore.json",
        0,
        PublicGood,
        Holder((
            "https://github.com/github/artifact-attestations-workflows/.github/workflows/attest.yml@09b495c3f12c7881b3cc17209a327792065c1a1d",
            GITHUB,
        )),
        File("gh-cli/reusable-workflow-artifact"),
        None,
    ),
    (
        "gh-cli/sigstore-js-2.1.0-bundle-v0.1.json",
        0,
        PublicGood,
        Holder(JS_RELEASE),
        File512("gh-cli/sigstore-js-2.1.0.tgz"),
        None,
    ),
    (
        "gh-cli/sigstore-js-2.1.0-bundle.json",
        0,
        PublicGood,
        Holder(JS_RELEASE),
        File512("gh-cli/sigstore-js-2.1.0.tgz"),
        None,
    ),
    (
        "gh-cli/sigstore-js-2.1.0_with_2_bundles.jsonl",
        0,
        PublicGood,
        Holder(JS_RELEASE),
        File512("gh-cli/sigstore-js-2.1.0.tgz"),
        None,
    ),
    (
        "gh-cli/sigstore-js-2.1.0_with_2_bundles.jsonl",
        1,
        PublicGood,
        Holder(JS_RELEASE),
        File512("gh-cli/sigstore-js-2.1.0.tgz"),
        None,
    ),
    ("gh-cli/sigstoreBundle-invalid-signature.json", 0, PublicGood, Holder(DEHAMER), Anything, Some("UNSUPPORTED")),
    (
        "npm-cli/test/fixtures/sigstore/valid-sigstore-attestations.json",
        0,
        PublicGood,
        Holder(("https://github.com/sigstore/sigstore-js/.github/workflows/publish.yml@refs/tags/v1.0.0", GITHUB)),
        Anything,
        None,
    ),
    ("npm-cli/test/fixtures/sigstore/valid-sigstore-attestations.json", 1, PublicGood, Npm, Anything, None),
    (
        "npm-cli/test/fixtures/sigstore/valid-tuf-js-attestations.json",
        0,
        PublicGood,
        Holder(("https://github.com/theupdateframework/tuf-js/.github/workflows/publish.yml@refs/tags/v1.0.0", GITHUB)),
        Anything,
        None,
    ),
    ("npm-cli/test/fixtures/sigstore/valid-tuf-js-attestations.json", 1, PublicGood, Npm, Anything, None),
    (
        "npm-cli/workspaces/libnpmpublish/test/fixtures/bad-bundle.json",
        0,
        PublicGood,
        Holder(DEHAMER),
        Anything,
        Some("MALFORMED"),
    ),
    // the bundles of this suite hold no log entry: npm gives them to a verifier that is not there
    (
        "npm-cli/workspaces/libnpmpublish/test/fixtures/bad-dsse-payload-bundle.json",
        0,
        PublicGood,
        Holder(DEHAMER),
        Anything,
        Some("BAD_LOG_ENTRY"),
    ),
    (
        "npm-cli/workspaces/libnpmpublish/test/fixtures/digest-mismatch-provenance-bundle.json",
        0,
        PublicGood,
        Holder(DEHAMER),
        Anything,
        Some("BAD_LOG_ENTRY"),
    ),
    (
        "npm-cli/workspaces/libnpmpublish/test/fixtures/invalid-signature-bundle.json",
        0,
        PublicGood,
        Holder(DEHAMER),
        Anything,
        Some("MALFORMED"),
    ),
    (
        "npm-cli/workspaces/libnpmpublish/test/fixtures/multi-subject-provenance-bundle.json",
        0,
        PublicGood,
        Holder(DEHAMER),
        Anything,
        Some("BAD_LOG_ENTRY"),
    ),
    (
        "npm-cli/workspaces/libnpmpublish/test/fixtures/no-provenance-envelope-bundle.json",
        0,
        PublicGood,
        Holder(DEHAMER),
        Anything,
        Some("MALFORMED"),
    ),
    (
        "npm-cli/workspaces/libnpmpublish/test/fixtures/no-provenance-subject-bundle.json",
        0,
        PublicGood,
        Holder(DEHAMER),
        Anything,
        Some("BAD_LOG_ENTRY"),
    ),
    // v0.2 without a proof of inclusion, which the clients' suite has to see refused
    (
        "npm-cli/workspaces/libnpmpublish/test/fixtures/valid-bundle.json",
        0,
        PublicGood,
        Holder(DEHAMER),
        Anything,
        Some("BAD_LOG_ENTRY"),
    ),
    ("pacote/sigstore/valid-attestations.json", 0, PublicGood, Holder(JS_PUBLISH), Anything, None),
    ("pacote/sigstore/valid-attestations.json", 1, PublicGood, Npm, Anything, None),
    ("pacote/sigstore/invalid-attestations.json", 0, PublicGood, Holder(JS_PUBLISH), Anything, None),
    ("pacote/sigstore/invalid-attestations.json", 1, PublicGood, Npm, Anything, Some("MALFORMED")),
    ("pacote/sigstore/malformed-subject-attestations.json", 1, PublicGood, Npm, Anything, Some("BAD_SIGNATURE")),
    ("pacote/sigstore/mismatched-keyid-attestations.json", 1, PublicGood, Npm, Anything, None),
    (
        "pacote/sigstore/mismatched-subject-digest-attestations.json",
        1,
        PublicGood,
        Npm,
        Anything,
        Some("BAD_SIGNATURE"),
    ),
    ("pacote/sigstore/mismatched-subject-name-attestations.json", 1, PublicGood, Npm, Anything, Some("BAD_SIGNATURE")),
    ("pacote/sigstore/no-keyid-attestations.json", 1, PublicGood, Npm, Anything, None),
    ("pacote/sigstore/unsupported-attestations.json", 1, PublicGood, Npm, Anything, Some("UNSUPPORTED")),
    (
        "pypi-attestations/gitlab_oidc_project-0.0.3.tar.gz.publish.attestation",
        0,
        PublicGood,
        Holder((
            "https://gitlab.com/facutuesca/gitlab-oidc-project//.gitlab-ci.yml@refs/heads/main",
            "https://gitlab.com",
        )),
        File("pypi-attestations/gitlab_oidc_project-0.0.3.tar.gz"),
        None,
    ),
    (
        "pypi-attestations/pypi_attestation_models-0.0.4a2.tar.gz.attestation",
        0,
        PublicGood,
        Holder((
            "https://github.com/trailofbits/pypi-attestation-models/.github/workflows/release.yml@refs/tags/v0.0.4a2",
            GITHUB,
        )),
        File("pypi-attestations/pypi_attestation_models-0.0.4a2.tar.gz"),
        None,
    ),
    (
        "pypi-attestations/pypi_attestation_models-0.0.4a2.tar.gz.sigstore",
        0,
        PublicGood,
        Holder((
            "https://github.com/trailofbits/pypi-attestation-models/.github/workflows/release.yml@refs/tags/v0.0.4a2",
            GITHUB,
        )),
        File("pypi-attestations/pypi_attestation_models-0.0.4a2.tar.gz"),
        None,
    ),
    (
        "pypi-attestations/pypi_attestations-0.0.19.tar.gz.provenance",
        0,
        PublicGood,
        Holder((
            "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19",
            GITHUB,
        )),
        File("pypi-attestations/pypi_attestations-0.0.19.tar.gz"),
        None,
    ),
    (
        "pypi-attestations/pypi_attestations-0.0.19.tar.gz.publish.attestation",
        0,
        PublicGood,
        Holder((
            "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19",
            GITHUB,
        )),
        File("pypi-attestations/pypi_attestations-0.0.19.tar.gz"),
        None,
    ),
    (
        "pypi-attestations/pypi_attestations-0.0.19.tar.gz.slsa.attestation",
        0,
        PublicGood,
        Holder((
            "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19",
            GITHUB,
        )),
        File("pypi-attestations/pypi_attestations-0.0.19.tar.gz"),
        None,
    ),
    (
        "pypi-attestations/rfc8785-0.1.2-py3-none-any.whl.attestation",
        0,
        Staging,
        Holder(WILLIAM),
        File("pypi-attestations/rfc8785-0.1.2-py3-none-any.whl"),
        None,
    ),
    (
        "pypi-attestations/rfc8785-0.1.2-py3-none-any.whl.publish.attestation",
        0,
        Staging,
        Holder(WILLIAM),
        File("pypi-attestations/rfc8785-0.1.2-py3-none-any.whl"),
        None,
    ),
    (
        "pypi-attestations/rfc8785-0.1.2-py3-none-any.whl.sigstore",
        0,
        Staging,
        Holder(WILLIAM),
        File("pypi-attestations/rfc8785-0.1.2-py3-none-any.whl"),
        None,
    ),
    (
        "pypi-attestations/spt3g-1.0-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl.publish.attestation",
        0,
        Staging,
        Holder(WILLIAM),
        Anything,
        None,
    ),
    ("sigstore-go/examples/bundle-provenance.json", 0, PublicGood, Holder(JS_RELEASE), Anything, None),
    ("sigstore-go/examples/bundle-publish.json", 0, PublicGood, Npm, Anything, None),
    ("sigstore-go/pkg/testing/data/bundles/dsse.sigstore.json", 0, PublicGood, Holder(DEHAMER), Anything, None),
    (
        "sigstore-go/pkg/testing/data/bundles/dsse-2sigs.sigstore.json",
        0,
        PublicGood,
        Holder(DEHAMER),
        Anything,
        Some("UNSUPPORTED"),
    ),
    (
        "sigstore-go/pkg/testing/data/bundles/othername.sigstore.json",
        0,
        Root::File("sigstore-go/pkg/testing/data/trusted-roots/scaffolding.json"),
        Holder(("foo!oidc.local", "http://oidc.local:8080")),
        Anything,
        None,
    ),
    (
        "sigstore-go/pkg/testing/data/bundles/public-key-validity.sigstore.json",
        0,
        Root::File("sigstore-go/pkg/testing/data/trusted-roots/public-key-validity.json"),
        Key("sigstore-go/pkg/testing/data/public-keys/public-key-validity.pem"),
        Anything,
        None,
    ),
    (
        "sigstore-go/pkg/testing/data/bundles/sigstore.js@2.0.0-provenance.sigstore.json",
        0,
        PublicGood,
        Holder(JS_RELEASE),
        Anything,
        None,
    ),
    ("sigstore-js/bundleV01-dsse-no-proof.sigstore", 0, PublicGood, Holder(DEHAMER), Anything, None),
    ("sigstore-js/bundleV01-dsse-with-proof.sigstore", 0, PublicGood, Holder(DEHAMER), Anything, None),
    ("sigstore-js/bundleV01-full-cert-chain.sigstore", 0, PublicGood, Holder(DEHAMER), Anything, None),
    ("sigstore-js/bundleV01-intoto-no-proof.sigstore", 0, PublicGood, Holder(DEHAMER), Anything, None),
    ("sigstore-js/bundleV01-intoto-with-proof.sigstore", 0, PublicGood, Holder(DEHAMER), Anything, None),
    ("sigstore-js/bundleV02-dsse.sigstore", 0, PublicGood, Holder(DEHAMER), Anything, None),
    ("sigstore-js/bundleV02-intoto.sigstore", 0, PublicGood, Holder(DEHAMER), Anything, None),
    ("sigstore-js/bundleV03-dsse.sigstore", 0, PublicGood, Holder(DEHAMER), Anything, None),
    ("sigstore-js/bundleV03-intoto.sigstore", 0, PublicGood, Holder(DEHAMER), Anything, None),
    (
        "sigstore-python/a.dsse.staging-rekor-v2.txt.sigstore.json",
        0,
        Staging,
        Holder(BEACON),
        File("conformance/a.txt"),
        None,
    ),
    (
        "sigstore-python/bundle.txt.sigstore",
        0,
        Staging,
        Holder(("a@tny.town", OAUTH)),
        File("sigstore-python/bundle.txt"),
        None,
    ),
    (
        "sigstore-python/bundle_cve_2022_36056.txt.sigstore",
        0,
        Staging,
        Holder(WILLIAM),
        File("sigstore-python/bundle_cve_2022_36056.txt"),
        Some("BAD_LOG_ENTRY"),
    ),
    (
        "sigstore-python/bundle_invalid_version.txt.sigstore",
        0,
        PublicGood,
        Holder(WILLIAM),
        File("sigstore-python/bundle_invalid_version.txt"),
        Some("UNSUPPORTED"),
    ),
    (
        "sigstore-python/bundle_no_cert_v1.txt.sigstore",
        0,
        PublicGood,
        Holder(WILLIAM),
        File("sigstore-python/bundle_no_cert_v1.txt"),
        Some("MALFORMED"),
    ),
    (
        "sigstore-python/bundle_no_checkpoint.txt.sigstore",
        0,
        Staging,
        Holder(WILLIAM),
        File("sigstore-python/bundle_no_checkpoint.txt"),
        Some("BAD_CHECKPOINT"),
    ),
    (
        "sigstore-python/bundle_no_log_entry.txt.sigstore",
        0,
        PublicGood,
        Holder(("alex.cameron@trailofbits.com", GOOGLE)),
        File("sigstore-python/bundle_no_log_entry.txt"),
        Some("BAD_LOG_ENTRY"),
    ),
    (
        "sigstore-python/bundle_v3.txt.sigstore",
        0,
        Staging,
        Holder(WILLIAM),
        File("sigstore-python/bundle_v3.txt"),
        None,
    ),
    (
        "sigstore-python/bundle_v3_alt.txt.sigstore",
        0,
        Staging,
        Holder(WILLIAM),
        File("sigstore-python/bundle_v3_alt.txt"),
        None,
    ),
    (
        "sigstore-python/bundle_v3_github.whl.sigstore",
        0,
        PublicGood,
        Holder(("https://github.com/trailofbits/rfc8785.py/.github/workflows/release.yml@refs/tags/v0.1.2", GITHUB)),
        File("sigstore-python/bundle_v3_github.whl"),
        None,
    ),
    (
        "sigstore-python/bundle_v3_no_signed_time.txt.sigstore.json",
        0,
        PublicGood,
        Holder(WILLIAM),
        File("sigstore-python/bundle_v3_no_signed_time.txt"),
        Some("BAD_TIMESTAMP"),
    ),
    // what `sigstore plumbing fix-bundle` is tested on
    (
        "sigstore-python/integration/Python-3.12.5.tgz.sigstore",
        0,
        PublicGood,
        Holder(("thomas@python.org", GOOGLE)),
        Anything,
        Some("BAD_CHECKPOINT"),
    ),
    (
        "sigstore-python/integration/bundle_v3.txt.sigstore",
        0,
        Staging,
        Holder(WILLIAM),
        File("sigstore-python/integration/bundle_v3.txt"),
        None,
    ),
    (
        "sigstore-python/staging-rekor-v2.txt.sigstore.json",
        0,
        Staging,
        Holder(("jku@goto.fi", OAUTH)),
        File("sigstore-python/staging-rekor-v2.txt"),
        None,
    ),
    // one of its two timestamps is over something else; sigstore-python leaves that out, we do not
    (
        "sigstore-python/tsa/bundle.txt.sigstore",
        0,
        StagingWithAuthority("sigstore-python/tsa/ca.json"),
        Holder(("alexis.challande@trailofbits.com", GOOGLE)),
        File("sigstore-python/tsa/bundle.txt"),
        Some("BAD_TIMESTAMP"),
    ),
    (
        "sigstore-python/tsa/bundle.duplicate.sigstore",
        0,
        StagingWithAuthority("sigstore-python/tsa/ca.json"),
        Holder(("alexis.challande@trailofbits.com", GOOGLE)),
        File("sigstore-python/tsa/bundle.txt"),
        Some("MALFORMED"),
    ),
    (
        "sigstore-python/tsa/bundle.many_timestamp.sigstore",
        0,
        StagingWithAuthority("sigstore-python/tsa/ca.json"),
        Holder(("alexis.challande@trailofbits.com", GOOGLE)),
        File("sigstore-python/tsa/bundle.txt"),
        Some("LIMIT_EXCEEDED"),
    ),
    (
        "sigstore-python/tsa/bundle.txt.late_timestamp.sigstore",
        0,
        Both,
        Holder(("insecure-cloudtop-shared-user@cloudtop-prod-us-east.iam.gserviceaccount.com", GOOGLE)),
        File("sigstore-python/tsa/bundle.txt"),
        Some("EXPIRED"),
    ),
    (
        "warehouse/_fixtures/pep740-sampleproject-1.0.0.tar.gz.provenance",
        0,
        PublicGood,
        Holder((
            "https://gitlab.com/pep740-example/sampleproject//.gitlab-ci.yml@refs/heads/main",
            "https://gitlab.com",
        )),
        Anything,
        None,
    ),
    (
        "warehouse/_fixtures/sampleproject-4.0.0.tar.gz.provenance",
        0,
        PublicGood,
        Holder(("https://github.com/pypa/sampleproject/.github/workflows/release.yml@refs/heads/main", GITHUB)),
        Anything,
        None,
    ),
    (
        "warehouse/functional/_fixtures/sampleproject-3.0.0.tar.gz.publish.attestation",
        0,
        PublicGood,
        Holder(("919436158236-compute@developer.gserviceaccount.com", GOOGLE)),
        File("warehouse/functional/_fixtures/sampleproject-3.0.0.tar.gz"),
        None,
    ),
];

pub(crate) fn others(bundles: &Path) -> Vec<Case> {
    ROWS.iter().map(|row| case(bundles, row)).collect()
}

fn case(bundles: &Path, (file, index, root, by, of, refused): &Row) -> Case {
    let roots = bundles.join("../sigstore-trust-roots");
    let staging = || read(&roots.join("staging/targets/trusted_root.json"));
    let believed = match root {
        PublicGood => vec![],
        Staging => vec![staging()],
        Both => vec![read(&roots.join("public-good/targets/trusted_root.json")), staging()],
        GitHub => vec![read(&roots.join("github-private/src/trusted_root_github.json"))],
        Root::File(name) => vec![read(&bundles.join(name))],
        StagingWithAuthority(name) => {
            let mut root: Value = serde_json::from_slice(&staging()).unwrap();
            root["timestampAuthorities"][0] = serde_json::from_slice(&read(&bundles.join(name))).unwrap();
            vec![serde_json::to_vec(&root).unwrap()]
        }
    };
    let signer = match by {
        Holder((subject, issuer)) => identity(subject, issuer),
        Npm => Signer::Key(NPM, npm_key(&roots)),
        Key(name) => Signer::Key("key", read(&bundles.join(name))),
    };
    let about = match of {
        File(name) => About::File(read(&bundles.join(name))),
        File512(name) => About::Digest(Digest::of_bytes(Algorithm::Sha512, &read(&bundles.join(name))).unwrap()),
        Anything => About::Any,
    };
    Case {
        name: format!("{file}#{index}"),
        bundle: nth_bundle(&read(&bundles.join(file)), *index),
        unlogged: matches!(by, Holder(_)) && file.starts_with("gh-cli/github_provenance"),
        roots: believed,
        signer,
        about,
        expected: refused.map_or(Expected::Passes, Expected::Refused),
    }
}

/// The key with which npm's registry signs attestations, as a PEM file.
fn npm_key(roots: &Path) -> Vec<u8> {
    let keys: Value = serde_json::from_slice(&read(&roots.join("public-good/targets/npm-keys.json"))).unwrap();
    let keys = keys["keys"].as_array().unwrap();
    let key = keys.iter().find(|k| k["keyUsage"] == "npm:attestations").unwrap();
    let der = key["publicKey"]["rawBytes"].as_str().unwrap();
    let key = sealwright::key::PublicKey::from_spki_der(&STANDARD.decode(der).unwrap()).unwrap();
    key.to_pem().into_bytes()
}

/// The bundle of a file that holds one, several in lines, or several in an answer of a registry.
fn nth_bundle(bytes: &[u8], index: usize) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).unwrap();
    let Ok(json) = serde_json::from_str::<Value>(text) else {
        return text.lines().nth(index).unwrap().as_bytes().to_vec();
    };
    let listed = json["attestations"].as_array().map(|a| &a[index]["bundle"]);
    let provided = json["attestation_bundles"].as_array().map(|b| &b[0]["attestations"][index]);
    match listed.or(provided) {
        Some(bundle) => serde_json::to_vec(bundle).unwrap(),
        None => bytes.to_vec(),
    }
}
