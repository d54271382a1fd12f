//! Where settings come from, and passphrases.

use crate::place::Place;

#[test]
fn flags_win_over_the_environment_and_that_over_the_settings_file() {
    let place = Place::new();
    place.write("sealwright.toml", "ledger = 'of-file'\nstate = 'state'\n");
    let missing = |vars: &[(&str, &str)], line: &str| {
        let ran = place.run_with(vars, line);
        assert_eq!(ran.code, 2);
        ["of-file", "of-environment", "of-flag", ".sealwright/ledger"].into_iter().find(|name| ran.err.contains(name))
    };
    let vars = [("SEALWRIGHT_LEDGER", "of-environment")];
    assert_eq!(missing(&[], "ledger stats"), Some("of-file"));
    assert_eq!(missing(&vars, "ledger stats"), Some("of-environment"));
    assert_eq!(missing(&vars, "ledger stats --ledger of-flag"), Some("of-flag"));
    place.write("sealwright.toml", "");
    assert_eq!(missing(&[], "ledger stats"), Some(".sealwright/ledger"));
}

#[test]
fn settings_that_are_not_known_are_refused_not_passed_over() {
    let place = Place::new();
    for text in ["leger = 'x'", "[environments.prod]\nclas = 'prod'", "ledger = 1", "ledger = 'x", "\u{0}"] {
        place.write("sealwright.toml", text);
        assert_eq!(place.json(2, "ledger stats")["error"]["code"], "MALFORMED", "{text}");
    }
}

#[test]
fn a_key_is_opened_with_its_passphrase_and_no_other_and_never_shown() {
    let place = Place::new();
    let secret = [("SEALWRIGHT_PASSPHRASE", "correct horse")];
    assert_eq!(place.run_with(&secret, "key generate --out key.pem").code, 0);
    assert!(String::from_utf8(place.read("key.pem")).unwrap().contains("ENCRYPTED PRIVATE KEY"));
    place.write("right", "correct horse\n");
    place.write("wrong", "battery staple\n");
    let from_file = place.pass("key public key.pem --passphrase-file right");
    assert_eq!(place.run_with(&secret, "key public key.pem").out, from_file);
    for line in ["key public key.pem", "key public key.pem --passphrase-file wrong"] {
        let refused = place.json(2, line);
        assert_eq!(refused["error"]["code"], "WRONG_PASSPHRASE", "{line}");
        assert!(!refused.to_string().contains("battery"), "{refused}");
    }
    // a file that is named wins over the environment
    assert_eq!(place.run_with(&secret, "key public key.pem --passphrase-file wrong").code, 2);
}

#[test]
fn a_new_key_needs_a_passphrase_or_the_word_that_it_has_none() {
    let place = Place::new();
    assert_eq!(place.json(2, "key generate --out key.pem")["error"]["code"], "API_MISUSE");
    assert_eq!(place.files(), Vec::<String>::new());
    place.pass("key generate --out key.pem --no-passphrase");
    let again = place.json(2, "key generate --out key.pem --no-passphrase");
    assert_eq!(again["error"]["code"], "ALREADY_EXISTS");
}

#[cfg(unix)]
#[test]
fn a_private_key_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    place.key("key", "ed25519");
    let mode = std::fs::metadata(place.path("key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
