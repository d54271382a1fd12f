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

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwright::ErrorKind;
use sealwright::digest::{Algorithm, Digest, DigestSet};
use sealwright::key::{
    KeyFormat, KeyType, PrivateKey, PublicKey, read_private, read_public, write_private, write_private_as,
};
use serde_json::{Value, json};

use self::corpora::corpora;

const TYPES: [KeyType; 3] = [KeyType::P256, KeyType::P384, KeyType::Ed25519];
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
            KeyType::P384 => openssl(dir.path(), "dgst -sha384 -verify public.pem -signature signature message"),
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
    run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.pem");
    run("genpkey -algorithm ED25519 -out ed25519.pem");
    run("ec -in p256.pem -out p256.sec1.pem");
    run("ec -in p384.pem -out p384.sec1.pem");
    run("ecparam -name prime256v1 -genkey -out p256.params.pem");
    run("ecparam -name secp384r1 -genkey -out p384.params.pem");
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
    for key_type in ["p256", "p384"] {
        let sec1 = read_private(&dir.path().join(format!("{key_type}.sec1.pem")), None).unwrap();
        assert_eq!(sec1.public(), &read_public(&dir.path().join(format!("{key_type}.pub"))).unwrap());
        read_private(&dir.path().join(format!("{key_type}.params.pem")), None).unwrap();
    }

    write("message", dir.path(), b"message");
    run("dgst -sha256 -sign p256.pem -out p256.sig message");
    run("dgst -sha384 -sign p384.pem -out p384.sig message");
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
        ("genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", "RSA-PSS"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521", "P-521"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", "secp256k1"),
        ("genpkey -algorithm ED448", "Ed448"),
        ("genpkey -algorithm X25519", "X25519"),
        ("ecparam -name secp521r1 -genkey -noout", "P-521"),
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
            assert!(told.contains(&format!("`{name}`")) && told.contains("P-256, P-384"), "{told}");
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
        assert_eq!(key.public().id(), Digest::sha256(der).hex());
    }
}

#[test]
fn a_point_off_the_curve_is_refused() {
    for (key_type, length) in [(KeyType::P256, 65), (KeyType::P384, 97)] {
        let key = PrivateKey::generate(key_type).unwrap();
        let mut der = key.public().spki_der().to_vec();
        *der.last_mut().unwrap() ^= 1;
        assert_eq!(PublicKey::from_spki_der(&der).unwrap_err().kind(), ErrorKind::Malformed);
        assert!(PublicKey::from_raw(key_type, &vec![0; length]).is_err());
        // the point at infinity, and the hybrid form, which holds the same point in other bytes
        assert!(PublicKey::from_raw(key_type, &[0]).is_err());
        let hybrid: Vec<u8> = [&[6], &key.public().raw()[1..]].concat();
        assert!(PublicKey::from_raw(key_type, &hybrid).is_err());
    }
}

#[test]
fn a_private_number_outside_of_the_group_is_refused() {
    const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let sec1 = |scalar: &str| {
        let der = format!("30310201010420{scalar}a00a06082a8648ce3d030107");
        pem_of("EC PRIVATE KEY", &STANDARD.encode(hex::decode(der).unwrap()))
    };
    let read = |scalar: &str| PrivateKey::from_pem(sec1(scalar).as_bytes(), None);
    read(&format!("{:064x}", 1)).unwrap();
    read(&P256_ORDER.replace("51", "50")).unwrap();
    for bad in ["0".repeat(64), P256_ORDER.to_owned(), "f".repeat(64)] {
        assert_eq!(read(&bad).unwrap_err().kind(), ErrorKind::Malformed, "{bad}");
    }
}

