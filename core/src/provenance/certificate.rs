//! What a signing certificate says of the build that asked for it: GitHub, GitLab and others vouch for source and ref.

use crate::verifier::{Extension, SignedBy};

/// Claims of a verified certificate that this module looks at.
#[derive(Clone, Debug)]
pub(super) struct Claims<'a> {
    pub(super) subject: &'a str,
    pub(super) issuer: &'a str,
    pub(super) source_repository: Option<String>,
    pub(super) source_ref: Option<String>,
    pub(super) source_commit: Option<String>,
    pub(super) trigger: Option<String>,
    pub(super) runner_environment: Option<String>,
}

impl<'a> Claims<'a> {
    pub(super) fn of(signer: &'a SignedBy) -> Option<Self> {
        let certificate = signer.certificate.as_ref()?;
        Some(Self {
            subject: &certificate.subject,
            issuer: &certificate.issuer,
            source_repository: certificate.extension(Extension::SourceRepositoryUri),
            source_ref: certificate.extension(Extension::SourceRepositoryRef),
            source_commit: certificate.extension(Extension::SourceRepositoryDigest),
            trigger: certificate.extension(Extension::BuildTrigger),
            runner_environment: certificate.extension(Extension::RunnerEnvironment),
        })
    }
}
