//! Raw Git objects: commits and annotated tags, split into what was signed and the signature over it.
//!
//! Read as `git fsck` would have them, and stricter: each header once and in its place, so that two readers can't see two
//! commits in the same bytes. The format is that of Git's `Documentation/gitformat-signature` and `commit.c`.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

use serde::{Serialize, Serializer};

use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::timestamp::Timestamp;

/// A person as Git names them: words of whoever wrote the commit, until a signature vouches for the address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Ident {
    /// The name; bytes that are not UTF-8 are replaced.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// A commit object with the id it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Commit {
    #[serde(rename = "commit", serialize_with = "as_hex")]
    id: Digest,
    #[serde(serialize_with = "as_hex")]
    tree: Digest,
    #[serde(serialize_with = "all_as_hex")]
    parents: Vec<Digest>,
    author: Ident,
    authored_at: Timestamp,
    committer: Ident,
    committed_at: Timestamp,
    message: String,
    #[serde(skip)]
    merged_tags: Vec<Vec<u8>>,
    #[serde(skip)]
    signed: Option<Signed>,
}

/// An annotated tag of a commit, with the id it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tag {
    #[serde(rename = "tag")]
    id: String,
    #[serde(serialize_with = "as_hex")]
    target: Digest,
    name: String,
    tagger: Ident,
    tagged_at: Timestamp,
    #[serde(skip)]
    signed: Option<Signed>,
}

/// What was signed, and the signature as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) payload: Vec<u8>,
    pub(super) signature: String,
}

/// An id as Git writes it.
pub(super) fn as_hex<S: Serializer>(id: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&id.hex())
}

fn all_as_hex<S: Serializer>(ids: &[Digest], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(Digest::hex))
}

impl Commit {
    /// Reads the object that `git cat-file commit` prints, and checks that it is the commit `id`.
    ///
    /// In most repositories ids are SHA-1, of which collisions can be made and are not looked for here. A signature covers
    /// the commit by a better hash, and its tree and parents by their ids alone.
    ///
    /// # Errors
    /// `MALFORMED` if it is no commit, `LIMIT_EXCEEDED` if it is too long, `DIGEST_MISMATCH` if it has another id.
    pub fn parse(raw: &[u8], id: &Digest) -> Result<Self> {
        let mut fields = Fields::split("commit", raw)?;
        let tree = fields.id("tree", Algorithm::GitTree)?;
        let format = Format::of(&tree);
        let mut parents = Vec::new();
        while fields.next_is("parent") {
            parents.push(fields.id("parent", Algorithm::GitCommit)?);
        }
        if parents.iter().any(|p| p.bytes().len() != tree.bytes().len()) {
            return Err(malformed("commit", "ids of two object formats"));
        }
        let (author, authored_at) = fields.ident("author")?;
        let (committer, committed_at) = fields.ident("committer")?;
        let merged_tags = fields.take_all("mergetag");
        let signed = fields.signed(format)?;
        let found = Digest::new(Algorithm::GitCommit, format.id("commit", raw))?;
        demand(&found.hex(), &id.hex())?;
        let message = String::from_utf8_lossy(fields.message).into_owned();
        Ok(Self {
            id: found,
            tree,
            parents,
            author,
            authored_at,
            committer,
            committed_at,
            message,
            merged_tags,
            signed,
        })
    }

    /// The id, computed from the object.
    pub fn id(&self) -> &Digest {
        &self.id
    }

    /// The tree it stands for.
    pub fn tree(&self) -> &Digest {
        &self.tree
    }

    /// The commits it follows.
    pub fn parents(&self) -> &[Digest] {
        &self.parents
    }

    /// Who is said to have written it.
    pub fn author(&self) -> &Ident {
        &self.author
    }

    /// When it is said to have been written.
    pub fn authored_at(&self) -> Timestamp {
        self.authored_at
    }

    /// Who is said to have made the object; with a signature, the one who signs.
    pub fn committer(&self) -> &Ident {
        &self.committer
    }

    /// When the object is said to have been made.
    pub fn committed_at(&self) -> Timestamp {
        self.committed_at
    }

    /// The message; bytes that are not UTF-8 are replaced.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Signed tags that were merged, as raw tag objects; see [`Tag::parse`].
    pub fn merged_tags(&self) -> &[Vec<u8>] {
        &self.merged_tags
    }

