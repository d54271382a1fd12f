use std::collections::BTreeMap;

use sealwright::digest::Digest;
use sealwright::key::KeyType;
use sealwright::layout::{LayoutExpectation, LayoutKey, Links, verify};
use sealwright::verifier::Artifact;
use serde_json::{Value, json};

use crate::supply_chain::{Chain, Form, Person, expectation, now, sign_by};

#[test]
fn a_layout_with_its_links_holds_in_both_forms() {
    for form in [Form::Metablock, Form::Dsse] {
        let chain = Chain::new(form);
        let verified = chain.verify().unwrap();
        assert_eq!(verified.owners(), [chain.owner.id.as_str()]);
        let steps: Vec<_> = verified.steps().iter().map(|s| (s.name.as_str(), s.key_ids.clone())).collect();
        assert_eq!(steps, [("write", vec![chain.writer.id.clone()]), ("pack", vec![chain.packer.id.clone()])]);
        assert!(verified.materials().is_empty() && verified.products().contains_key("app.tgz"));
        assert!(verified.command_deviations().is_empty());
    }
}

#[test]
fn an_inspection_is_refused_before_anything_else_and_never_run() {
    let dir = tempfile::tempdir().unwrap();
    let planted = dir.path().join("planted");
    for form in [Form::Metablock, Form::Dsse] {
        let mut chain = Chain::new(form);
        chain.layout["inspect"] = json!([{
            "_type": "inspection", "name": "look", "expected_materials": [], "expected_products": [],
            "run": ["touch", planted],
        }]);
        let e = chain.verify().unwrap_err();
        assert_eq!(e.code(), "INSPECTION_REFUSED", "{e}");
        assert!(e.context().contains(&("inspection", "look".to_owned())));
        // whatever else is wrong with it
        chain.layout["expires"] = "2020-01-01T00:00:00Z".into();
        chain.layout["steps"] = json!("none");
        chain.links.clear();
        assert_eq!(chain.code(), "INSPECTION_REFUSED");
        // what is none of its owner's is not believed to ask for anything
        chain.owner = Person::new(KeyType::Ed25519);
        let foreign = Chain::new(form);
        let e = verify(&chain.signed_layout(), &[foreign.owner.public()], &Links::new(), &expectation()).unwrap_err();
        assert_eq!(e.code(), "UNTRUSTED_SIGNER");
    }
    assert!(!planted.exists());
}

#[test]
fn a_layout_that_does_not_say_whether_it_inspects_is_malformed() {
    for inspect in [Value::Null, json!({}), json!("")] {
        let mut chain = Chain::new(Form::Metablock);
        chain.layout["inspect"] = inspect;
        assert_eq!(chain.code(), "MALFORMED");
    }
    let mut chain = Chain::new(Form::Metablock);
    chain.layout.as_object_mut().unwrap().remove("inspect");
    assert_eq!(chain.code(), "MALFORMED");
}

#[test]
fn a_layout_holds_until_the_instant_of_its_expiry() {
    let chain = Chain::new(Form::Metablock);
    let at = |time: &str| LayoutExpectation::new(Artifact::AnyUnsafe, time.parse().unwrap());
    chain.verify_with(&at("2026-12-31T23:59:59.999Z")).unwrap();
    assert_eq!(chain.verify_with(&at("2027-01-01T00:00:00Z")).unwrap_err().code(), "EXPIRED");
}

#[test]
fn each_owner_must_have_signed() {
    let chain = Chain::new(Form::Metablock);
    let second = Person::new(KeyType::Ed25519);
    let owners = [chain.owner.public(), second.public()];
    let links = chain.signed_links();
    let by_both = sign_by(&[&chain.owner, &second], &chain.layout, Form::Metablock);
    assert_eq!(verify(&by_both, &owners, &links, &expectation()).unwrap().owners().len(), 2);
    let e = verify(&chain.signed_layout(), &owners, &links, &expectation()).unwrap_err();
    assert_eq!(e.code(), "UNTRUSTED_SIGNER");
    assert_eq!(verify(&by_both, &[], &links, &expectation()).unwrap_err().code(), "API_MISUSE");
}

