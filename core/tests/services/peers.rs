//! Other people's clients: cosign, sigstore-python and sigstore-js, each signing and verifying with our services.

use std::process::Command;

use crate::harness::{Ran, Services, Who, ran, ran_well, ran_with_input};

/// A client that is not ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Peer {
    Cosign,
    Python,
    Js,
}

pub(crate) const PEERS: [Peer; 3] = [Peer::Cosign, Peer::Python, Peer::Js];

/// What a bundle is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    /// The bytes of a file.
    Blob,
    /// An in-toto statement in DSSE, with the file as its subject.
    Statement,
}

/// The type of the predicates in [`statement`].
pub(crate) const PREDICATE_TYPE: &str = "https://example.org/checked/v1";

impl Peer {
    /// Whether this client can sign that with a log of Rekor's second version.
    ///
    /// sigstore-js 5.0.1 still asks it for an entry of the type `dsse`, which Rekor has dropped; sigstore-python 4.5.1
    /// attests only predicates of SLSA provenance.
    pub(crate) fn signs(self, content: Content) -> bool {
        self == Self::Cosign || content == Content::Blob
    }

    /// Signs the file `of` in the test's folder into `bundle` there. For a statement `of` is the statement's file.
    pub(crate) fn sign(self, services: &Services, who: Who, content: Content, of: &str, bundle: &str) {
        let token = services.token(who);
        match self {
            Self::Cosign => {
                let mut command = cosign(services);
                match content {
                    Content::Blob => command.args(["sign-blob", of]),
                    Content::Statement => command.args(["attest-blob", "--statement", of]),
                };
                command.args(["--yes", "--identity-token", &token, "--bundle", bundle]);
                command.args(["--trusted-root", services.text("/trusted_root")]);
                ran_well(command.args(["--signing-config", services.text("/signing_config")]));
            }
            Self::Python => {
                assert_eq!(content, Content::Blob);
                ran_well(python(services).args(["sign", "--identity-token", &token, "--bundle", bundle, of]));
            }
            Self::Js => {
                assert_eq!(content, Content::Blob);
                let input = serde_json::json!({
                    "fulcio": services.text("/fulcio"),
                    "rekor": services.text("/rekor"),
                    "tsa": services.text("/tsa"),
                    "token": token,
                });
                let ran = ran_with_input(js(services).args(["sign", "blob", bundle, of]), input.to_string().as_bytes());
                assert!(ran.ok, "sigstore-js: {}", ran.err);
            }
        }
    }

    /// Whether the client takes `bundle` for `file`, of this subject and issuer.
    pub(crate) fn verify(
        self,
        services: &Services,
        content: Content,
        bundle: &str,
        file: &str,
        (subject, issuer): (&str, &str),
    ) -> Ran {
        match self {
            Self::Cosign => {
                let mut command = cosign(services);
                match content {
                    Content::Blob => command.arg("verify-blob"),
                    Content::Statement => command.args(["verify-blob-attestation", "--type", PREDICATE_TYPE]),
                };
                command.args(["--trusted-root", services.text("/trusted_root"), "--bundle", bundle]);
                command.args(["--certificate-identity", subject, "--certificate-oidc-issuer", issuer]);
                ran(command.arg(file))
            }
            Self::Python => {
                let mut command = python(services);
                command.args(["verify", "identity", "--bundle", bundle, "--cert-identity", subject]);
                ran(command.args(["--cert-oidc-issuer", issuer, file]))
            }
            Self::Js => {
                let root = services.text("/trusted_root");
                ran(js(services).args(["verify", root, bundle, file, subject, issuer]))
            }
        }
    }
}

/// cosign, which finds its way by flags alone.
pub(crate) fn cosign(services: &Services) -> Command {
    services.command(services.text("/cosign"))
}

/// sigstore-python with our trusted root.
pub(crate) fn python(services: &Services) -> Command {
    let mut command = services.command(services.text("/python"));
    command.args(["-m", "sigstore", "--trust-config", services.text("/trust_config")]);
    command
}

fn js(services: &Services) -> Command {
    let mut command = services.command(services.text("/node"));
    command.env("NODE_PATH", services.text("/node_modules"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/js/peer.cjs"));
    command
}

/// A statement about `content` under the name `name`.
pub(crate) fn statement(name: &str, content: &[u8]) -> String {
    let sha256 = sealwright::digest::Digest::sha256(content).hex();
    serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": name, "digest": { "sha256": sha256 } }],
        "predicateType": PREDICATE_TYPE,
        "predicate": { "checked": true },
    })
    .to_string()
}
