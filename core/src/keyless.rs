//! Signing without a key of one's own, by an identity token; timestamps; and fetching trusted roots.
//!
//! A keyless signature is made with a key that lives for one signature. A certificate authority (Fulcio) says in a
//! certificate of ten minutes whose key it was, by an OpenID Connect token; a transparency log (Rekor) and a timestamp
//! authority say when it signed. Whoever verifies it later needs none of them, and no network.
//!
//! These calls, and no others, touch the network: each is asked for by name, and blocks until it is done. The services
//! are named by the caller; [`Services::public_good`] must be asked for in so many words, since it publishes who signed.
//! Nothing half-made leaves: what the services gave is verified before it is returned.

mod ambient;
mod check;
mod http;
mod merge;
mod roots;
mod services;
mod sign;
mod stamp;
mod token;

pub use ambient::{TOKEN_VARIABLE, ambient_token};
pub use roots::{ArchivedRoot, RootArchive, RootSource};
pub use services::{LogVersion, MyIdentityIsPublishedForEver, Services};
pub use sign::{sign_blob, sign_statement};
pub use stamp::{timestamp, timestamp_of_bytes};
pub use token::{AUDIENCE, Publication, Token};