#[test]
fn an_owner_may_be_given_as_a_pem_file() {
    let chain = Chain::new(Form::Metablock);
    let pem = chain.owner.listed["keyval"]["public"].as_str().unwrap();
    let owner = LayoutKey::parse(pem.as_bytes()).unwrap();
    verify(&chain.signed_layout(), &[owner], &chain.signed_links(), &expectation()).unwrap();
}

#[test]
fn another_artifact_than_the_product_is_refused() {
    let other = LayoutExpectation::new(Artifact::Is(Digest::sha256(b"other")), now());
    assert_eq!(Chain::new(Form::Dsse).verify_with(&other).unwrap_err().code(), "DIGEST_MISMATCH");
}

#[test]
fn a_missing_link_a_broken_one_and_a_strangers_are_told_apart() {
    for form in [Form::Metablock, Form::Dsse] {
        let mut chain = Chain::new(form);
        let name = chain.packer.link_name("pack");
        let pack = chain.links.remove(&name).unwrap();
        let e = chain.verify().unwrap_err();
        assert_eq!(e.code(), "EXPECTATION_UNMET");
        assert!(e.context().contains(&("step", "pack".to_owned())), "{e:?}");
        let verify =
            |links: Links| verify(&chain.signed_layout(), &[chain.owner.public()], &links, &expectation()).unwrap_err();
        let broken = chain.signed_links().with(&name, chain.writer.sign(&pack, form));
        assert_eq!(verify(broken).code(), "BAD_SIGNATURE");
        let stranger = chain.signed_links().with(chain.writer.link_name("pack"), chain.writer.sign(&pack, form));
        assert_eq!(verify(stranger).code(), "UNTRUSTED_SIGNER");
    }
}

#[test]
fn a_link_of_another_step_does_not_count_under_a_new_name() {
    let mut chain = Chain::new(Form::Metablock);
    chain.link_mut("pack")["name"] = "write".into();
    let e = chain.verify().unwrap_err();
    assert_eq!(e.code(), "EXPECTATION_UNMET");
    assert!(e.message().contains("is a link of the step `write`"), "{e}");
}

#[test]
fn two_of_two_functionaries_must_agree() {
    let mut chain = Chain::new(Form::Metablock);
    let both = json!([chain.writer.id, chain.packer.id]);
    chain.layout["steps"][1]["pubkeys"] = both;
    chain.layout["steps"][1]["threshold"] = 2.into();
    assert_eq!(chain.code(), "EXPECTATION_UNMET");
    let same = chain.link_mut("pack").clone();
    let second = chain.writer.link_name("pack");
    chain.links.insert(second.clone(), same);
    assert_eq!(chain.verify().unwrap().steps()[1].key_ids.len(), 2);
    chain.links.get_mut(&second).unwrap()["products"]["app.tgz"]["sha256"] = "00".repeat(32).into();
    let e = chain.verify().unwrap_err();
    assert!(e.code() == "EXPECTATION_UNMET" && e.message().contains("different artifacts"), "{e}");
}

#[test]
fn one_key_under_two_ids_is_one_functionary() {
    let mut chain = Chain::new(Form::Metablock);
    let alias = "ab".repeat(32);
    let mut twin = chain.packer.listed.clone();
    twin["keyid"] = alias.as_str().into();
    chain.layout["keys"][&alias] = twin;
    chain.layout["steps"][1]["pubkeys"] = json!([chain.packer.id, alias]);
    chain.layout["steps"][1]["threshold"] = 2.into();
    let pack = chain.link_mut("pack").clone();
    let links = chain.signed_links().with(format!("pack.{}.link", &alias[..8]), chain.packer.sign(&pack, chain.form));
    let e = verify(&chain.signed_layout(), &[chain.owner.public()], &links, &expectation()).unwrap_err();
    assert_eq!(e.code(), "EXPECTATION_UNMET");
    assert!(e.context().contains(&("found", "1".to_owned())), "{e:?}");
}

