//! What a signing certificate says of the build that asked for it: GitHub, GitLab and others vouch for source and ref.

use crate::verifier::SignedBy;

/// Claims of a verified certificate that this module looks at.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims<'a> {
    pub(super) subject: &'a str,
    pub(super) issuer: &'a str,
    pub(super) source_repository: Option<&'a str>,
    pub(super) source_ref: Option<&'a str>,
    pub(super) source_commit: Option<&'a str>,
    pub(super) trigger: Option<&'a str>,
    pub(super) runner_environment: Option<&'a str>,
}

impl<'a> Claims<'a> {
    pub(super) fn of(_signer: &'a SignedBy) -> Option<Self> {
        None
    }
}
