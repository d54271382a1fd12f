//! A supply chain of two steps, whose layout and links each test changes and signs.

use std::collections::BTreeMap;

use sealwright::digest::Digest;
use sealwright::envelope::{Envelope, IN_TOTO, Signature, pae};
use sealwright::key::{KeyType, PrivateKey};
use sealwright::layout::{LayoutExpectation, LayoutKey, Links, VerifiedLayout, verify};
use sealwright::timestamp::Timestamp;
use sealwright::verifier::Artifact;
use sealwright::{Error, json};
use serde_json::{Value, json};

pub(crate) const NOW: &str = "2026-11-21T09:30:00Z";

/// How metadata is signed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    Metablock,
    Dsse,
}

pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) listed: Value,
    key: PrivateKey,
}

impl Person {
    pub(crate) fn new(key_type: KeyType) -> Self {
        let key = PrivateKey::generate(key_type).unwrap();
        let mut listed = match key_type {
            KeyType::Ed25519 => {
                json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": hex::encode(key.public().raw()) } })
            }
            _ => {
                json!({ "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": { "public": key.public().to_pem() } })
            }
        };
        let id = LayoutKey::parse(listed.to_string().as_bytes()).unwrap().key_id().to_owned();
        listed["keyid"] = id.as_str().into();
        Self { id, listed, key }
    }

    pub(crate) fn public(&self) -> LayoutKey {
        LayoutKey::parse(self.listed.to_string().as_bytes()).unwrap()
    }

    /// Signs metadata.
    pub(crate) fn sign(&self, content: &Value, form: Form) -> Vec<u8> {
        sign_by(&[self], content, form)
    }

    pub(crate) fn link_name(&self, step: &str) -> String {
        format!("{step}.{}.link", &self.id[..8])
    }
}

pub(crate) fn sign_by(people: &[&Person], content: &Value, form: Form) -> Vec<u8> {
    let bytes = json::canonical("metadata", content).unwrap();
    match form {
        Form::Metablock => {
            // of the characters that the two canonical forms write differently, only line ends stand in our test data
            let bytes = String::from_utf8(bytes).unwrap().replace("\\n", "\n").into_bytes();
            let signatures: Vec<_> = people
                .iter()
                .map(|p| json!({ "keyid": p.id, "sig": hex::encode(p.key.sign(&bytes).unwrap()) }))
                .collect();
            json!({ "signatures": signatures, "signed": content }).to_string().into_bytes()
        }
        Form::Dsse => {
            let message = pae(IN_TOTO, &bytes);
            let sign = |p: &&Person| Signature::new(Some(p.id.clone()), p.key.sign(&message).unwrap());
            Envelope::new(IN_TOTO, bytes.clone(), people.iter().map(sign).collect()).unwrap().to_json()
        }
    }
}

pub(crate) fn digests(content: &str) -> Value {
    json!({ "sha256": Digest::sha256(content.as_bytes()).hex() })
}

/// `{"path": "content"}` as artifacts.
pub(crate) fn artifacts(files: &[(&str, &str)]) -> Value {
    files.iter().map(|(path, content)| ((*path).to_owned(), digests(content))).collect::<serde_json::Map<_, _>>().into()
}

pub(crate) fn link(step: &str, materials: &[(&str, &str)], products: &[(&str, &str)]) -> Value {
    json!({
        "_type": "link", "name": step, "command": [step], "byproducts": {}, "environment": {},
        "materials": artifacts(materials), "products": artifacts(products),
    })
}

pub(crate) fn step(name: &str, by: &[&Person], materials: &Value, products: &Value) -> Value {
    json!({
        "_type": "step", "name": name, "threshold": 1, "pubkeys": by.iter().map(|p| &p.id).collect::<Vec<_>>(),
        "expected_command": [name], "expected_materials": materials, "expected_products": products,
    })
}

pub(crate) fn layout(people: &[&Person], steps: &[Value]) -> Value {
    let keys: serde_json::Map<_, _> = people.iter().map(|p| (p.id.clone(), p.listed.clone())).collect();
    json!({ "_type": "layout", "expires": "2027-01-01T00:00:00Z", "inspect": [], "keys": keys, "readme": "", "steps": steps })
}

/// An owner, a writer, a packer, their layout and its links.
pub(crate) struct Chain {
    pub(crate) owner: Person,
    pub(crate) writer: Person,
    pub(crate) packer: Person,
    pub(crate) layout: Value,
    pub(crate) links: BTreeMap<String, Value>,
    pub(crate) form: Form,
}

impl Chain {
    pub(crate) fn new(form: Form) -> Self {
        let [owner, writer, packer] = [KeyType::P256, KeyType::Ed25519, KeyType::P256].map(Person::new);
        let steps = vec![
            step("write", &[&writer], &json!([["DISALLOW", "*"]]), &json!([["CREATE", "src/*"], ["DISALLOW", "*"]])),
            step(
                "pack",
                &[&packer],
                &json!([["MATCH", "*", "WITH", "PRODUCTS", "FROM", "write"], ["DISALLOW", "*"]]),
                &json!([["REQUIRE", "app.tgz"], ["CREATE", "app.tgz"], ["ALLOW", "src/*"], ["DISALLOW", "*"]]),
            ),
        ];
        let layout = layout(&[&writer, &packer], &steps);
        let sources = [("src/a.py", "a"), ("src/b.py", "b")];
        let packed = [("app.tgz", "app"), ("src/a.py", "a"), ("src/b.py", "b")];
        let links = BTreeMap::from([
            (writer.link_name("write"), link("write", &[], &sources)),
            (packer.link_name("pack"), link("pack", &sources, &packed)),
        ]);
        Self { owner, writer, packer, layout, links, form }
    }

    pub(crate) fn link_mut(&mut self, step: &str) -> &mut Value {
        let by = if step == "write" { &self.writer } else { &self.packer };
        self.links.get_mut(&by.link_name(step)).unwrap()
    }

    pub(crate) fn signed_layout(&self) -> Vec<u8> {
        self.owner.sign(&self.layout, self.form)
    }

    /// The links, each signed by the one whose id its name holds.
    pub(crate) fn signed_links(&self) -> Links {
        self.links.iter().fold(Links::new(), |links, (name, content)| {
            let by = [&self.writer, &self.packer].into_iter().find(|p| name.contains(&p.id[..8])).unwrap();
            links.with(name, by.sign(content, self.form))
        })
    }

    pub(crate) fn verify(&self) -> Result<VerifiedLayout, Error> {
        self.verify_with(&expectation())
    }

    pub(crate) fn verify_with(&self, expectation: &LayoutExpectation) -> Result<VerifiedLayout, Error> {
        verify(&self.signed_layout(), &[self.owner.public()], &self.signed_links(), expectation)
    }

    /// The code of the refusal.
    pub(crate) fn code(&self) -> &'static str {
        self.verify().unwrap_err().code()
    }
}

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// Demands the packed application.
pub(crate) fn expectation() -> LayoutExpectation {
    LayoutExpectation::new(Artifact::Is(Digest::sha256(b"app")), now())
}