#[test]
fn a_command_that_differs_is_told_and_refused_on_demand() {
    let mut chain = Chain::new(Form::Metablock);
    chain.link_mut("pack")["command"] = json!(["tar", "cz"]);
    let told = chain.verify().unwrap().command_deviations().to_vec();
    assert_eq!(
        (told[0].step.as_str(), told[0].found.as_slice()),
        ("pack", ["tar".to_owned(), "cz".to_owned()].as_slice())
    );
    let e = chain.verify_with(&expectation().require_commands()).unwrap_err();
    assert_eq!(e.code(), "EXPECTATION_UNMET");
}

#[test]
fn parameters_are_filled_in_and_a_missing_one_is_never_passed_over() {
    let mut chain = Chain::new(Form::Metablock);
    chain.layout["steps"][1]["expected_products"] = json!([["ALLOW", "{kept}"], ["DISALLOW", "*.{ext}"]]);
    assert_eq!(chain.code(), "API_MISUSE");
    let with = |ext: &str| {
        let values = [("kept", "app.tgz"), ("ext", ext)].map(|(k, v)| (k.to_owned(), v.to_owned()));
        chain.verify_with(&expectation().with_parameters(BTreeMap::from(values)).unwrap())
    };
    with("exe").unwrap();
    assert_eq!(with("py").unwrap_err().code(), "EXPECTATION_UNMET");
    let odd = BTreeMap::from([("a.b".to_owned(), String::new())]);
    assert_eq!(expectation().with_parameters(odd).unwrap_err().code(), "API_MISUSE");
}

#[test]
fn a_layout_that_demands_nothing_is_malformed() {
    let change = |change: fn(&mut Value)| {
        let mut chain = Chain::new(Form::Dsse);
        change(&mut chain.layout);
        chain.code()
    };
    assert_eq!(change(|l| l["steps"] = json!([])), "MALFORMED");
    assert_eq!(change(|l| l["steps"][0]["threshold"] = 0.into()), "MALFORMED");
    assert_eq!(change(|l| l["steps"][0]["threshold"] = (-1).into()), "MALFORMED");
    assert_eq!(change(|l| l["steps"][0]["pubkeys"] = json!([])), "UNTRUSTED_SIGNER");
    assert_eq!(change(|l| l["steps"][0]["pubkeys"] = json!(["ab"])), "MALFORMED");
    assert_eq!(change(|l| l["steps"][0]["name"] = "../write".into()), "MALFORMED");
    assert_eq!(change(|l| l["steps"][1]["name"] = "write".into()), "MALFORMED");
    assert_eq!(change(|l| l["steps"][0]["expected_products"] = json!([["PERMIT", "*"]])), "MALFORMED");
    assert_eq!(change(|l| l["expires"] = "2027-01-01".into()), "MALFORMED");
    assert_eq!(change(|l| l["_type"] = "link".into()), "MALFORMED");
}

#[test]
fn an_artifact_without_a_digest_is_malformed() {
    let mut chain = Chain::new(Form::Metablock);
    chain.link_mut("pack")["products"]["app.tgz"] = json!({});
    assert_eq!(chain.code(), "MALFORMED");
}

#[test]
fn keys_of_other_kinds_are_unsupported() {
    let pgp =
        json!({ "method": "pgp+rsa-pkcsv1.5", "hashes": ["pgp+SHA2"], "keyval": { "public": "" }, "type": "rsa" });
    let old = json!({ "keytype": "rsa", "scheme": "rsa-pkcs1v15-sha1", "keyval": { "public": "" } });
    let curve = json!({ "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp521", "keyval": { "public": "" } });
    for (key, code) in [(pgp, "UNSUPPORTED"), (old, "MALFORMED"), (curve, "UNSUPPORTED")] {
        assert_eq!(LayoutKey::parse(key.to_string().as_bytes()).unwrap_err().code(), code, "{key}");
    }
    let mixed = Person::new(KeyType::P256).listed;
    let mut wrong = mixed.clone();
    wrong["scheme"] = "ecdsa-sha2-nistp384".into();
    assert_eq!(LayoutKey::parse(wrong.to_string().as_bytes()).unwrap_err().code(), "MALFORMED");
    wrong["keytype"] = "rsa".into();
    wrong["scheme"] = "rsassa-pss-sha256".into();
    assert_eq!(LayoutKey::parse(wrong.to_string().as_bytes()).unwrap_err().code(), "MALFORMED");
}