#[test]
fn a_signature_over_a_digest_is_one_over_the_message() {
    let sha384 = |message: &[u8]| {
        let mut reader = message;
        let set = DigestSet::of_reader(&mut reader, &[Algorithm::Sha384]).unwrap();
        set.get(Algorithm::Sha384).unwrap()
    };
    for (key_type, digest, other) in [
        (KeyType::P256, Digest::sha256(b"message"), sha384(b"message")),
        (KeyType::P384, sha384(b"message"), Digest::sha256(b"message")),
    ] {
        let key = PrivateKey::generate(key_type).unwrap();
        let signature = key.sign_digest(&digest).unwrap();
        key.public().verify(b"message", &signature).unwrap();
        key.public().verify_digest(&digest, &key.sign(b"message").unwrap()).unwrap();
        let changed = Digest::new(digest.algorithm(), vec![7; digest.bytes().len()]).unwrap();
        assert_eq!(key.public().verify_digest(&changed, &signature).unwrap_err().code(), "BAD_SIGNATURE");
        assert_eq!(key.public().verify_digest(&other, &signature).unwrap_err().code(), "API_MISUSE");
        assert_eq!(key.sign_digest(&other).unwrap_err().code(), "API_MISUSE");
    }
    let ed25519 = PrivateKey::generate(KeyType::Ed25519).unwrap();
    assert_eq!(ed25519.sign_digest(&Digest::sha256(b"message")).unwrap_err().code(), "UNSUPPORTED");
    assert_eq!(KeyType::Ed25519.prehash(), None);
}

#[test]
fn rsa_signatures_of_both_encodings_are_verified_and_none_is_made() {
    let Some(dir) = openssl_folder() else { return };
    let run = |command: &str| {
        let out = openssl(dir.path(), command);
        assert!(out.status.success(), "{command}: {out:?}");
    };
    let pss = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen";
    write("message", dir.path(), b"message");
    for bits in ["2048", "3072", "4096"] {
        run(&format!("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{bits} -out rsa.pem"));
        run("pkey -in rsa.pem -pubout -out rsa.pub");
        run("rsa -in rsa.pem -RSAPublicKey_out -out rsa.pkcs1.pub");
        let key = read_public(&dir.path().join("rsa.pub")).unwrap();
        assert_eq!(key, read_public(&dir.path().join("rsa.pkcs1.pub")).unwrap());
        assert_eq!(key.to_pem().as_bytes(), std::fs::read(dir.path().join("rsa.pub")).unwrap());
        assert_eq!(PublicKey::from_raw(KeyType::Rsa, key.raw()).unwrap(), key);
        for (made, valid) in [
            ("dgst -sha256".to_owned(), true),
            (format!("dgst -sha256 {pss}:digest"), true),
            (format!("dgst -sha256 {pss}:0"), false),
            ("dgst -sha1".to_owned(), false),
            ("dgst -sha512".to_owned(), false),
        ] {
            run(&format!("{made} -sign rsa.pem -out signature message"));
            let signature = std::fs::read(dir.path().join("signature")).unwrap();
            assert_eq!(key.verify(b"message", &signature).is_ok(), valid, "{bits} {made}");
            assert_eq!(key.verify_digest(&Digest::sha256(b"message"), &signature).is_ok(), valid);
            assert_eq!(key.verify(b"Message", &signature).unwrap_err().code(), "BAD_SIGNATURE");
        }
        let refused = read_private(&dir.path().join("rsa.pem"), None).unwrap_err();
        assert_eq!((refused.code(), refused.message().contains("`RSA`")), ("UNSUPPORTED", true), "{refused}");
    }
    run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa.pem");
    run("pkey -in rsa.pem -pubout -out rsa.pub");
    assert_eq!(read_public(&dir.path().join("rsa.pub")).unwrap_err().code(), "UNSUPPORTED");
    let of_8192_bits = [&[0x30, 0x82, 4, 8, 2, 0x82, 4, 1, 0][..], &[0xff; 1024], &[2, 1, 3]].concat();
    assert_eq!(PublicKey::from_raw(KeyType::Rsa, &of_8192_bits).unwrap_err().code(), "UNSUPPORTED");
    assert_eq!(PrivateKey::generate(KeyType::Rsa).unwrap_err().code(), "UNSUPPORTED");
}

