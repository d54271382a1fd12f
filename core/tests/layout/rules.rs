use serde_json::{Value, json};

use crate::supply_chain::{Chain, Form, artifacts};

/// Whether step `pack` holds with these rules, materials `kept, changed, gone` and products `kept, changed, made`.
fn holds(side: &str, rules: &Value) -> Result<(), (String, String)> {
    let mut chain = Chain::new(Form::Metablock);
    let written = [("x/kept", "1"), ("x/changed", "old"), ("x/gone", "3"), ("y/x/kept", "1")];
    chain.link_mut("write")["products"] = artifacts(&written);
    chain.layout["steps"][0]["expected_products"] = json!([]);
    let pack = chain.link_mut("pack");
    pack["materials"] = artifacts(&[("x/kept", "1"), ("x/changed", "old"), ("x/gone", "3")]);
    pack["products"] = artifacts(&[("x/kept", "1"), ("x/changed", "new"), ("x/made", "4"), ("app.tgz", "app")]);
    chain.layout["steps"][1]["expected_materials"] = json!([]);
    chain.layout["steps"][1]["expected_products"] = json!([]);
    chain.layout["steps"][1][side] = rules.clone();
    match chain.verify() {
        Ok(_) => Ok(()),
        Err(e) => {
            let fact = |name| e.context().iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone()).unwrap_or_default();
            Err((e.code().to_owned(), fact("rule")))
        }
    }
}

#[test]
fn each_rule_consumes_what_it_says_and_no_more() {
    let all = [
        (
            "expected_materials",
            json!([["DELETE", "*"], ["ALLOW", "x/kept"], ["ALLOW", "x/changed"], ["DISALLOW", "*"]]),
            true,
        ),
        ("expected_materials", json!([["DELETE", "*"], ["DISALLOW", "x/gone"]]), true),
        ("expected_materials", json!([["DELETE", "*"], ["DISALLOW", "x/kept"]]), false),
        ("expected_products", json!([["CREATE", "*"], ["DISALLOW", "x/made"], ["DISALLOW", "app*"]]), true),
        ("expected_products", json!([["CREATE", "*"], ["DISALLOW", "x/changed"]]), false),
        ("expected_products", json!([["MODIFY", "*"], ["DISALLOW", "x/changed"]]), true),
        ("expected_products", json!([["MODIFY", "*"], ["DISALLOW", "x/kept"]]), false),
        ("expected_products", json!([["ALLOW", "x/*"], ["DISALLOW", "x/*"]]), true),
        ("expected_products", json!([["REQUIRE", "app.tgz"]]), true),
        ("expected_products", json!([["REQUIRE", "app*"]]), false),
        ("expected_products", json!([["ALLOW", "*"], ["REQUIRE", "app.tgz"]]), false),
        ("expected_products", json!([]), true),
        ("expected_products", json!([["disallow", "*.exe"], ["Allow", "*"], ["DisAllow", "*"]]), true),
    ];
    for (side, rules, expected) in all {
        assert_eq!(holds(side, &rules).is_ok(), expected, "{side} {rules}");
    }
}

#[test]
fn a_match_compares_digests_by_path_and_prefix() {
    let left = |rule: Value, left: &str| holds("expected_materials", &json!([rule, ["DISALLOW", left]]));
    left(json!(["MATCH", "x/kept", "WITH", "PRODUCTS", "FROM", "write"]), "x/kept").unwrap();
    left(json!(["MATCH", "kept", "IN", "x", "WITH", "PRODUCTS", "IN", "x", "FROM", "write"]), "x/kept").unwrap();
    left(json!(["MATCH", "kept", "IN", "x/", "WITH", "PRODUCTS", "IN", "y\\x", "FROM", "write"]), "x/kept").unwrap();
    left(json!(["MATCH", "x/*", "WITH", "PRODUCTS", "IN", "y", "FROM", "write"]), "x/kept").unwrap();
    for nothing in [
        // no prefix at a part of a folder's name, no materials there, no such step, the pattern is without its prefix
        json!(["MATCH", "*", "IN", "x/k", "WITH", "PRODUCTS", "FROM", "write"]),
        json!(["MATCH", "*", "WITH", "MATERIALS", "FROM", "write"]),
        json!(["MATCH", "*", "WITH", "PRODUCTS", "FROM", "nobody"]),
        json!(["MATCH", "x/kept", "IN", "x", "WITH", "PRODUCTS", "IN", "x", "FROM", "write"]),
    ] {
        let (code, rule) = left(nothing.clone(), "x/kept").unwrap_err();
        assert_eq!((code.as_str(), rule.as_str()), ("EXPECTATION_UNMET", "DISALLOW x/kept"), "{nothing}");
    }
    let products = json!([["MATCH", "*", "WITH", "PRODUCTS", "FROM", "write"], ["DISALLOW", "x/changed"]]);
    assert!(holds("expected_products", &products).is_err(), "same path, other digest");
}

#[test]
fn what_is_no_rule_is_malformed() {
    for rule in [
        json!([]),
        json!(["ALLOW"]),
        json!(["ALLOW", "a", "b"]),
        json!(["FORBID", "a"]),
        json!(["MATCH", "a"]),
        json!(["MATCH", "a", "WITH", "BYPRODUCTS", "FROM", "write"]),
        json!(["MATCH", "a", "IN", "b", "FROM", "write"]),
        json!(["MATCH", "a", "IN", "b", "WITH", "PRODUCTS", "IN", "c", "FROM"]),
    ] {
        assert_eq!(holds("expected_products", &json!([rule.clone()])).unwrap_err().0, "MALFORMED", "{rule}");
    }
}
