//! One error type for the whole library, with one stable code per kind.
//!
//! A code is the same string in Rust ([`ErrorKind::code`]), Python (`.code`), Node (`err.code`), on the
//! command line and in `fixtures/`. This module imports no sibling, so that every other module may use it.

use std::fmt;

/// What went wrong, as a caller can act on it.
///
/// New kinds may be added in a minor version; the code of a kind never changes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    // --- the input ---
    /// The input is not what its format demands.
    Malformed,
    /// The input is larger, deeper or longer than [`crate::limits`] allows.
    LimitExceeded,
    /// A well-formed input in a version, algorithm or type this library does not speak.
    Unsupported,
    /// A file or a named thing that must exist does not.
    NotFound,
    /// A thing that must be new exists already.
    AlreadyExists,
    /// The call contradicts itself or leaves out what it must say.
    ApiMisuse,
    /// What is to be signed holds a secret, or data of people.
    RegulatedData,
    // --- verification ---
    /// No demanded signature is valid over the bytes.
    BadSignature,
    /// A digest differs from the one demanded.
    DigestMismatch,
    /// The signing certificate does not chain to a trusted authority at the time of signing.
    UntrustedCertificate,
    /// No trusted certificate transparency log vouches for the signing certificate.
    BadSct,
    /// An entry of a transparency log is missing, not proven, or about something else.
    BadLogEntry,
    /// The checkpoint of a transparency log is not signed as demanded, or commits to another tree.
    BadCheckpoint,
    /// A signed timestamp is missing, not valid, or about something else.
    BadTimestamp,
    /// The signer is not among those demanded or trusted.
    UntrustedSigner,
    /// A trusted signer said something the trust policy does not let it say.
    NotEntitled,
    /// The key, certificate or statement is past its validity.
    Expired,
    /// The key, certificate or statement is not valid yet.
    NotYetValid,
    /// The statement is of another predicate type than demanded.
    WrongType,
    /// What was signed is genuine, and is not what was demanded of its content.
    ExpectationUnmet,
    /// A layout asks for a command to be run, which is never done.
    InspectionRefused,
    /// The signer or the record was revoked.
    Revoked,
    /// The trust policy is not the pinned one, or does not follow its predecessor.
    TrustPolicyRefused,
    /// A pack does not hold what its manifest says, or holds more.
    PackTampered,
    // --- keys ---
    /// An encrypted key was opened with a wrong passphrase, or with none.
    WrongPassphrase,
    /// What is encrypted was opened with another key than its own, or with none.
    WrongKey,
    /// The token, service or command that holds the key did not sign.
    SignerFailed,
    // --- the ledger ---
    /// The ledger is smaller than a checkpoint seen before.
    LedgerRolledBack,
    /// The ledger contradicts a checkpoint seen before.
    LedgerForked,
    /// Bytes of the ledger are not those its checkpoint commits to.
    LedgerTampered,
    /// An entry of the ledger has no body, and no disposal says why.
    BodyLost,
    /// The body of an entry lies in an archive that was not named.
    BodyArchived,
    /// The body of an entry was disposed of, as a record of the ledger says.
    BodyDisposed,
    /// Another process holds the ledger for longer than the caller would wait.
    LedgerBusy,
    /// The ledger refuses the record: a rule of appending is broken.
    AppendRefused,
    /// A permit was spent before, came too late, or is for something else.
    PermitRefused,
    // --- decisions ---
    /// The policy refuses.
    PolicyDenied,
    /// The policy could not decide, which is a refusal with another cause.
    PolicyUndecided,
    // --- the machine ---
    /// The operating system refused access.
    PermissionDenied,
    /// The disk is full.
    StorageFull,
    /// Another failure of reading or writing.
    Io,
    /// A service could not be reached or answered wrongly.
    ServiceUnavailable,
    /// A fault of this library.
    Internal,
}

/// What a caller does next, coarser than [`ErrorKind`]; the bindings name their error classes after it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Correct the input or the call.
    InvalidInput,
    /// Do not use what was to be verified.
    VerificationFailed,
    /// Meet the policy, then ask again.
    PolicyDenied,
    /// Look after the ledger.
    LedgerError,
    /// Try again, or look after the machine or the service.
    ServiceUnavailable,
}

