use sealwright::key::KeyType;
use sealwright::layout::{Links, VerifiedLayout, verify};
use sealwright::{Error, limits};
use serde_json::{Value, json};

use crate::supply_chain::{Chain, Form, Person, expectation, layout, link, step};

/// The step `pack` delegated by its functionary to one of his own, who compiles.
fn delegated(
    change: impl FnOnce(&mut Value),
    links_of_sub: impl FnOnce(&Person) -> Value,
) -> Result<VerifiedLayout, Error> {
    let chain = Chain::new(Form::Metablock);
    let helper = Person::new(KeyType::Ed25519);
    let rules = json!([["CREATE", "app.tgz"], ["ALLOW", "src/*"], ["DISALLOW", "*"]]);
    let mut sub = layout(&[&helper], &[step("compile", &[&helper], &json!([]), &rules)]);
    change(&mut sub);
    let name = chain.packer.link_name("pack");
    let inner = format!("{}/{}", name.trim_end_matches(".link"), helper.link_name("compile"));
    let links = chain
        .signed_links()
        .with(&name, chain.packer.sign(&sub, Form::Dsse))
        .with(inner, helper.sign(&links_of_sub(&helper), Form::Metablock));
    verify(&chain.signed_layout(), &[chain.owner.public()], &links, &expectation())
}

fn compiled(_: &Person) -> Value {
    let sources = [("src/a.py", "a"), ("src/b.py", "b")];
    link("compile", &sources, &[("app.tgz", "app"), ("src/a.py", "a"), ("src/b.py", "b")])
}

#[test]
fn a_step_may_be_performed_by_a_sublayout() {
    let verified = delegated(|_| {}, compiled).unwrap();
    assert_eq!(verified.steps()[1].within[0].name, "compile");
    assert!(verified.products().contains_key("app.tgz"));
}

#[test]
fn a_sublayout_is_held_to_the_rules_of_the_step_it_performs() {
    let more = |h: &Person| {
        let mut link = compiled(h);
        link["materials"]["src/c.py"] = json!({ "sha256": "00" });
        link
    };
    let e = delegated(|_| {}, more).unwrap_err();
    assert_eq!(e.code(), "EXPECTATION_UNMET");
    assert!(e.context().contains(&("step", "pack".to_owned())), "{e:?}");
}

#[test]
fn an_inspection_in_a_sublayout_is_refused() {
    let inspection = json!([{ "_type": "inspection", "name": "sub", "run": ["touch", "planted"] }]);
    let e = delegated(|sub| sub["inspect"] = inspection, compiled).unwrap_err();
    assert_eq!(e.code(), "INSPECTION_REFUSED");
}

#[test]
fn an_expired_sublayout_and_one_without_its_link_are_refused() {
    let e = delegated(|sub| sub["expires"] = "2026-01-01T00:00:00Z".into(), compiled).unwrap_err();
    assert_eq!(e.code(), "EXPIRED");
    let e = delegated(|sub| sub["steps"][0]["name"] = "other".into(), compiled).unwrap_err();
    assert_eq!(e.code(), "EXPECTATION_UNMET");
    // the values of the caller are for the layout alone
    let e = delegated(|sub| sub["steps"][0]["expected_products"] = json!([["ALLOW", "{x}"]]), compiled).unwrap_err();
    assert_eq!(e.code(), "API_MISUSE");
}

#[test]
fn a_sublayout_of_itself_and_one_too_deep_end_in_a_refusal() {
    let person = Person::new(KeyType::Ed25519);
    let owner = Person::new(KeyType::Ed25519);
    let own = |n: usize| {
        let mut layout = layout(&[&person], &[step("again", &[&person], &json!([]), &json!([]))]);
        layout["readme"] = n.to_string().into();
        layout
    };
    let folder = person.link_name("again").replace(".link", "/");
    let nested = |layouts: &[Value]| {
        let mut links = Links::new();
        for (depth, layout) in layouts.iter().enumerate() {
            let name = format!("{}{}", folder.repeat(depth), person.link_name("again"));
            links = links.with(name, person.sign(layout, Form::Metablock));
        }
        verify(&owner.sign(&own(0), Form::Metablock), &[owner.public()], &links, &expectation()).unwrap_err()
    };
    let e = nested(&[own(1), own(1)]);
    assert!(e.code() == "MALFORMED" && e.message().contains("sublayout of itself"), "{e}");
    let deep: Vec<Value> = (1..limits::LAYOUT_DEPTH + 3).map(own).collect();
    assert_eq!(nested(&deep).code(), "LIMIT_EXCEEDED");
}
