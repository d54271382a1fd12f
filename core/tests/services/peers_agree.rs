//! The services and the peers alone, without us: what the other tests here stand on.

use crate::harness::{Services, Who};
use crate::peers::{Content, PEERS, statement};

const FILE: &[u8] = b"what was built\n";

#[test]
#[ignore = "needs make test-services"]
fn what_one_peer_signs_each_other_peer_verifies_and_refuses_for_another_file_identity_or_issuer() {
    let mut pairs = 0;
    for content in [Content::Blob, Content::Statement] {
        for signer in PEERS.into_iter().filter(|p| p.signs(content)) {
            let services = Services::from_env();
            let who = if content == Content::Blob { Who::Person } else { Who::Workflow };
            services.write("file", FILE);
            services.write("other", b"what was not built\n");
            services.write("statement", statement("file", FILE));
            signer.sign(&services, who, content, if content == Content::Blob { "file" } else { "statement" }, "bundle");
            let (subject, issuer) = (services.subject(who), services.issuer(who));
            for verifier in PEERS {
                let verify =
                    |file, subject, issuer| verifier.verify(&services, content, "bundle", file, (subject, issuer));
                let good = verify("file", &subject, &issuer);
                assert!(good.ok, "{content:?} of {signer:?} by {verifier:?}: {} {}", good.out, good.err);
                assert!(!verify("other", &subject, &issuer).ok, "{verifier:?} took another file");
                assert!(!verify("file", "mallory@example.org", &issuer).ok, "{verifier:?} took another subject");
                assert!(!verify("file", &subject, "https://issuer.example.net").ok, "{verifier:?} took another issuer");
                pairs += 1;
            }
        }
    }
    assert_eq!(pairs, 12);
}
