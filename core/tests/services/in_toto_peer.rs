//! Random layouts and links, judged by us and by in-toto's own tool in Python.

#[path = "../layout/supply_chain.rs"]
mod supply_chain;

use std::collections::BTreeMap;

use sealwright::key::KeyType;
use sealwright::layout::{LayoutExpectation, Links, verify};
use sealwright::verifier::Artifact;
use serde_json::{Value, json};
use supply_chain::{Form, Person, layout, now, step};

use crate::harness::{Services, ran_with_input};

const CASES: usize = 600;
const PATHS: [&str; 8] = ["a.py", "b.py", "src/a.py", "src/b.py", "src/x/a.py", "dist/a.py", "app.tgz", "[odd]*"];
const PATTERNS: [&str; 14] = [
    "*", "*.py", "src/*", "?.py", "[ab].py", "[!a]*", "app.tgz", "a*", "src/?.py", "[", "[]o]*", "*/x/*", "b-[a-z]",
    "[[]odd]*",
];
const PREFIXES: [&str; 4] = ["src", "src/", "dist", "src/x"];

/// The same numbers each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn artifacts(&mut self, base: &Value) -> Value {
        let mut all = base.as_object().cloned().unwrap_or_default();
        for _ in 0..self.below(4) {
            let content = self.one(&["1", "2"]);
            all.insert(self.one(&PATHS).to_owned(), supply_chain::digests(content));
        }
        if self.below(3) == 0 {
            all.remove(self.one(&PATHS));
        }
        all.into()
    }

    fn rules(&mut self, steps: &[&str]) -> Value {
        let mut rules: Vec<Value> = Vec::new();
        for _ in 0..self.below(4) {
            let pattern = self.one(&PATTERNS);
            rules.push(match self.below(8) {
                0 => json!(["CREATE", pattern]),
                1 => json!(["DELETE", pattern]),
                2 => json!(["MODIFY", pattern]),
                3 | 4 => json!(["ALLOW", pattern]),
                5 if self.below(3) == 0 => json!(["REQUIRE", self.one(&PATHS)]),
                _ => self.match_rule(pattern, steps),
            });
        }
        if self.below(2) == 0 {
            rules.push(json!(["DISALLOW", self.one(&["*", "app.tgz", "src/*", "[!s]*"])]));
        }
        rules.into()
    }

    fn match_rule(&mut self, pattern: &str, steps: &[&str]) -> Value {
        let mut rule = vec!["MATCH", pattern];
        if self.below(3) == 0 {
            rule.extend(["IN", self.one(&PREFIXES)]);
        }
        rule.extend(["WITH", self.one(&["PRODUCTS", "MATERIALS", "products"])]);
        if self.below(3) == 0 {
            rule.extend(["IN", self.one(&PREFIXES)]);
        }
        rule.extend(["FROM", self.one(steps)]);
        json!(rule)
    }
}

#[test]
#[ignore = "needs make test-services"]
fn layouts_are_judged_as_in_totos_own_tool_judges_them() {
    let services = Services::from_env();
    let people = [KeyType::Ed25519, KeyType::P256, KeyType::Ed25519].map(Person::new);
    let mut dice = Dice(2026);
    let (mut ours, mut folders) = (Vec::new(), String::new());
    for case in 0..CASES {
        let form = dice.one(&[Form::Metablock, Form::Dsse]);
        let steps = ["one", "two", "three"];
        let steps = &steps[..1 + dice.below(3)];
        let mut described = Vec::new();
        let mut links: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut before = json!({});
        for name in steps {
            let by: Vec<&Person> = people.iter().filter(|_| dice.below(3) > 0).collect();
            let mut wanted = step(name, &by, &dice.rules(steps), &dice.rules(steps));
            wanted["threshold"] = (1 + usize::from(dice.below(4) == 0)).into();
            described.push(wanted);
            let mut content = supply_chain::link(name, &[], &[]);
            content["materials"] = before.clone();
            content["products"] = dice.artifacts(&before);
            before = content["products"].clone();
            for person in by {
                let mut own = content.clone();
                if dice.below(12) == 0 {
                    own["products"] = dice.artifacts(&before);
                }
                let signer = if dice.below(15) == 0 { dice.one(&[&people[0], &people[1]]) } else { person };
                if dice.below(10) > 0 {
                    links.insert(person.link_name(name), signer.sign(&own, form));
                }
            }
        }
        let mut described = layout(&[&people[0], &people[1], &people[2]], &described);
        described["expires"] = if dice.below(20) == 0 { "2020-01-01T00:00:00Z" } else { "2100-01-01T00:00:00Z" }.into();
        let owner = &people[0];
        let signed = if dice.below(20) == 0 { &people[1] } else { owner }.sign(&described, form);

        let folder = services.path(&format!("case-{case}"));
        std::fs::create_dir_all(folder.join("links")).unwrap();
        std::fs::write(folder.join("layout"), &signed).unwrap();
        std::fs::write(folder.join("owner.json"), owner.listed.to_string()).unwrap();
        for (name, bytes) in &links {
            std::fs::write(folder.join("links").join(name), bytes).unwrap();
        }
        folders.push_str(&format!("{}\n", folder.display()));
        let given = Links::of_folder(&folder.join("links")).unwrap();
        let expectation = LayoutExpectation::new(Artifact::AnyUnsafe, now());
        ours.push(verify(&signed, &[owner.public()], &given, &expectation).map(|_| ()).map_err(|e| e.to_string()));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/judge_layouts.py");
    let ran = ran_with_input(services.command(services.text("/python")).arg(script), folders.as_bytes());
    assert!(ran.ok, "{}", ran.err);
    let theirs: Vec<&str> = ran.out.lines().collect();
    assert_eq!(theirs.len(), CASES, "{}", ran.err);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (case, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(ours.is_ok(), *theirs == "ok", "case {case}: {ours:?}, in-toto {theirs}");
        *counts.entry(theirs).or_default() += 1;
    }
    println!("{CASES} layouts, in-toto's verdicts: {counts:?}");
    for verdict in ["ok", "RuleVerificationError", "ThresholdVerificationError", "SignatureVerificationError"] {
        assert!(counts.get(verdict).is_some_and(|n| *n >= 10), "{verdict} hardly happened: {counts:?}");
    }
}