impl ErrorKind {
    /// Every kind, in the order of declaration.
    pub const ALL: &'static [Self] = &[
        Self::Malformed,
        Self::LimitExceeded,
        Self::Unsupported,
        Self::NotFound,
        Self::AlreadyExists,
        Self::ApiMisuse,
        Self::RegulatedData,
        Self::BadSignature,
        Self::DigestMismatch,
        Self::UntrustedCertificate,
        Self::BadSct,
        Self::BadLogEntry,
        Self::BadCheckpoint,
        Self::BadTimestamp,
        Self::UntrustedSigner,
        Self::NotEntitled,
        Self::Expired,
        Self::NotYetValid,
        Self::WrongType,
        Self::ExpectationUnmet,
        Self::InspectionRefused,
        Self::Revoked,
        Self::TrustPolicyRefused,
        Self::PackTampered,
        Self::WrongPassphrase,
        Self::WrongKey,
        Self::SignerFailed,
        Self::LedgerRolledBack,
        Self::LedgerForked,
        Self::LedgerTampered,
        Self::BodyLost,
        Self::BodyArchived,
        Self::BodyDisposed,
        Self::LedgerBusy,
        Self::AppendRefused,
        Self::PermitRefused,
        Self::PolicyDenied,
        Self::PolicyUndecided,
        Self::PermissionDenied,
        Self::StorageFull,
        Self::Io,
        Self::ServiceUnavailable,
        Self::Internal,
    ];

    /// The stable code, upper-case with underscores.
    ///
    /// ```
    /// assert_eq!(sealwright::ErrorKind::BadSignature.code(), "BAD_SIGNATURE");
    /// ```
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "MALFORMED",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::Unsupported => "UNSUPPORTED",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::ApiMisuse => "API_MISUSE",
            Self::RegulatedData => "REGULATED_DATA",
            Self::BadSignature => "BAD_SIGNATURE",
            Self::DigestMismatch => "DIGEST_MISMATCH",
            Self::UntrustedCertificate => "UNTRUSTED_CERTIFICATE",
            Self::BadSct => "BAD_SCT",
            Self::BadLogEntry => "BAD_LOG_ENTRY",
            Self::BadCheckpoint => "BAD_CHECKPOINT",
            Self::BadTimestamp => "BAD_TIMESTAMP",
            Self::UntrustedSigner => "UNTRUSTED_SIGNER",
            Self::NotEntitled => "NOT_ENTITLED",
            Self::Expired => "EXPIRED",
            Self::NotYetValid => "NOT_YET_VALID",
            Self::WrongType => "WRONG_TYPE",
            Self::ExpectationUnmet => "EXPECTATION_UNMET",
            Self::InspectionRefused => "INSPECTION_REFUSED",
            Self::Revoked => "REVOKED",
            Self::TrustPolicyRefused => "TRUST_POLICY_REFUSED",
            Self::PackTampered => "PACK_TAMPERED",
            Self::WrongPassphrase => "WRONG_PASSPHRASE",
            Self::WrongKey => "WRONG_KEY",
            Self::SignerFailed => "SIGNER_FAILED",
            Self::LedgerRolledBack => "LEDGER_ROLLED_BACK",
            Self::LedgerForked => "LEDGER_FORKED",
            Self::LedgerTampered => "LEDGER_TAMPERED",
            Self::BodyLost => "BODY_LOST",
            Self::BodyArchived => "BODY_ARCHIVED",
            Self::BodyDisposed => "BODY_DISPOSED",
            Self::LedgerBusy => "LEDGER_BUSY",
            Self::AppendRefused => "APPEND_REFUSED",
            Self::PermitRefused => "PERMIT_REFUSED",
            Self::PolicyDenied => "POLICY_DENIED",
            Self::PolicyUndecided => "POLICY_UNDECIDED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::StorageFull => "STORAGE_FULL",
            Self::Io => "IO",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// What the caller does next.
    pub const fn class(self) -> ErrorClass {
        match self {
            Self::Malformed
            | Self::LimitExceeded
            | Self::Unsupported
            | Self::NotFound
            | Self::AlreadyExists
            | Self::ApiMisuse
            | Self::RegulatedData
            | Self::WrongPassphrase
            | Self::WrongKey => ErrorClass::InvalidInput,
            Self::BadSignature
            | Self::DigestMismatch
            | Self::UntrustedCertificate
            | Self::BadSct
            | Self::BadLogEntry
            | Self::BadCheckpoint
            | Self::BadTimestamp
            | Self::ExpectationUnmet
            | Self::InspectionRefused
            | Self::UntrustedSigner
            | Self::NotEntitled
            | Self::Expired
            | Self::NotYetValid
            | Self::WrongType
            | Self::Revoked
            | Self::TrustPolicyRefused
            | Self::PackTampered => ErrorClass::VerificationFailed,
            Self::PolicyDenied | Self::PolicyUndecided | Self::PermitRefused => ErrorClass::PolicyDenied,
            Self::LedgerRolledBack
            | Self::LedgerForked
            | Self::LedgerTampered
            | Self::BodyLost
            | Self::BodyArchived
            | Self::BodyDisposed
            | Self::LedgerBusy
            | Self::AppendRefused => ErrorClass::LedgerError,
            Self::SignerFailed
            | Self::PermissionDenied
            | Self::StorageFull
            | Self::Io
            | Self::ServiceUnavailable
            | Self::Internal => ErrorClass::ServiceUnavailable,
        }
    }

    /// Whether a command that ends with this kind was refused (exit 1) or could not be decided or done (exit 2).
    ///
    /// Only a verdict about evidence counts as a refusal; everything else is never a pass and never a verdict.
    pub const fn is_refusal(self) -> bool {
        matches!(self.class(), ErrorClass::VerificationFailed)
            || matches!(
                self,
                Self::PolicyDenied
                    | Self::PermitRefused
                    | Self::AppendRefused
                    | Self::LedgerRolledBack
                    | Self::LedgerForked
                    | Self::LedgerTampered
                    | Self::BodyLost
                    | Self::BodyDisposed
            )
    }
}