#[test]
fn every_changed_leaf_of_layout_and_links_is_refused() {
    for form in [Form::Metablock, Form::Dsse] {
        let mut chain = Chain::new(form);
        chain.layout["readme"] = "for people".into();
        let layout: Value = serde_json::from_slice(&chain.signed_layout()).unwrap();
        let pack = chain.link_mut("pack").clone();
        let link: Value = serde_json::from_slice(&chain.packer.sign(&pack, form)).unwrap();
        let name = chain.packer.link_name("pack");
        let mut changed = 0;
        for (whole, is_layout) in [(&layout, true), (&link, false)] {
            for pointer in leaves(whole) {
                // ids of signatures are hints: whoever's key verifies has signed
                if pointer.ends_with("/keyid") && pointer.starts_with("/signatures") {
                    continue;
                }
                let mut other = whole.clone();
                change(other.pointer_mut(&pointer).unwrap());
                let bytes = other.to_string().into_bytes();
                let (layout, links) = if is_layout {
                    (bytes, chain.signed_links())
                } else {
                    (chain.signed_layout(), chain.signed_links().with(&name, bytes))
                };
                let outcome = verify(&layout, &[chain.owner.public()], &links, &expectation());
                assert!(outcome.is_err(), "{form:?} {pointer}");
                changed += 1;
            }
        }
        assert!(changed >= if form == Form::Dsse { 6 } else { 50 }, "{changed}");
    }
}

fn leaves(value: &Value) -> Vec<String> {
    let below = |key: &str, value: &Value| -> Vec<String> {
        let key = key.replace('~', "~0").replace('/', "~1");
        leaves(value).into_iter().map(|rest| format!("/{key}{rest}")).collect()
    };
    match value {
        Value::Object(members) => members.iter().flat_map(|(key, value)| below(key, value)).collect(),
        Value::Array(items) => items.iter().enumerate().flat_map(|(i, v)| below(&i.to_string(), v)).collect(),
        _ => vec![String::new()],
    }
}

fn change(leaf: &mut Value) {
    *leaf = match leaf {
        Value::String(text) => {
            // within the alphabet of hex and base64, so that more than the encoding is tested
            let first = if text.starts_with('a') { "b" } else { "a" };
            format!("{first}{}", text.chars().skip(1).collect::<String>()).into()
        }
        Value::Number(_) => 7.into(),
        _ => "changed".into(),
    };
}

#[test]
fn what_is_no_metadata_is_malformed() {
    let chain = Chain::new(Form::Metablock);
    for bytes in ["", "{}", "[]", r#"{"signed":{},"payload":""}"#, r#"{"signed":{"a":1.5},"signatures":[]}"#] {
        let e = verify(bytes.as_bytes(), &[chain.owner.public()], &Links::new(), &expectation()).unwrap_err();
        assert_eq!(e.code(), "MALFORMED", "{bytes}");
    }
    let name = chain.packer.link_name("pack");
    let links = chain.signed_links().with(name, "{}");
    let e = verify(&chain.signed_layout(), &[chain.owner.public()], &links, &expectation()).unwrap_err();
    assert_eq!(e.code(), "MALFORMED");
}

#[test]
fn links_are_read_from_a_folder_and_those_of_sublayouts_below_it() {
    let dir = tempfile::tempdir().unwrap();
    let chain = Chain::new(Form::Metablock);
    for (name, content) in &chain.links {
        let by = [&chain.writer, &chain.packer].into_iter().find(|p| name.contains(&p.id[..8])).unwrap();
        std::fs::write(dir.path().join(name), by.sign(content, chain.form)).unwrap();
    }
    std::fs::write(dir.path().join("notes.txt"), "no link").unwrap();
    std::fs::create_dir(dir.path().join("other")).unwrap();
    let links = Links::of_folder(dir.path()).unwrap();
    verify(&chain.signed_layout(), &[chain.owner.public()], &links, &expectation()).unwrap();
    let e = Links::of_folder(&dir.path().join("none")).unwrap_err();
    assert_eq!(e.code(), "NOT_FOUND");
}
