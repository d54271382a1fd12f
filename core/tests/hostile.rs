//! Hostile input to every parser: never a panic, always an error with a code of those a caller can act on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods, reason = "tests")]

#[path = "hostile/parsers.rs"]
mod parsers;

use std::time::{Duration, Instant};

use parsers::PARSERS;
use proptest::prelude::*;
use sealwright::ErrorClass;

/// Well-formed beginnings that random bytes would never find.
fn seeds() -> Vec<Vec<u8>> {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/predicates");
    let mut seeds: Vec<Vec<u8>> = std::fs::read_dir(fixtures)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json") && !p.ends_with("schema.json"))
        .map(|p| std::fs::read(p).unwrap())
        .collect();
    assert!(!seeds.is_empty());
    let reports = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/reports");
    for format in std::fs::read_dir(reports).unwrap().map(|e| e.unwrap().path()) {
        let mut reports: Vec<_> = std::fs::read_dir(format).unwrap().map(|e| e.unwrap().path()).collect();
        reports.sort();
        seeds.extend(
            reports.iter().filter(|r| r.file_stem().is_some_and(|n| n == "failed")).map(|r| std::fs::read(r).unwrap()),
        );
    }
    let key = sealwright::key::PrivateKey::generate(sealwright::key::KeyType::P256).unwrap();
    let statement = sealwright::statement::Statement::parse(seeds[0].clone()).unwrap();
    seeds.push(sealwright::signer::sign(&statement, &key).unwrap().to_json());
    seeds.push(key.public().to_pem().into_bytes());
    seeds.push(key.public().spki_der().to_vec());
    seeds.push(br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#.to_vec());
    seeds.push(br#"{"kdf":{"name":"scrypt","params":{"N":65536,"r":8,"p":1},"salt":"AAAA"},"cipher":{"name":"nacl/secretbox","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},"ciphertext":"AAAA"}"#.to_vec());
    seeds.push(b"pkcs11:token=ci;object=x;id=%01?module-path=/usr/lib/p11.so&pin-value=1234".to_vec());
    seeds.push(b"e30.eyJpc3MiOiJpIiwic3ViIjoicyIsImF1ZCI6InNpZ3N0b3JlIiwiZXhwIjo5fQ.c2ln".to_vec());
    seeds.push(br#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","caUrls":[{"url":"https://ca.example","majorApiVersion":1,"validFor":{"start":"2026-01-01T00:00:00Z"}}],"rekorTlogUrls":[{"url":"https://log.example","majorApiVersion":2,"operator":"o","validFor":{"start":"2026-01-01T00:00:00Z"}}],"tsaConfig":{"selector":"EXACT","count":1}}"#.to_vec());
    seeds.push(
        b"example.org/log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\xe2\x80\x94 example.org/log AAAA\n"
            .to_vec(),
    );
    // a layout, a link, and a manifest of a registry
    seeds.push(
        br#"{"_type":"layout","expires":"2030-01-01T00:00:00Z","inspect":[],"keys":{},"steps":[{"_type":"step","name":"s",
            "pubkeys":[],"threshold":1,"expected_materials":[["MATCH","[a-c]*","WITH","PRODUCTS","FROM","s"]],
            "expected_products":[]}]}"#
            .to_vec(),
    );
    seeds.push(
        br#"{"_type":"link","name":"s","command":[],"materials":{"a":{"sha256":"00"}},"products":{"a":{"sha256":"00"}}}"#
            .to_vec(),
    );
    seeds.push(
        br#"{"schemaVersion":2,"config":{"mediaType":"m","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#
            .to_vec(),
    );
    seeds.push(
        br#"<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components><component type="library" bom-ref="a"><name>a</name>
        <hashes><hash alg="MD5">0</hash></hashes><licenses><expression>MIT OR X</expression></licenses><purl>pkg:npm/a@1</purl>
        </component></components><dependencies><dependency ref="a"><dependency ref="b"/></dependency></dependencies></bom>"#
            .to_vec(),
    );
    seeds.push(
        b"SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\nDocumentNamespace: urn:x:y\nCreator: Tool: x\nCreated: 2026-11-21T09:30:00Z\n\
        PackageName: a\nSPDXID: SPDXRef-a\nPackageChecksum: MD5: 0\nPackageLicenseDeclared: MIT OR LicenseRef-1\nExternalRef: OTHER a b\n\
        FileName: f\nSPDXID: SPDXRef-f\nSnippetSPDXID: SPDXRef-s\nSnippetByteRange: 1:2\nLicenseID: LicenseRef-1\nExtractedText: <text>x\n</text>\n\
        Relationship: SPDXRef-a CONTAINS SPDXRef-f\nAnnotator: Tool: x\nSPDXREF: SPDXRef-a\n"
            .to_vec(),
    );
    seeds.push(
        br#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{"type":"software_Package","spdxId":"u:a","name":"a",
        "creationInfo":"_:c","suppliedBy":"u:b","verifiedUsing":[{"type":"Hash","algorithm":"md5","hashValue":"0"}]},
        {"type":"Relationship","from":"u:a","to":["u:a"],"relationshipType":"contains"}]}"#
            .to_vec(),
    );
    for seed in ["pnpm-9.yaml", "pnpm-6.yaml", "yarn-1.lock", "yarn-8.lock"] {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/lock-files");
        seeds.push(std::fs::read(std::path::Path::new(path).join(seed)).unwrap());
    }
    seeds.push(
        br#"{"lockfileVersion":1,"workspaces":{"":{"name":"a"}},"packages":{"b":["b@1.0.0","",{},"sha1-x"],},}"#
            .to_vec(),
    );
    seeds.push(br#"{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{"vulnerability":"C","status":"fixed","products":["p"]}]}"#.to_vec());
    for lock in [
        "g:a:1.0=runtimeClasspath\nempty=\n",
        "GEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.0-java)\n      b (~> 1)\n    b (1.0)\n\nDEPENDENCIES\n  a!\n\nCHECKSUMS\n  b (1.0) sha256=00\n",
        r#"{"packages":[{"name":"a/a","version":"1","license":["MIT"],"require":{"a/b":"*"},"provide":{"a/b":"1"}}],"packages-dev":[]}"#,
        r#"{"version":1,"dependencies":{"net8.0":{"a":{"type":"Direct","resolved":"1.0","dependencies":{"A":"1"}}}}}"#,
        r#"{"version":2,"pins":[{"identity":"a","location":"https://x.example/a/a.git","state":{"version":"1"}}]}"#,
        "%{\"a\": {:hex, :a, \"1.0\", \"00\", [:mix], [{:b, \"~> 1\", [optional: true]}], \"hexpm\"}}",
        "<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version><properties><v>1</v></properties><dependencies>\
         <dependency><groupId>g</groupId><artifactId>b</artifactId><version>${v}</version></dependency></dependencies></project>",
    ] {
        seeds.push(lock.as_bytes().to_vec());
    }
    seeds.push(br#"<testsuites><testsuite name="a" tests="1"><testcase name="t"/></testsuite></testsuites>"#.to_vec());
    seeds.push(
        br#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"a"}]}"#.to_vec(),
    );
    let id = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    let who = "Ada <ada@example.org> 1700000000 +0000";
    for (kind, body) in
        [("SSH SIGNATURE", "U1NIU0lHAAAAAQ=="), ("PGP SIGNATURE", "iHUEABYIAB0="), ("SIGNED MESSAGE", "MIIB")]
    {
        let header = format!("gpgsig -----BEGIN {kind}-----\n \n {body}\n -----END {kind}-----\n");
        seeds.push(format!("tree {id}\nparent {id}\nauthor {who}\ncommitter {who}\n{header}\nFirst\n").into_bytes());
    }
    seeds.push(parsers::SSH_COMMIT.as_bytes().to_vec());
    seeds.push(parsers::SIGNERS.to_vec());
    for (version, body) in [
        (
            "v1",
            r#"{"buildDefinition":{"buildType":"t","externalParameters":{"source":"git+https://h/r@refs/heads/m"}},"runDetails":{"builder":{"id":"b"}}}"#,
        ),
        (
            "v0.2",
            r#"{"builder":{"id":"b"},"buildType":"t","invocation":{"configSource":{"uri":"git+https://h/r@x"}},"materials":[{"uri":"u"}]}"#,
        ),
        ("v0.1", r#"{"builder":{"id":"b"},"recipe":{"type":"t","definedInMaterial":0},"materials":[{"uri":"u"}]}"#),
    ] {
        let subject = r#"[{"digest":{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}]"#;
        let head = r#"{"_type":"https://in-toto.io/Statement/v1","subject":"#;
        let rest = format!(r#","predicateType":"https://slsa.dev/provenance/{version}","predicate":{body}}}"#);
        seeds.push(format!("{head}{subject}{rest}").into_bytes());
    }
    seeds.push(b"w.example+4d6755aa+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G".to_vec());
    seeds.push(b"-----BEGIN CERTIFICATE-----\nMIIBszCCAVqgAwIBAgIJEQ==\n-----END CERTIFICATE-----\n".to_vec());
    seeds.push(br#"{"GITLAB_CI":"true","CI_COMMIT_SHA":"HEAD","CI_PROJECT_URL":"https://h/r"}"#.to_vec());
    seeds.push(include_bytes!("../src/ci/systems/jenkins.toml").to_vec());
    seeds.push(br#"{"key":"AAAA","v":"sealwright-sealed/v1","wrappedBy":"00ff"}"#.to_vec());
    seeds.push(br#"{"id":"file:0","key":"AAAA","v":"sealwright-kek/v1"}"#.to_vec());
    seeds.push(br#"{"id":"file:0","sealed":{"key":"AAAA","scrypt":{"n":2,"p":1,"r":8,"salt":"AAAA"}},"v":"sealwright-kek/v1"}"#.to_vec());
    seeds.push(br#"{"kek":"file:0","keys":[{"id":"00ff","key":"AAAA"}],"root":"AAAA","tag":"AAAA","v":"sealwright-keyring/v1"}"#.to_vec());
    seeds.push(
        br#"{"frameworks":["pci-dss-4.0.1"],"periods":{"pci-log":"P2Y"},"v":"sealwright-retention/v1"}"#.to_vec(),
    );
    seeds
}

fn feed(bytes: &[u8]) {
    for (name, parse) in PARSERS {
        if let Err(e) = parse(bytes) {
            assert!(
                matches!(
                    e.kind().class(),
                    ErrorClass::InvalidInput | ErrorClass::VerificationFailed | ErrorClass::LedgerError
                ),
                "{name}: {e:?}"
            );
            assert!(!e.message().is_empty() && e.message().len() < 2000, "{name}: {} characters", e.message().len());
            assert!(!e.message().contains('\u{7}'), "{name}: control characters reach the terminal");
        }
    }
}

#[test]
fn nothing_is_never_something() {
    for (name, parse) in PARSERS {
        assert!(parse(b"").is_err(), "{name} takes an empty file");
    }
}

#[test]
fn garbage_and_bombs_are_refused_fast() {
    let garbage: Vec<u8> = (0..4_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let bombs = [
        garbage,
        vec![b'['; 100_000],
        b"{\"a\":".repeat(20_000),
        b"<a>".repeat(100_000),
        b"-----BEGIN ".repeat(50_000),
        format!("\u{7}{}", "\u{202e}".repeat(1000)).into_bytes(),
        [b"{\"_type\":[\"".as_slice(), &b"x".repeat(3_000_000), b"\"]}"].concat(),
    ];
    for bomb in &bombs {
        for (name, parse) in PARSERS {
            let begun = Instant::now();
            assert!(parse(bomb).is_err(), "{name} takes {:?}…", &bomb[..10]);
            assert!(begun.elapsed() < Duration::from_secs(60), "{name} hangs on {:?}…", &bomb[..10]);
        }
        feed(bomb);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        feed(&bytes);
    }

    #[test]
    fn damaged_files_never_panic(which in any::<usize>(), place in any::<usize>(), with in any::<u8>(), cut in any::<bool>()) {
        let seeds = seeds();
        let mut bytes = seeds[which % seeds.len()].clone();
        let place = place % bytes.len();
        if cut { bytes.truncate(place) } else { bytes[place] = with }
        feed(&bytes);
    }
}