impl ErrorClass {
    /// The name the bindings give to the class.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidInput => "InvalidInput",
            Self::VerificationFailed => "VerificationFailed",
            Self::PolicyDenied => "PolicyDenied",
            Self::LedgerError => "LedgerError",
            Self::ServiceUnavailable => "ServiceUnavailable",
        }
    }
}

/// The library's only error: a kind, prose for people, and facts for programs.
///
/// The prose is lower-case, holds the input in backticks, says what was expected and found, and what to do.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Repr>);

/// Result with the library's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What was read, or none where there is none.
pub(crate) fn optional<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Repr {
    kind: ErrorKind,
    message: String,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` that says `message`.
    ///
    /// What stands in backticks is shortened to what a person reads, and control characters are taken out: inputs are
    /// quoted in messages, and messages are shown on terminals.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Repr { kind, message: presentable(&message.into()), context: Vec::new(), source: None }))
    }

    /// Adds a fact for programs, such as `("expected", "sha256:…")`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((name, value.to_string()));
        self
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Puts `prefix: ` before the message, to say what was being done.
    #[must_use]
    pub fn while_doing(mut self, prefix: impl fmt::Display) -> Self {
        self.0.message = format!("{prefix}: {}", self.0.message);
        self
    }

    /// The failure of the operating system to do `what` (such as "read") with `path`.
    pub fn io(what: &str, path: &std::path::Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Os;
        let (kind, hint) = match source.kind() {
            Os::NotFound => (ErrorKind::NotFound, "check the path"),
            Os::PermissionDenied | Os::ReadOnlyFilesystem => {
                (ErrorKind::PermissionDenied, "check who may read and write there")
            }
            Os::StorageFull | Os::QuotaExceeded => (ErrorKind::StorageFull, "free some space and run it again"),
            Os::NotADirectory => (ErrorKind::Malformed, "a file stands where a folder must be; name a folder"),
            Os::IsADirectory => (ErrorKind::Malformed, "a folder stands where a file must be; name a file"),
            _ => (ErrorKind::Io, "look at the disk and run it again"),
        };
        Self::new(kind, format!("could not {what} `{}`: {source}; {hint}", path.display()))
            .with("path", path.display())
            .caused_by(source)
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code of [`Error::kind`].
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// The prose alone.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The facts for programs, in the order they were added.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }
}

/// Longest quotation in a message, in characters.
const QUOTED: usize = 200;

fn presentable(message: &str) -> String {
    let mut out = String::with_capacity(message.len().min(1024));
    for (number, span) in message.split('`').enumerate() {
        if number > 0 {
            out.push('`');
        }
        let clean = |c: char| if c.is_control() && c != '\n' { '\u{fffd}' } else { c };
        let quoted = number % 2 == 1;
        if quoted && span.chars().nth(QUOTED).is_some() {
            out.extend(span.chars().take(QUOTED).map(clean));
            out.push('…');
        } else {
            out.extend(span.chars().map(clean));
        }
    }
    out
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.0.message)?;
        for (name, value) in &self.0.context {
            write!(f, " [{name}={value}]")?;
        }
        Ok(())
    }
}

/// What an error of another library says, with its causes, for it tells the real one last.
#[cfg(any(
    feature = "keyless",
    feature = "kms",
    feature = "object-store",
    feature = "oci",
    feature = "remote",
    feature = "witness"
))]
pub(crate) fn with_causes(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut cause = e.source();
    while let Some(e) = cause {
        text.push_str(": ");
        text.push_str(&e.to_string());
        cause = e.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_input_is_shortened_and_reaches_no_terminal_raw() {
        let input = format!("\u{1b}[31m{}", "x".repeat(100_000));
        let e = Error::new(ErrorKind::Malformed, format!("`{input}` is no digest; write `sha256:<hex>`"));
        assert!(e.message().len() < 300, "{}", e.message().len());
        assert!(!e.message().contains('\u{1b}') && e.message().ends_with("write `sha256:<hex>`"));
    }

    #[test]
    fn every_code_is_its_own() {
        let codes: std::collections::BTreeSet<_> = ErrorKind::ALL.iter().map(|k| k.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }
}
