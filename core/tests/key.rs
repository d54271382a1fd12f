//! Keys: what is read, written, signed and verified, against Wycheproof and the `openssl` command.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test stops where it fails, and says what it did not run"
)]

mod corpora;

use std::path::Path;
use std::process::{Command, Output};

use sealwright::ErrorKind;
use sealwright::key::{KeyType, PrivateKey, PublicKey, read_private, read_public, write_private};
use serde_json::Value;

use self::corpora::corpora;

const TYPES: [KeyType; 2] = [KeyType::P256, KeyType::Ed25519];
const PASSPHRASE: &str = "correct horse battery staple";

#[test]
fn wycheproof_p256_verdicts_are_met_exactly() {
    wycheproof("ecdsa_secp256r1_sha256_test.json", KeyType::P256);
}

#[test]
fn wycheproof_ed25519_verdicts_are_met_exactly() {
    wycheproof("ed25519_test.json", KeyType::Ed25519);
}

fn wycheproof(file: &str, key_type: KeyType) {
    let Some(dir) = corpora("crypto-vectors/wycheproof") else { return };
    let vectors: Value = serde_json::from_slice(&std::fs::read(dir.join(file)).unwrap()).unwrap();
    let mut seen = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        let key = PublicKey::from_pem(group["publicKeyPem"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(key.key_type(), key_type);
        assert_eq!(hex::encode(key.spki_der()), group["publicKeyDer"].as_str().unwrap());
        for test in group["tests"].as_array().unwrap() {
            let bytes = |name: &str| hex::decode(test[name].as_str().unwrap()).unwrap();
            let verdict = match key.verify(&bytes("msg"), &bytes("sig")) {
                Ok(()) => "valid",
                Err(e) => {
                    assert_eq!(e.kind(), ErrorKind::BadSignature);
                    "invalid"
                }
            };
            assert_eq!(verdict, test["result"].as_str().unwrap(), "{file} {}", test["tcId"]);
            seen += 1;
        }
    }
    assert_eq!(seen, vectors["numberOfTests"].as_u64().unwrap());
}

#[test]
fn openssl_reads_our_keys_and_verifies_our_signatures() {
    let Some(dir) = openssl_folder() else { return };
    for key_type in TYPES {
        let key = PrivateKey::generate(key_type).unwrap();
        write("message", dir.path(), b"message");
        write("signature", dir.path(), &key.sign(b"message").unwrap());
        write("public.pem", dir.path(), key.public().to_pem().as_bytes());
        let verified = match key_type {
            KeyType::P256 => openssl(dir.path(), "dgst -sha256 -verify public.pem -signature signature message"),
            _ => openssl(dir.path(), "pkeyutl -verify -pubin -inkey public.pem -rawin -in message -sigfile signature"),
        };
        assert!(verified.status.success(), "{verified:?}");

        write_private(&dir.path().join(format!("{key_type}.pem")), &key, None).unwrap();
        write_private(&dir.path().join(format!("{key_type}.enc.pem")), &key, Some(PASSPHRASE)).unwrap();
        write("passphrase", dir.path(), PASSPHRASE.as_bytes());
        for command in [
            format!("pkey -in {key_type}.pem -pubout"),
            format!("pkey -in {key_type}.enc.pem -passin file:passphrase -pubout"),
        ] {
            let public = openssl(dir.path(), &command);
            assert!(public.status.success(), "{public:?}");
            assert_eq!(String::from_utf8(public.stdout).unwrap(), key.public().to_pem());
        }
        let shown = openssl(dir.path(), &format!("asn1parse -in {key_type}.enc.pem"));
        let shown = String::from_utf8(shown.stdout).unwrap();
        assert!(shown.contains("PBES2") && shown.contains(":scrypt") && shown.contains(":aes-256-cbc"), "{shown}");
    }
}

#[test]
fn keys_that_openssl_wrote_are_read_in_every_form() {
    let Some(dir) = openssl_folder() else { return };
    write("passphrase", dir.path(), PASSPHRASE.as_bytes());
    let run = |command: &str| {
        let out = openssl(dir.path(), command);
        assert!(out.status.success(), "{command}: {out:?}");
    };
    run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.pem");
    run("genpkey -algorithm ED25519 -out ed25519.pem");
    run("ec -in p256.pem -out p256.sec1.pem");
    run("ecparam -name prime256v1 -genkey -out p256.params.pem");
    for key_type in TYPES {
        run(&format!("pkey -in {key_type}.pem -pubout -out {key_type}.pub"));
        run(&format!("pkcs8 -topk8 -in {key_type}.pem -passout file:passphrase -out {key_type}.pbkdf2.pem"));
        run(&format!("pkcs8 -topk8 -in {key_type}.pem -scrypt -passout file:passphrase -out {key_type}.scrypt.pem"));
        let public = read_public(&dir.path().join(format!("{key_type}.pub"))).unwrap();
        assert_eq!(public.key_type(), key_type);
        for form in ["pem", "pbkdf2.pem", "scrypt.pem"] {
            let key = read_private(&dir.path().join(format!("{key_type}.{form}")), Some(PASSPHRASE)).unwrap();
            assert_eq!(key.public(), &public, "{form}");
            public.verify(b"text", &key.sign(b"text").unwrap()).unwrap();
        }
        for form in ["pbkdf2.pem", "scrypt.pem"] {
            let path = dir.path().join(format!("{key_type}.{form}"));
            for passphrase in [None, Some(""), Some("correct horse battery stapl")] {
                assert_eq!(read_private(&path, passphrase).unwrap_err().kind(), ErrorKind::WrongPassphrase);
            }
        }
    }
    let sec1 = read_private(&dir.path().join("p256.sec1.pem"), None).unwrap();
    assert_eq!(sec1.public(), &read_public(&dir.path().join("p256.pub")).unwrap());
    read_private(&dir.path().join("p256.params.pem"), None).unwrap();

    write("message", dir.path(), b"message");
    run("dgst -sha256 -sign p256.pem -out p256.sig message");
    run("pkeyutl -sign -inkey ed25519.pem -rawin -in message -out ed25519.sig");
    for key_type in TYPES {
        let public = read_public(&dir.path().join(format!("{key_type}.pub"))).unwrap();
        let signature = std::fs::read(dir.path().join(format!("{key_type}.sig"))).unwrap();
        public.verify(b"message", &signature).unwrap();
        assert_eq!(public.verify(b"Message", &signature).unwrap_err().code(), "BAD_SIGNATURE");
    }
}

#[test]
fn other_keys_are_refused_by_their_name() {
    let Some(dir) = openssl_folder() else { return };
    write("passphrase", dir.path(), PASSPHRASE.as_bytes());
    let cases = [
        ("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048", "RSA"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384", "P-384"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521", "P-521"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", "secp256k1"),
        ("genpkey -algorithm ED448", "Ed448"),
        ("genpkey -algorithm X25519", "X25519"),
        ("ecparam -name secp384r1 -genkey -noout", "P-384"),
        ("ecparam -name secp256k1 -genkey", "secp256k1"),
    ];
    for (command, name) in cases {
        let out = openssl(dir.path(), &format!("{command} -out other.pem"));
        assert!(out.status.success(), "{command}: {out:?}");
        let out = openssl(dir.path(), "pkey -in other.pem -pubout -out other.pub");
        assert!(out.status.success(), "{command}: {out:?}");
        for refused in [
            read_private(&dir.path().join("other.pem"), None).unwrap_err(),
            read_public(&dir.path().join("other.pub")).unwrap_err(),
        ] {
            assert_eq!(refused.kind(), ErrorKind::Unsupported, "{refused:?}");
            let told = refused.message();
            assert!(told.contains(&format!("`{name}`")) && told.contains("P-256 or Ed25519"), "{told}");
        }
    }
    openssl(dir.path(), "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.pem");
    openssl(dir.path(), "ec -in p256.pem -pubout -conv_form compressed -out compressed.pub");
    let compressed = read_public(&dir.path().join("compressed.pub")).unwrap_err();
    assert_eq!(compressed.kind(), ErrorKind::Unsupported);
    assert!(compressed.message().contains("uncompressed"), "{compressed}");
    openssl(dir.path(), "ec -in p256.pem -aes128 -passout file:passphrase -out old.pem");
    let old = read_private(&dir.path().join("old.pem"), Some(PASSPHRASE)).unwrap_err();
    assert_eq!(old.kind(), ErrorKind::Unsupported);
    assert!(old.message().contains("openssl pkcs8"), "{old}");
}

#[test]
fn a_private_key_given_for_a_public_one_is_refused_and_not_told() {
    for key_type in TYPES {
        let key = PrivateKey::generate(key_type).unwrap();
        let refused = PublicKey::from_pem(key.to_pem().unwrap().as_bytes()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Malformed);
        assert!(refused.message().contains("found a private key"), "{refused}");
        let refused = PrivateKey::from_pem(key.public().to_pem().as_bytes(), None).unwrap_err();
        assert!(refused.message().contains("found a public key"), "{refused}");
    }
}

#[test]
fn a_key_file_is_written_once_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key.pem");
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    write_private(&path, &key, None).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let other = PrivateKey::generate(KeyType::P256).unwrap();
    assert_eq!(write_private(&path, &other, None).unwrap_err().code(), "ALREADY_EXISTS");
    assert_eq!(read_private(&path, None).unwrap().public(), key.public());
    let empty = dir.path().join("empty.pem");
    assert_eq!(write_private(&empty, &key, Some("")).unwrap_err().code(), "API_MISUSE");
    assert!(!empty.exists());
    assert_eq!(write_private(&dir.path().join("no/key.pem"), &key, None).unwrap_err().code(), "NOT_FOUND");
    assert_eq!(read_private(&dir.path().join("none"), None).unwrap_err().code(), "NOT_FOUND");
}

#[test]
fn debug_shows_nothing_private() {
    for key_type in TYPES {
        let key = PrivateKey::generate(key_type).unwrap();
        assert_eq!(format!("{key:?}"), format!("PrivateKey({key_type} {})", key.public().id()));
        assert_eq!(format!("{:?}", key.public()), format!("PublicKey({key_type} {})", key.public().id()));
    }
}

#[test]
fn a_pem_file_holds_exactly_one_block() {
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let pem = key.public().to_pem();
    for good in [pem.clone(), format!("\n{pem}\n"), pem.replace('\n', "\r\n")] {
        assert_eq!(&PublicKey::from_pem(good.as_bytes()).unwrap(), key.public());
    }
    for bad in [
        String::new(),
        format!("{pem}{pem}"),
        format!("a comment\n{pem}"),
        format!("{pem}a comment"),
        pem.replacen("PUBLIC KEY", "PRIVATE KEY", 1),
        pem.replacen('M', "", 1),
        pem.replace('=', ""),
        format!("-----BEGIN CERTIFICATE-----\n{}", pem.split_once('\n').unwrap().1),
    ] {
        assert_eq!(PublicKey::from_pem(bad.as_bytes()).unwrap_err().kind(), ErrorKind::Malformed, "{bad}");
    }
    let other = pem.replace("PUBLIC KEY", "PUBLIC KEY ");
    assert_eq!(PublicKey::from_pem(other.as_bytes()).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_public_key_has_one_encoding() {
    for key_type in TYPES {
        let key = PrivateKey::generate(key_type).unwrap();
        let der = key.public().spki_der();
        assert_eq!(&PublicKey::from_spki_der(der).unwrap(), key.public());
        assert_eq!(&PublicKey::from_raw(key_type, key.public().raw()).unwrap(), key.public());
        let long = [der, &[0]].concat();
        assert_eq!(PublicKey::from_spki_der(&long).unwrap_err().kind(), ErrorKind::Malformed);
        assert!(PublicKey::from_spki_der(&der[..der.len() - 1]).is_err());
        assert!(PublicKey::from_raw(key_type, &der[1..]).is_err());
        assert_eq!(key.public().id(), sealwright::digest::Digest::sha256(der).hex());
    }
}

#[test]
fn a_p256_point_off_the_curve_is_refused() {
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let mut der = key.public().spki_der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    assert_eq!(PublicKey::from_spki_der(&der).unwrap_err().kind(), ErrorKind::Malformed);
    assert!(PublicKey::from_raw(KeyType::P256, &[0; 65]).is_err());
    // the point at infinity, and the hybrid form, which holds the same point in other bytes
    assert!(PublicKey::from_raw(KeyType::P256, &[0]).is_err());
    let hybrid: Vec<u8> = [&[6], &key.public().raw()[1..]].concat();
    assert!(PublicKey::from_raw(KeyType::P256, &hybrid).is_err());
}

#[test]
fn an_ed25519_key_to_which_anyone_can_sign_is_refused() {
    let identity = [&[1u8][..], &[0; 31]].concat();
    for sign in [0, 0x80] {
        let mut raw = identity.clone();
        raw[31] |= sign;
        assert_eq!(PublicKey::from_raw(KeyType::Ed25519, &raw).unwrap_err().kind(), ErrorKind::Malformed);
    }
}

#[test]
fn a_private_key_whose_halves_differ_is_refused() {
    for key_type in TYPES {
        let (one, other) = (PrivateKey::generate(key_type).unwrap(), PrivateKey::generate(key_type).unwrap());
        let pem = one.to_pem().unwrap();
        let body: String = pem.lines().filter(|l| !l.starts_with('-')).collect();
        use base64::{Engine, engine::general_purpose::STANDARD};
        let mut der = STANDARD.decode(body).unwrap();
        match key_type {
            KeyType::P256 => {
                let start = der.len() - 65;
                der[start..].copy_from_slice(other.public().raw());
            }
            _ => {
                // PKCS#8 v2 with the other's public half
                der[1] += 35;
                der[4] = 1;
                der.extend([0x81, 33, 0]);
                der.extend(other.public().raw());
            }
        }
        let refused = PrivateKey::from_pem(pem_of(&STANDARD.encode(der)).as_bytes(), None).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Malformed, "{refused}");
    }
}

#[test]
fn a_key_file_cannot_ask_for_all_memory() {
    let Some(dir) = openssl_folder() else { return };
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let path = dir.path().join("key.pem");
    write_private(&path, &key, None).unwrap();
    write("passphrase", dir.path(), PASSPHRASE.as_bytes());
    openssl(dir.path(), "pkcs8 -topk8 -in key.pem -iter 10000001 -passout file:passphrase -out many.pem");
    let refused = read_private(&dir.path().join("many.pem"), Some("wrong, and never tried")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
}

fn pem_of(base64: &str) -> String {
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|l| std::str::from_utf8(l).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

fn write(name: &str, dir: &Path, bytes: &[u8]) {
    std::fs::write(dir.join(name), bytes).unwrap();
}

fn openssl_folder() -> Option<tempfile::TempDir> {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("not run, no openssl command");
        return None;
    }
    Some(tempfile::tempdir().unwrap())
}

fn openssl(dir: &Path, arguments: &str) -> Output {
    Command::new("openssl").args(arguments.split(' ')).current_dir(dir).output().unwrap()
}