#[test]
fn an_rsa_key_has_one_encoding() {
    let Some(dir) = openssl_folder() else { return };
    openssl(dir.path(), "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    openssl(dir.path(), "pkey -in rsa.pem -pubout -outform DER -out rsa.der");
    let der = std::fs::read(dir.path().join("rsa.der")).unwrap();
    let key = PublicKey::from_spki_der(&der).unwrap();
    assert_eq!(key.spki_der(), der);
    let null = der.windows(2).position(|w| w == [5, 0]).unwrap();
    // without the NULL of RFC 3279, and with something after the key
    let mut short = [&der[..null], &der[null + 2..]].concat();
    short[3] -= 2;
    short[5] -= 2;
    for bad in [short, [der.as_slice(), &[0]].concat(), der[..der.len() - 1].to_vec()] {
        assert_eq!(PublicKey::from_spki_der(&bad).unwrap_err().code(), "MALFORMED");
    }
}

#[test]
fn a_cosign_key_file_goes_round() {
    let dir = tempfile::tempdir().unwrap();
    for key_type in TYPES {
        let key = PrivateKey::generate(key_type).unwrap();
        let path = dir.path().join(format!("{key_type}.key"));
        write_private_as(&path, &key, KeyFormat::Cosign, Some(PASSPHRASE)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"), "{text}");
        assert_eq!(read_private(&path, Some(PASSPHRASE)).unwrap().public(), key.public());
        let old = text.replace("ENCRYPTED SIGSTORE", "ENCRYPTED COSIGN");
        assert_eq!(PrivateKey::from_pem(old.as_bytes(), Some(PASSPHRASE)).unwrap().public(), key.public());
        for passphrase in [None, Some(""), Some("correct horse battery stapl")] {
            assert_eq!(read_private(&path, passphrase).unwrap_err().code(), "WRONG_PASSPHRASE", "{passphrase:?}");
        }
    }
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    assert_eq!(key.to_cosign_pem("").unwrap_err().code(), "API_MISUSE");
    assert_eq!(key.to_file(KeyFormat::Cosign, None).unwrap_err().code(), "API_MISUSE");
}

#[test]
fn a_damaged_cosign_key_file_is_refused_by_its_fault() {
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let pem = key.to_cosign_pem(PASSPHRASE).unwrap();
    let body: String = pem.lines().filter(|l| !l.starts_with('-')).collect();
    let good: Value = serde_json::from_slice(&STANDARD.decode(body).unwrap()).unwrap();
    let read = |wire: &Value| {
        let pem = pem_of("ENCRYPTED SIGSTORE PRIVATE KEY", &STANDARD.encode(wire.to_string()));
        PrivateKey::from_pem(pem.as_bytes(), Some(PASSPHRASE)).map(|key| key.public().clone())
    };
    assert_eq!(&read(&good).unwrap(), key.public());
    let flipped = |text: &Value| {
        let mut bytes = STANDARD.decode(text.as_str().unwrap()).unwrap();
        bytes[0] ^= 1;
        Value::from(STANDARD.encode(bytes))
    };
    for (place, value, code) in [
        ("/kdf/name", "argon2".into(), "UNSUPPORTED"),
        ("/cipher/name", "aes".into(), "UNSUPPORTED"),
        ("/kdf/params/N", (1u64 << 40).into(), "LIMIT_EXCEEDED"),
        ("/kdf/params/N", u64::MAX.into(), "LIMIT_EXCEEDED"),
        ("/kdf/params/r", u32::MAX.into(), "LIMIT_EXCEEDED"),
        ("/kdf/params/p", u32::MAX.into(), "LIMIT_EXCEEDED"),
        ("/kdf/params/N", 65537.into(), "MALFORMED"),
        ("/kdf/params/N", 0.into(), "MALFORMED"),
        ("/kdf/params/r", 0.into(), "MALFORMED"),
        ("/kdf/params/N", 32768.into(), "WRONG_PASSPHRASE"),
        ("/kdf/salt", flipped(&good["kdf"]["salt"]), "WRONG_PASSPHRASE"),
        ("/cipher/nonce", flipped(&good["cipher"]["nonce"]), "WRONG_PASSPHRASE"),
        ("/cipher/nonce", "AAAA".into(), "MALFORMED"),
        ("/ciphertext", flipped(&good["ciphertext"]), "WRONG_PASSPHRASE"),
        ("/ciphertext", "?".into(), "MALFORMED"),
        ("/ciphertext", "".into(), "WRONG_PASSPHRASE"),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        assert_eq!(read(&bad).unwrap_err().code(), code, "{place} {}", bad.pointer(place).unwrap());
    }
}

#[test]
fn public_keys_are_read_from_json_web_keys_of_their_specifications() {
    // RFC 7517 appendix A.1, RFC 8037 appendix A.2
    let p256 = json!({ "kty": "EC", "crv": "P-256", "use": "enc", "kid": "1",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" });
    let ed25519 = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let read = |jwk: &Value| PublicKey::from_jwk(jwk.to_string().as_bytes());
    assert_eq!(read(&p256).unwrap_err().code(), "MALFORMED", "it is for encryption");
    let with = |jwk: &Value, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    let p256 = with(&p256, "use", "sig".into());
    assert_eq!(read(&p256).unwrap().key_type(), KeyType::P256);
    let raw = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(hex::encode(read(&ed25519).unwrap().raw()), raw);
    for (bad, code) in [
        (with(&p256, "d", "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE".into()), "MALFORMED"),
        (with(&p256, "d", 1.into()), "MALFORMED"),
        (with(&p256, "key_ops", json!(["sign"])), "MALFORMED"),
        (with(&p256, "alg", "ES384".into()), "UNSUPPORTED"),
        (with(&p256, "alg", "none".into()), "UNSUPPORTED"),
        (with(&p256, "crv", "P-384".into()), "MALFORMED"),
        (with(&p256, "crv", "P-521".into()), "UNSUPPORTED"),
        (with(&p256, "kty", "oct".into()), "UNSUPPORTED"),
        (with(&p256, "x", "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D5".into()), "MALFORMED"),
        (with(&p256, "x", "AAAA".into()), "MALFORMED"),
        (with(&p256, "y", Value::Null), "MALFORMED"),
        (with(&ed25519, "x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=".into()), "MALFORMED"),
    ] {
        assert_eq!(read(&bad).unwrap_err().code(), code, "{bad}");
    }
    assert_eq!(PublicKey::from_jwk(br#"{"kty":"EC","kty":"OKP"}"#).unwrap_err().code(), "MALFORMED");
    let private = with(&p256, "d", "secret-scalar".into());
    let dir = tempfile::tempdir().unwrap();
    write("key.jwk", dir.path(), private.to_string().as_bytes());
    let told = format!("{:?}", read_public(&dir.path().join("key.jwk")).unwrap_err());
    assert!(told.contains("private") && !told.contains("secret-scalar"), "{told}");
}

#[test]
fn a_json_web_key_is_the_same_key_as_its_pem() {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    for (key_type, curve, half) in [(KeyType::P256, "P-256", 32), (KeyType::P384, "P-384", 48)] {
        let key = PrivateKey::generate(key_type).unwrap();
        let point = &key.public().raw()[1..];
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({ "kty": "EC", "crv": curve, "x": number(&point[..half]), "y": number(&point[half..]) });
        assert_eq!(&PublicKey::from_jwk(jwk.to_string().as_bytes()).unwrap(), key.public());
    }
    let Some(dir) = openssl_folder() else { return };
    openssl(dir.path(), "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    openssl(dir.path(), "pkey -in rsa.pem -pubout -out rsa.pub");
    let modulus = openssl(dir.path(), "rsa -in rsa.pem -noout -modulus").stdout;
    let modulus = String::from_utf8(modulus).unwrap().trim().trim_start_matches("Modulus=").to_owned();
    let n = URL_SAFE_NO_PAD.encode(hex::decode(modulus).unwrap());
    write("rsa.jwk", dir.path(), json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256" }).to_string().as_bytes());
    let key = read_public(&dir.path().join("rsa.jwk")).unwrap();
    assert_eq!(key, read_public(&dir.path().join("rsa.pub")).unwrap());
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
        let mut der = STANDARD.decode(body).unwrap();
        match key_type {
            KeyType::P256 | KeyType::P384 => {
                let start = der.len() - other.public().raw().len();
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
        let refused = PrivateKey::from_pem(pem_of("PRIVATE KEY", &STANDARD.encode(der)).as_bytes(), None).unwrap_err();
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

fn pem_of(label: &str, base64: &str) -> String {
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|l| std::str::from_utf8(l).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
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