    /// Whether there is a signature at all. Whether it is good, [`verify`](super::verify) says.
    pub fn is_signed(&self) -> bool {
        self.signed.is_some()
    }

    /// Those named by `Co-authored-by:` lines anywhere in the message; a line that names nobody in Git's form is given as
    /// it stands.
    pub fn co_authors(&self) -> impl Iterator<Item = std::result::Result<Ident, &str>> + '_ {
        self.message.lines().filter_map(|line| {
            let (key, value) = line.split_once(':')?;
            let is_one = key.trim().eq_ignore_ascii_case("co-authored-by");
            is_one.then(|| Ident::parse(value.trim()).ok_or(value.trim()))
        })
    }

    pub(super) fn signed(&self) -> Option<&Signed> {
        self.signed.as_ref()
    }
}

impl Tag {
    /// Reads the object that `git cat-file tag` prints, and checks that it is the tag object `id` (hex).
    ///
    /// # Errors
    /// `MALFORMED` if it is no tag, `UNSUPPORTED` if it is one of something else than a commit, `LIMIT_EXCEEDED` if it is
    /// too long, `DIGEST_MISMATCH` if it has another id.
    pub fn parse(raw: &[u8], id: &str) -> Result<Self> {
        let mut fields = Fields::split("tag", raw)?;
        let target = fields.id("object", Algorithm::GitCommit)?;
        let kind = fields.text("type")?;
        if kind != "commit" {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the tag is of a `{}`; only tags of commits are read", kind.escape_debug()),
            ));
        }
        let name = fields.text("tag")?;
        let (tagger, tagged_at) = fields.ident("tagger")?;
        let format = Format::of(&target);
        fields.take_signature_headers()?;
        fields.nothing_left()?;
        let signed = fields.signed_below()?;
        let found = hex::encode(format.id("tag", raw));
        demand(&found, id)?;
        Ok(Self { id: found, target, name, tagger, tagged_at, signed })
    }

    /// The id of the tag object, hex, computed from the object.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The commit it points to.
    pub fn target(&self) -> &Digest {
        &self.target
    }

    /// The name inside the object, which the signature covers; the name of the reference it does not.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who is said to have made it.
    pub fn tagger(&self) -> &Ident {
        &self.tagger
    }

    /// When it is said to have been made.
    pub fn tagged_at(&self) -> Timestamp {
        self.tagged_at
    }

    /// Whether there is a signature at all. Whether it is good, [`verify_tag`](super::verify_tag) says.
    pub fn is_signed(&self) -> bool {
        self.signed.is_some()
    }

    pub(super) fn signed(&self) -> Option<&Signed> {
        self.signed.as_ref()
    }
}

impl Ident {
    /// `Name <address>`, as Git writes it.
    fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('<')?;
        let email = rest.strip_suffix('>')?;
        let whole = !email.is_empty() && !email.contains(['<', '>', ' ']) && !name.contains('>');
        whole.then(|| Self { name: name.trim().to_owned(), email: email.to_owned() })
    }

    /// Whether both have the same address, in whatever case it is written.
    pub fn is_same_address(&self, other: &Self) -> bool {
        self.email.to_lowercase() == other.email.to_lowercase()
    }
}

impl std::fmt::Display for Ident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} <{}>", self.name, self.email)
    }
}

/// The hash that names the objects of a repository.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Sha1,
    Sha256,
}

impl Format {
    fn of(id: &Digest) -> Self {
        if id.bytes().len() == 20 { Self::Sha1 } else { Self::Sha256 }
    }

    fn id(self, kind: &str, raw: &[u8]) -> Vec<u8> {
        let object = [format!("{kind} {}\0", raw.len()).as_bytes(), raw].concat();
        let algorithm = match self {
            Self::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &SHA256,
        };
        digest(algorithm, &object).as_ref().to_vec()
    }

    /// The header that holds the signature over a commit of this format.
    fn signature_header(self) -> &'static str {
        match self {
            Self::Sha1 => "gpgsig",
            Self::Sha256 => "gpgsig-sha256",
        }
    }
}

/// Headers that hold signatures, which no signature covers.
const SIGNATURE_HEADERS: [&str; 2] = ["gpgsig", "gpgsig-sha256"];

/// The first lines of the signatures Git knows.
const SIGNATURES: [&[u8]; 4] = [
    b"-----BEGIN PGP SIGNATURE-----",
    b"-----BEGIN PGP MESSAGE-----",
    b"-----BEGIN SSH SIGNATURE-----",
    b"-----BEGIN SIGNED MESSAGE-----",
];

