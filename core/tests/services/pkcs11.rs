//! Keys on a PKCS#11 token: SoftHSM2.

use crate::harness::Services;
use crate::sealed::Sealed;

fn token_key<'a>(services: &'a Services, path: &str, query: &str) -> Sealed<'a> {
    let module = services.text("/pkcs11/module");
    Sealed {
        services,
        reference: format!("pkcs11:{path}?module-path={module}{query}"),
        flags: Vec::new(),
        environment: vec![("SOFTHSM2_CONF", services.text("/pkcs11/conf").to_owned())],
    }
}

#[test]
#[ignore = "needs make test-services"]
fn s020_a_planted_token_key_signs_a_record_and_no_private_byte_leaves() {
    for (curve, id) in [("p256", "%01"), ("p384", "%02")] {
        let services = Services::from_env();
        let planted = services.text(&format!("/pkcs11/planted/{curve}")).to_owned();
        let (token, pin) = (services.text("/pkcs11/token").to_owned(), services.text("/pkcs11/pin").to_owned());
        let pin_file = services.write("pin", format!("{pin}\n"));
        let pin_file = pin_file.to_str().unwrap();
        for (path, query) in [
            (format!("token={token};object={curve};type=private"), format!("&pin-value={pin}")),
            (format!("token={token};id={id}"), format!("&pin-source=file:{pin_file}")),
            (format!("object={curve};manufacturer=SoftHSM%20project"), format!("&pin-source={pin_file}")),
        ] {
            let key = token_key(&services, &path, &query);
            key.tells_its_public_half(&planted);
            key.signs(&planted);
        }
        let mut key = token_key(&services, &format!("token={token};object={curve}"), "");
        key.environment.push(("SEALWRIGHT_PIN", pin));
        key.signs(&planted);
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_token_key_that_cannot_be_opened_is_refused_by_what_is_missing() {
    let services = Services::from_env();
    let (token, pin) = (services.text("/pkcs11/token"), services.text("/pkcs11/pin"));
    for (path, query, expected) in [
        (format!("token={token};object=p256"), "&pin-value=739104".to_owned(), "WRONG_PASSPHRASE"),
        (format!("token={token};object=p256"), String::new(), "WRONG_PASSPHRASE"),
        (format!("token={token};object=none"), format!("&pin-value={pin}"), "NOT_FOUND"),
        (format!("token={token};id=%99"), format!("&pin-value={pin}"), "NOT_FOUND"),
        (format!("token={token};object=p256;id=%02"), format!("&pin-value={pin}"), "NOT_FOUND"),
        ("token=none;object=p256".to_owned(), format!("&pin-value={pin}"), "NOT_FOUND"),
        (format!("token={token};serial=0;object=p256"), format!("&pin-value={pin}"), "NOT_FOUND"),
        (format!("token={token};slot-id=99;object=p256"), format!("&pin-value={pin}"), "NOT_FOUND"),
        (format!("token={token};object=p256"), "&pin-source=/no/such/file".to_owned(), "NOT_FOUND"),
    ] {
        let (code, told) = token_key(&services, &path, &query).refusal();
        assert_eq!(code, expected, "{path}: {}", told.out);
        assert!(!told.out.contains("739104") && !told.err.contains("739104"), "{}{}", told.out, told.err);
    }
}
