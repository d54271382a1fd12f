//! Who wrote a commit, and what speaks against it.

use serde::{Serialize, Serializer};

use super::object::as_hex;
use super::{Commit, CommitSigner, CommitTrust, Ident, verify};
use crate::artifact::ResourceDescriptor;
use crate::digest::{Digest, DigestSet};
use crate::error::{ErrorKind, Result};
use crate::json::Value;
use crate::timestamp::Timestamp;

/// Who wrote a commit: what it says itself, who signed it, and what does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorship {
    id: Digest,
    tree: Digest,
    author: Ident,
    committer: Ident,
    co_authors: Vec<Ident>,
    signer: Option<CommitSigner>,
    doubts: Vec<Doubt>,
}

/// A reason not to take a commit for the work of the author it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Doubt {
    /// What it is.
    pub kind: DoubtKind,
    /// The code of the error, if its signature was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The same in words.
    pub message: String,
}

/// Kinds of [`Doubt`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DoubtKind {
    /// There is no signature: anybody may have written it.
    Unsigned,
    /// The key is not among the trusted ones.
    UnknownSigner,
    /// The signature is not good, or the key was not valid.
    SignatureRefused,
    /// Who made the object is not who signed it.
    OtherCommitter,
    /// The author is not who signed it: they have the signer's word alone.
    OtherAuthor,
    /// A co-author is named in a way that can't be read.
    UnreadableCoAuthor,
}

impl DoubtKind {
    /// Stable name, upper-case with underscores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unsigned => "UNSIGNED",
            Self::UnknownSigner => "UNKNOWN_SIGNER",
            Self::SignatureRefused => "SIGNATURE_REFUSED",
            Self::OtherCommitter => "OTHER_COMMITTER",
            Self::OtherAuthor => "OTHER_AUTHOR",
            Self::UnreadableCoAuthor => "UNREADABLE_CO_AUTHOR",
        }
    }
}

impl Serialize for DoubtKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Serialize for Authorship {
    /// All that it says, with `writers`; `signer` is null if there is none.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            #[serde(serialize_with = "as_hex")]
            commit: &'a Digest,
            #[serde(serialize_with = "as_hex")]
            tree: &'a Digest,
            author: &'a Ident,
            committer: &'a Ident,
            co_authors: &'a [Ident],
            writers: Vec<Ident>,
            signer: Option<&'a CommitSigner>,
            doubts: &'a [Doubt],
        }
        let (author, committer) = (&self.author, &self.committer);
        let (co_authors, signer, doubts) = (self.co_authors.as_slice(), self.signer(), self.doubts());
        let (commit, tree, writers) = (&self.id, &self.tree, self.writers());
        Wire { commit, tree, author, committer, co_authors, writers, signer, doubts }.serialize(serializer)
    }
}

impl Authorship {
    /// Verifies the commit against `trust`, and compares the signer with those it names.
    ///
    /// A signature that a forge made in its own name vouches for author and committer. A refused one says nothing about
    /// them; why it was refused is told in [`Authorship::doubts`].
    pub fn of(commit: &Commit, trust: &CommitTrust, now: Timestamp) -> Self {
        let mut doubts = Vec::new();
        let signer = match verify(commit, trust, now) {
            Ok(verified) => Some(verified.signer().clone()),
            Err(e) => {
                let kind = match e.kind() {
                    _ if !commit.is_signed() => DoubtKind::Unsigned,
                    ErrorKind::UntrustedSigner => DoubtKind::UnknownSigner,
                    _ => DoubtKind::SignatureRefused,
                };
                doubts.push(Doubt { kind, code: Some(e.code()), message: e.message().to_owned() });
                None
            }
        };
        if let Some(signer) = &signer {
            for (kind, who, role) in [
                (DoubtKind::OtherCommitter, commit.committer(), "committer"),
                (DoubtKind::OtherAuthor, commit.author(), "author"),
            ] {
                if !signer.vouches_for(&who.email) {
                    let message = format!(
                        "the {role} is `{}`, and the key `{}` is that of `{}`",
                        who.email,
                        signer.key,
                        signer.principals.join(",")
                    );
                    doubts.push(Doubt { kind, code: None, message });
                }
            }
        }
        let mut co_authors = Vec::new();
        for named in commit.co_authors() {
            match named {
                Ok(who) => co_authors.push(who),
                Err(text) => doubts.push(Doubt {
                    kind: DoubtKind::UnreadableCoAuthor,
                    code: None,
                    message: format!("`{}` names no co-author as `Name <address>`", text.escape_debug()),
                }),
            }
        }
        Self {
            id: commit.id().clone(),
            tree: commit.tree().clone(),
            author: commit.author().clone(),
            committer: commit.committer().clone(),
            co_authors,
            signer,
            doubts,
        }
    }