/// An object as headers, each with the bytes it stands in, and a message.
struct Fields<'a> {
    kind: &'static str,
    headers: std::vec::IntoIter<Header<'a>>,
    /// Everything but the signature headers.
    payload: Vec<u8>,
    signatures: Vec<(&'static str, String)>,
    message: &'a [u8],
}

struct Header<'a> {
    name: &'a str,
    /// With the line breaks inside, and without the blanks that continue a line.
    value: Vec<u8>,
    lines: &'a [u8],
}

impl<'a> Fields<'a> {
    fn split(kind: &'static str, raw: &'a [u8]) -> Result<Self> {
        if raw.len() > limits::COMMIT_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the {kind} is longer than {} bytes; it can't be read", limits::COMMIT_BYTES),
            ));
        }
        let mut headers: Vec<Header<'a>> = Vec::new();
        let mut rest = raw;
        loop {
            let end = rest.iter().position(|b| *b == b'\n').ok_or_else(|| malformed(kind, "no message"))?;
            let (line, below) = rest.split_at(end);
            let below = below.get(1..).unwrap_or_default();
            if line.is_empty() {
                rest = below;
                break;
            }
            if line.contains(&0) {
                return Err(malformed(kind, "a NUL in a header"));
            }
            let lines = rest.get(..=end).unwrap_or_default();
            if let Some(more) = line.strip_prefix(b" ") {
                let last = headers.last_mut().ok_or_else(|| malformed(kind, "a first line that continues nothing"))?;
                last.value.push(b'\n');
                last.value.extend_from_slice(more);
                let begun = raw.len() - rest.len() - last.lines.len();
                last.lines = raw.get(begun..raw.len() - below.len()).unwrap_or_default();
            } else {
                let space = line.iter().position(|b| *b == b' ');
                let (name, value) = line.split_at(space.ok_or_else(|| malformed(kind, "a header without a value"))?);
                let name = std::str::from_utf8(name).map_err(|_| malformed(kind, "a header that is not UTF-8"))?;
                headers.push(Header { name, value: value.get(1..).unwrap_or_default().to_vec(), lines });
            }
            rest = below;
        }
        Self::without_signatures(kind, headers, rest)
    }

    fn without_signatures(kind: &'static str, headers: Vec<Header<'a>>, message: &'a [u8]) -> Result<Self> {
        let mut payload = Vec::new();
        let mut signatures = Vec::new();
        let mut kept = Vec::new();
        for header in headers {
            if let Some(name) = SIGNATURE_HEADERS.into_iter().find(|n| *n == header.name) {
                let text =
                    String::from_utf8(header.value).map_err(|_| malformed(kind, "a signature that is no text"))?;
                signatures.push((name, text));
            } else if header.name.starts_with("gpgsig") {
                // Git leaves these out of what it verifies, so anything could stand there unseen
                return Err(malformed(kind, "a signature header that Git does not write"));
            } else {
                payload.extend_from_slice(header.lines);
                kept.push(header);
            }
        }
        payload.push(b'\n');
        payload.extend_from_slice(message);
        Ok(Self { kind, headers: kept.into_iter(), payload, signatures, message })
    }

    fn next_is(&self, name: &str) -> bool {
        self.headers.as_slice().first().is_some_and(|h| h.name == name)
    }

    fn text(&mut self, name: &str) -> Result<String> {
        let header = self.headers.next().filter(|h| h.name == name);
        let header = header.ok_or_else(|| malformed(self.kind, &format!("no `{name}` where it must stand")))?;
        if header.value.contains(&b'\n') {
            return Err(malformed(self.kind, &format!("a `{name}` of several lines")));
        }
        String::from_utf8(header.value).map_err(|_| malformed(self.kind, &format!("a `{name}` that is not UTF-8")))
    }

    fn id(&mut self, name: &str, algorithm: Algorithm) -> Result<Digest> {
        let text = self.text(name)?;
        Digest::from_hex(algorithm, &text).map_err(|e| e.while_doing(format_args!("the `{name}` of a {}", self.kind)))
    }

    fn ident(&mut self, name: &str) -> Result<(Ident, Timestamp)> {
        let odd = || malformed(self.kind, &format!("a `{name}` that is not `Name <address> seconds zone`"));
        let header = self.headers.as_slice().first().filter(|h| h.name == name).ok_or_else(odd)?;
        let split = header.value.iter().position(|b| *b == b'<').ok_or_else(odd)?;
        let (who, rest) = header.value.split_at(split);
        // names of old commits are in any encoding; addresses, by which people are told apart, are not
        let rest = std::str::from_utf8(rest).map_err(|_| odd())?;
        let (address, when) = rest.rsplit_once("> ").ok_or_else(odd)?;
        let who = format!("{}{address}>", String::from_utf8_lossy(who));
        let who = Ident::parse(&who).filter(|_| !who.contains('\n')).ok_or_else(odd)?;
        let (seconds, zone) = when.split_once(' ').ok_or_else(odd)?;
        let is_zone =
            zone.len() == 5 && zone.starts_with(['+', '-']) && zone.bytes().skip(1).all(|b| b.is_ascii_digit());
        let is_time = seconds.bytes().all(|b| b.is_ascii_digit()) && (seconds == "0" || !seconds.starts_with('0'));
        let millis = seconds.parse::<i64>().ok().and_then(|s| s.checked_mul(1000)).filter(|_| is_zone && is_time);
        let at = Timestamp::from_unix_millis(millis.ok_or_else(odd)?)?;
        self.headers.next();
        Ok((who, at))
    }

    /// All headers of this name, of what is left; the others must be ones that stand once.
    fn take_all(&mut self, name: &str) -> Vec<Vec<u8>> {
        let all = self.headers.as_slice().iter().filter(|h| h.name == name);
        // the object in the header ends with a line break, which the header leaves out
        all.map(|h| [h.value.as_slice(), b"\n"].concat()).collect()
    }

    fn signed(&mut self, format: Format) -> Result<Option<Signed>> {
        for header in self.headers.as_slice() {
            if ["tree", "parent", "author", "committer"].contains(&header.name) {
                return Err(malformed(self.kind, &format!("a second or misplaced `{}`", header.name)));
            }
        }
        self.take_signature_headers()?;
        let own = self.signatures.iter().find(|(name, _)| *name == format.signature_header());
        let Some((_, signature)) = own else { return Ok(None) };
        check_length(signature)?;
        Ok(Some(Signed { payload: std::mem::take(&mut self.payload), signature: signature.clone() }))
    }

    fn take_signature_headers(&self) -> Result<()> {
        let mut names: Vec<_> = self.signatures.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < self.signatures.len() {
            return Err(malformed(self.kind, "two signatures in place of one"));
        }
        Ok(())
    }

    fn nothing_left(&self) -> Result<()> {
        match self.headers.as_slice().first() {
            Some(header) => Err(malformed(self.kind, &format!("an unknown header `{}`", header.name.escape_debug()))),
            None => Ok(()),
        }
    }

    /// A tag's signature stands below its message.
    fn signed_below(&mut self) -> Result<Option<Signed>> {
        let starts = line_starts(&self.payload);
        let is_signature = |at: &usize| {
            let rest = self.payload.get(*at..).unwrap_or_default();
            SIGNATURES.iter().any(|begin| rest.starts_with(begin))
        };
        let found: Vec<usize> = starts.filter(is_signature).collect();
        let [at] = found.as_slice() else {
            return if found.is_empty() { Ok(None) } else { Err(malformed("tag", "two signatures in place of one")) };
        };
        let mut payload = std::mem::take(&mut self.payload);
        let signature = payload.split_off(*at);
        let signature = String::from_utf8(signature).map_err(|_| malformed("tag", "a signature that is no text"))?;
        check_length(&signature)?;
        Ok(Some(Signed { payload, signature }))
    }
}

fn line_starts(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let after_breaks = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(after_breaks)
}

fn check_length(signature: &str) -> Result<()> {
    if signature.len() > limits::COMMIT_SIGNATURE_BYTES {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("the signature is longer than {} bytes; it can't be read", limits::COMMIT_SIGNATURE_BYTES),
        ));
    }
    Ok(())
}

fn demand(found: &str, expected: &str) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::DigestMismatch,
        format!(
            "expected the Git object `{}`, found `{found}`; read it with `git --no-replace-objects cat-file`, unchanged",
            expected.escape_debug()
        ),
    )
    .with("expected", expected)
    .with("found", found))
}

fn malformed(kind: &str, found: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("expected a Git {kind} object, found {found}; give it as `git cat-file {kind}` prints it"),
    )
}
