use sealwright::oci::{Credentials, PlainHttp, Registry};
use sealwright::{Error, ErrorKind};

use crate::image::{bundle, image, now};
use crate::stub::{Asked, Instead, Stub, reply};

fn with(credentials: Credentials) -> Registry {
    Registry::new(credentials, PlainHttp::LoopbackOnly).unwrap()
}

fn me() -> Credentials {
    Credentials::Basic { user: "me".to_owned(), password: "secret".to_owned().into() }
}

/// `me:secret`
const BASIC: &str = "Basic bWU6c2VjcmV0";

/// Demands a token of `realm`, which is at this registry itself unless said otherwise.
fn demand_token(stub: &Stub, realm: &str, token: &'static str) {
    let challenge = format!("Bearer realm=\"{realm}\",service=\"r\",scope=\"repository:team/app:pull,push\"");
    stub.answer(move |asked: &Asked| {
        if asked.path.starts_with("/token") {
            let ok = asked.authorization.as_deref() == Some(BASIC);
            let body = format!("{{\"token\":\"{token}\"}}");
            let refused = reply("401 Unauthorized", &[], b"");
            return Some(Instead::Raw(if ok { reply("200 OK", &[], body.as_bytes()) } else { refused }));
        }
        let granted = asked.authorization.as_deref() == Some("Bearer good");
        (!granted).then(|| Instead::Raw(reply("401 Unauthorized", &[("WWW-Authenticate", &challenge)], b"")))
    });
}

#[test]
fn a_token_is_fetched_with_the_password_and_shown_to_the_registry() {
    let stub = Stub::new(true);
    let image = image(&stub, "v1");
    demand_token(&stub, &format!("http://{}/token", stub.address), "good");
    let registry = with(me());
    registry.attach(&image, &bundle(&image, "a"), now()).unwrap();
    assert_eq!(registry.bundles(&image).unwrap().found.len(), 1);
    let tokens: Vec<_> = stub.asked().into_iter().filter(|a| a.path.starts_with("/token")).collect();
    // one to pull and one to push, each kept
    assert_eq!(tokens.len(), 2);
    assert!(tokens[0].path.contains("service=r&scope=repository%3Ateam%2Fapp%3Apull%2Cpush"), "{}", tokens[0].path);
    let to_registry = stub.asked().into_iter().filter(|a| !a.path.starts_with("/token"));
    assert!(to_registry.into_iter().all(|a| a.authorization.is_none_or(|text| text == "Bearer good")));
}

#[test]
fn without_or_with_wrong_credentials_permission_is_denied() {
    let stub = Stub::new(true);
    let image = image(&stub, "v1");
    demand_token(&stub, &format!("http://{}/token", stub.address), "good");
    let code = |credentials| with(credentials).resolve(&image).unwrap_err().code();
    assert_eq!(code(Credentials::Anonymous), "PERMISSION_DENIED");
    assert_eq!(code(Credentials::Bearer("bad".to_owned().into())), "PERMISSION_DENIED");
    with(Credentials::Bearer("good".to_owned().into())).resolve(&image).unwrap();
    demand_token(&stub, &format!("http://{}/token", stub.address), "bad");
    assert_eq!(code(me()), "PERMISSION_DENIED");
}

#[test]
fn a_hostile_challenge_gets_no_password_and_causes_no_panic() {
    let stub = Stub::new(true);
    let image = image(&stub, "v1");
    for realm in ["http://thief.example/token", "ftp://127.0.0.1/", "//", "http://a:b@127.0.0.1/"] {
        demand_token(&stub, realm, "good");
        let e: Error = with(me()).resolve(&image).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::ServiceUnavailable, "{realm}");
        assert!(!format!("{e:?}").contains("secret"));
    }
    demand_token(&stub, &format!("http://{}/token", stub.address), "two\\nlines");
    assert_eq!(with(me()).resolve(&image).unwrap_err().code(), "SERVICE_UNAVAILABLE");
}

#[test]
fn a_password_goes_to_the_registry_that_asks_for_it_and_to_no_redirect() {
    let (stub, elsewhere) = (Stub::new(true), Stub::new(true));
    let image = image(&stub, "v1");
    crate::image::image(&elsewhere, "v1");
    let place = format!("http://{}/v2/team/app/manifests/{}", elsewhere.address, image.digest().unwrap());
    stub.answer(move |asked| {
        let answer = match asked.authorization.as_deref() {
            Some(BASIC) => reply("302 Found", &[("Location", &place)], b""),
            _ => reply("401 Unauthorized", &[("WWW-Authenticate", "Basic realm=\"r\"")], b""),
        };
        Some(Instead::Raw(answer))
    });
    with(me()).resolve(&image).unwrap();
    assert_eq!(stub.asked().len(), 2);
    assert!(elsewhere.asked().iter().all(|asked| asked.authorization.is_none()), "{:?}", elsewhere.asked());
    assert_eq!(elsewhere.asked().len(), 1);
}

#[test]
fn a_way_to_a_registry_is_read_from_data_and_its_secrets_are_not_shown() {
    for good in [
        "{}",
        r#"{"user":"u","password":"secret"}"#,
        r#"{"token":"secret","plainHttpUnsafe":true}"#,
        r#"{"dockerConfig":"{\"auths\":{}}","registry":"registry.example"}"#,
    ] {
        assert!(Registry::from_json(good.as_bytes()).is_ok(), "{good}");
    }
    for bad in [
        r#"{"user":"u"}"#,
        r#"{"password":"secret"}"#,
        r#"{"user":"u","password":"secret","token":"secret"}"#,
        r#"{"dockerConfig":"{}"}"#,
        r#"{"secret":"secret"}"#,
        r#"["secret"#,
    ] {
        let e = Registry::from_json(bad.as_bytes()).err().unwrap();
        assert_eq!(e.code(), "MALFORMED", "{bad}");
        assert!(!format!("{e:?}").contains("secret\""), "{e:?}");
    }
}