    /// The commit.
    pub fn id(&self) -> &Digest {
        &self.id
    }

    /// Its tree.
    pub fn tree(&self) -> &Digest {
        &self.tree
    }

    /// Who it says wrote it.
    pub fn author(&self) -> &Ident {
        &self.author
    }

    /// Who it says made the object.
    pub fn committer(&self) -> &Ident {
        &self.committer
    }

    /// Who signed it, if the signature was good.
    pub fn signer(&self) -> Option<&CommitSigner> {
        self.signer.as_ref()
    }

    /// What speaks against it. Empty, the author is known.
    pub fn doubts(&self) -> &[Doubt] {
        &self.doubts
    }

    /// Whether a trusted signature stands behind all that it says of who made it.
    pub fn is_clear(&self) -> bool {
        self.doubts.is_empty()
    }

    /// Everyone who may have written a part: author, committer, co-authors, and the signer if they are none of them, each
    /// address once. A forge that signs in its own name is no person, so a committer that is not the author is left out
    /// then.
    pub fn writers(&self) -> Vec<Ident> {
        let person = self.signer.as_ref().filter(|s| s.forge.is_none());
        let committer = (person.is_some() || self.signer.is_none()).then_some(&self.committer);
        let named = std::iter::once(&self.author).chain(committer).chain(&self.co_authors).cloned();
        let stranger = person.filter(|s| !s.vouches_for(&self.committer.email));
        let addresses = stranger.into_iter().flat_map(|s| &s.principals);
        let is_address = |text: &str| text.contains('@') && !text.contains(['*', '?', '!', ' ']);
        let signer = addresses.filter(|a| is_address(a)).map(|a| Ident { name: a.clone(), email: a.clone() });
        let mut writers: Vec<Ident> = Vec::new();
        for who in named.chain(signer) {
            if !writers.iter().any(|w| w.is_same_address(&who)) {
                writers.push(who);
            }
        }
        writers
    }

    /// The commit as a subject of a statement: its ids, and in the annotations who wrote it, who signed it, and what is
    /// doubtful. The annotations are for people; decisions are made by the authors of a change request.
    ///
    /// # Errors
    /// `INTERNAL` if it has no JSON form.
    pub fn descriptor(&self, repository: &str) -> Result<ResourceDescriptor> {
        let digests = DigestSet::new([self.id.clone(), self.tree.clone()])?;
        let mut descriptor = ResourceDescriptor::of(digests).with_uri(repository);
        let mut notes = serde_json::Map::new();
        notes.insert("author".to_owned(), self.author.to_string().into());
        if !self.committer.is_same_address(&self.author) {
            notes.insert("committer".to_owned(), self.committer.to_string().into());
        }
        if !self.co_authors.is_empty() {
            let names = self.co_authors.iter().map(|who| Value::from(who.to_string()));
            notes.insert("coAuthors".to_owned(), names.collect());
        }
        if let Some(signer) = &self.signer {
            let value = serde_json::to_value(signer).map_err(|e| {
                crate::error::Error::new(ErrorKind::Internal, "a commit's signer has no JSON form").caused_by(e)
            })?;
            notes.insert("signer".to_owned(), value);
        }
        if !self.doubts.is_empty() {
            let names = self.doubts.iter().map(|d| Value::from(d.kind.name()));
            notes.insert("doubts".to_owned(), names.collect());
        }
        descriptor.annotations = Some(notes);
        Ok(descriptor)
    }
}
