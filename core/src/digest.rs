//! Digests and digest sets: of bytes, files and folders, with several algorithms in one pass.
//!
//! Names and encodings are those of the in-toto DigestSet (in-toto/attestation spec/v1/digest_set.md), plus
//! `uriSha256` for things without bytes (predicates section 1.7). Digests compare as bytes, never across algorithms.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// A digest algorithm this library knows by name.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256 over bytes.
    Sha256,
    /// SHA-384 over bytes.
    Sha384,
    /// SHA-512 over bytes.
    Sha512,
    /// A Git commit id (20 or 32 bytes).
    GitCommit,
    /// A Git tree id (20 or 32 bytes).
    GitTree,
    /// SHA-256 over the UTF-8 bytes of a URI, for things that have no bytes.
    UriSha256,
    /// Go's directory Hash1 over the files of a folder.
    DirHash1,
}

impl Algorithm {
    /// The name in a DigestSet.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::GitCommit => "gitCommit",
            Self::GitTree => "gitTree",
            Self::UriSha256 => "uriSha256",
            Self::DirHash1 => "dirHash1",
        }
    }

    /// Whether it is computed over the bytes of a thing.
    pub(crate) fn is_over_bytes(self) -> bool {
        matches!(self, Self::Sha256 | Self::Sha384 | Self::Sha512)
    }

    fn takes(self, length: usize) -> bool {
        match self {
            Self::Sha256 | Self::UriSha256 | Self::DirHash1 => length == 32,
            Self::Sha384 => length == 48,
            Self::Sha512 => length == 64,
            Self::GitCommit | Self::GitTree => length == 20 || length == 32,
        }
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        const ALL: [Algorithm; 7] = [
            Algorithm::Sha256,
            Algorithm::Sha384,
            Algorithm::Sha512,
            Algorithm::GitCommit,
            Algorithm::GitTree,
            Algorithm::UriSha256,
            Algorithm::DirHash1,
        ];
        ALL.into_iter().find(|a| a.name() == name).ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!("the digest algorithm `{}` is not known; use sha256, sha384 or sha512", name.escape_debug()),
            )
        })
    }
}

/// One digest: an algorithm and its bytes. Written `sha256:<lower-case hex>`.
///
/// ```
/// use sealwright::digest::Digest;
/// let digest = Digest::sha256(b"hello\n");
/// assert_eq!(digest.to_string().parse::<Digest>()?, digest);
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

impl Digest {
    /// A digest of `bytes` already computed.
    ///
    /// # Errors
    /// `MALFORMED` if the length is not that of the algorithm.
    pub fn new(algorithm: Algorithm, bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let bytes = bytes.into();
        if !algorithm.takes(bytes.len()) {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("a {} digest has another length than {} bytes; give it whole", algorithm.name(), bytes.len()),
            ));
        }
        Ok(Self { algorithm, bytes })
    }

    /// SHA-256 of `bytes`.
    pub fn sha256(bytes: &[u8]) -> Self {
        Self { algorithm: Algorithm::Sha256, bytes: Sha256::digest(bytes).to_vec() }
    }

    /// The digest of `bytes` by SHA-256, SHA-384 or SHA-512.
    ///
    /// # Errors
    /// `UNSUPPORTED` for an algorithm that is not over bytes.
    pub fn of_bytes(algorithm: Algorithm, bytes: &[u8]) -> Result<Self> {
        let mut hasher = Hasher::new(algorithm)?;
        hasher.update(bytes);
        Ok(hasher.finish())
    }

    /// The digest of bytes that lie in parts.
    pub(crate) fn of_parts(algorithm: Algorithm, parts: &[&[u8]]) -> Result<Self> {
        let mut hasher = Hasher::new(algorithm)?;
        parts.iter().for_each(|part| hasher.update(part));
        Ok(hasher.finish())
    }

    /// The digest of a thing without bytes, from its URI.
    pub fn of_uri(uri: &str) -> Self {
        Self { algorithm: Algorithm::UriSha256, bytes: Sha256::digest(uri.as_bytes()).to_vec() }
    }

    /// Reads lower-case hex, as it stands in a DigestSet.
    ///
    /// # Errors
    /// `MALFORMED` if it is no lower-case hex of the algorithm's length.
    pub fn from_hex(algorithm: Algorithm, text: &str) -> Result<Self> {
        let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match hex::decode(text) {
            Ok(bytes) if lower && algorithm.takes(bytes.len()) => Ok(Self { algorithm, bytes }),
            _ => Err(Error::new(
                ErrorKind::Malformed,
                format!("`{}` is no {} digest; expected its lower-case hex", text.escape_debug(), algorithm.name()),
            )),
        }
    }

    /// SHA-256 of a file, streamed.
    ///
    /// # Errors
    /// `NOT_FOUND`, `PERMISSION_DENIED` or `IO` if it can't be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let set = DigestSet::of_file(path, &[Algorithm::Sha256])?;
        set.get(Algorithm::Sha256).ok_or_else(|| Error::new(ErrorKind::Internal, "SHA-256 of a file was not computed"))
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest in lower-case hex, without the algorithm.
    pub fn hex(&self) -> String {
        hex::encode(&self.bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex())
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, hex) = text.split_once(':').ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                format!(
                    "`{}` is no digest; write it as `sha256:<hex>`, a tag or a name does not do",
                    text.escape_debug()
                ),
            )
        })?;
        Self::from_hex(name.parse()?, hex)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The in-toto DigestSet: digests of one thing, by algorithm name.
///
/// Digests of unknown algorithms are kept as they came and match nothing. Those of known ones are checked on
/// reading. A set is never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct DigestSet(BTreeMap<String, String>);

impl DigestSet {
    /// The set of these digests.
    ///
    /// # Errors
    /// `API_MISUSE` if there are none.
    pub fn new(digests: impl IntoIterator<Item = Digest>) -> Result<Self> {
        let map: BTreeMap<_, _> = digests.into_iter().map(|d| (d.algorithm.name().to_owned(), d.hex())).collect();
        if map.is_empty() {
            return Err(Error::new(ErrorKind::ApiMisuse, "a digest set holds no digest; give at least one"));
        }
        Ok(Self(map))
    }

    /// The digests of everything `reader` gives, in one pass.
    ///
    /// # Errors
    /// `IO` if reading fails, `UNSUPPORTED` for an algorithm that is not over bytes, `API_MISUSE` for none.
    pub fn of_reader(reader: &mut dyn Read, algorithms: &[Algorithm]) -> Result<Self> {
        let mut hashers = algorithms.iter().map(|&a| Hasher::new(a)).collect::<Result<Vec<_>>>()?;
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let n = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(Error::new(ErrorKind::Io, format!("could not read to the end: {e}")).caused_by(e)),
            };
            let chunk = buffer.get(..n).unwrap_or_default();
            hashers.iter_mut().for_each(|h| h.update(chunk));
        }
        Self::new(hashers.into_iter().map(Hasher::finish))
    }

    /// The digests of a file, in one pass.
    ///
    /// # Errors
    /// As [`DigestSet::of_reader`], and `NOT_FOUND` or `PERMISSION_DENIED`.
    pub fn of_file(path: &Path, algorithms: &[Algorithm]) -> Result<Self> {
        let mut file = limits::open_file("a file", path)?;
        Self::of_reader(&mut file, algorithms).map_err(|e| e.while_doing(format_args!("`{}`", path.display())))
    }

    /// The `dirHash1` of a folder: SHA-256 over the sorted lines `<sha256>  <path>` of its files.
    ///
    /// # Errors
    /// `MALFORMED` for a link, a special file or a name with a line break, `LIMIT_EXCEEDED` for too many files or
    /// too deep a folder, `NOT_FOUND`, `PERMISSION_DENIED` or `IO` if it can't be read.
    pub fn of_folder(path: &Path) -> Result<Self> {
        let mut lines = Sha256::new();
        for (name, file) in files_below(path)? {
            lines.update(format!("{}  {name}\n", Digest::of_file(&file)?.hex()));
        }
        Self::new([Digest { algorithm: Algorithm::DirHash1, bytes: lines.finalize().to_vec() }])
    }

    /// The digest of one algorithm.
    pub fn get(&self, algorithm: Algorithm) -> Option<Digest> {
        self.0.get(algorithm.name()).and_then(|hex| Digest::from_hex(algorithm, hex).ok())
    }

    /// All digests of known algorithms.
    pub fn known(&self) -> impl Iterator<Item = Digest> + '_ {
        self.0.iter().filter_map(|(name, hex)| Digest::from_hex(name.parse().ok()?, hex).ok())
    }

    /// Whether this set holds `digest`.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.0.get(digest.algorithm.name()).is_some_and(|hex| is_hex_of(hex, &digest.bytes))
    }

    /// Each algorithm name with its text, unknown ones too.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

/// Whether `text` is the lower-case hex of `bytes`.
fn is_hex_of(text: &str, bytes: &[u8]) -> bool {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
    text.len() == bytes.len() * 2
        && text.as_bytes().chunks_exact(2).zip(bytes).all(|(pair, byte)| *pair == [digit(byte >> 4), digit(byte & 15)])
}

impl From<Digest> for DigestSet {
    fn from(digest: Digest) -> Self {
        Self(BTreeMap::from([(digest.algorithm.name().to_owned(), digest.hex())]))
    }
}

impl<'de> Deserialize<'de> for DigestSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<String, String>::deserialize(deserializer)?;
        if map.is_empty() {
            return Err(serde::de::Error::custom("a digest set holds no digest"));
        }
        for (name, text) in &map {
            if let Ok(algorithm) = name.parse::<Algorithm>() {
                Digest::from_hex(algorithm, text).map_err(serde::de::Error::custom)?;
            }
        }
        Ok(Self(map))
    }
}

/// Every file below `root` with its path relative to it (`/` between parts), sorted by that path.
///
/// # Errors
/// As [`DigestSet::of_folder`].
pub(crate) fn files_below(root: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    let mut open = vec![(String::new(), root.to_path_buf(), 0)];
    while let Some((prefix, folder, depth)) = open.pop() {
        if depth > limits::FOLDER_DEPTH {
            return Err(folder_limit(root, format_args!("folders deeper than {}", limits::FOLDER_DEPTH)));
        }
        for entry in std::fs::read_dir(&folder).map_err(|e| Error::io("read folder", &folder, e))? {
            let entry = entry.map_err(|e| Error::io("read folder", &folder, e))?;
            let kind = entry.file_type().map_err(|e| Error::io("read", &entry.path(), e))?;
            let name = match entry.file_name().into_string() {
                Ok(name) if !name.contains('\n') => format!("{prefix}{name}"),
                _ => return Err(odd_file(&entry.path(), "a name that is not plain UTF-8")),
            };
            if kind.is_dir() {
                open.push((format!("{name}/"), entry.path(), depth + 1));
            } else if kind.is_file() {
                files.push((name, entry.path()));
            } else {
                return Err(odd_file(&entry.path(), "a link or a special file"));
            }
            if files.len() > limits::FOLDER_FILES {
                return Err(folder_limit(root, format_args!("more than {} files", limits::FOLDER_FILES)));
            }
        }
    }
    files.sort();
    Ok(files)
}

fn odd_file(path: &Path, what: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("`{}` is {what}; only plain files and folders can be hashed", path.display()),
    )
}

fn folder_limit(root: &Path, what: fmt::Arguments<'_>) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("`{}` holds {what}; name a smaller folder", root.display()))
}

pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Result<Self> {
        match algorithm {
            Algorithm::Sha256 => Ok(Self::Sha256(Sha256::new())),
            Algorithm::Sha384 => Ok(Self::Sha384(Sha384::new())),
            Algorithm::Sha512 => Ok(Self::Sha512(Sha512::new())),
            other => Err(Error::new(
                ErrorKind::Unsupported,
                format!("`{}` is not computed over the bytes of a file; use sha256, sha384 or sha512", other.name()),
            )),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(h) => h.update(bytes),
            Self::Sha384(h) => h.update(bytes),
            Self::Sha512(h) => h.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Sha256(h) => Digest { algorithm: Algorithm::Sha256, bytes: h.finalize().to_vec() },
            Self::Sha384(h) => Digest { algorithm: Algorithm::Sha384, bytes: h.finalize().to_vec() },
            Self::Sha512(h) => Digest { algorithm: Algorithm::Sha512, bytes: h.finalize().to_vec() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_algorithms_in_one_pass_equal_each_alone() {
        let data = vec![7u8; 300_000];
        let all = [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512];
        let together = DigestSet::of_reader(&mut &data[..], &all).unwrap();
        for algorithm in all {
            let alone = DigestSet::of_reader(&mut &data[..], &[algorithm]).unwrap();
            assert_eq!(together.get(algorithm), alone.get(algorithm));
        }
    }

    #[test]
    fn a_folder_hashes_like_gos_directory_hash1() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("b")).unwrap();
        std::fs::write(dir.path().join("a.txt"), "one\n").unwrap();
        std::fs::write(dir.path().join("b/c"), "two\n").unwrap();
        // by hand: sha256sum a.txt b/c | sha256sum
        let lines = format!("{}  a.txt\n{}  b/c\n", Digest::sha256(b"one\n").hex(), Digest::sha256(b"two\n").hex());
        let got = DigestSet::of_folder(dir.path()).unwrap().get(Algorithm::DirHash1).unwrap();
        assert_eq!(got.bytes(), Digest::sha256(lines.as_bytes()).bytes());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_a_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("p")).unwrap();
        assert_eq!(DigestSet::of_folder(dir.path()).unwrap_err().code(), "MALFORMED");
    }

    #[test]
    fn tags_names_and_half_digests_are_refused() {
        for bad in
            ["latest", "v1", "sha256:", "sha256:abc", "sha256:zz", "SHA256:00", "md5:d41d8cd98f00b204e9800998ecf8427e"]
        {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
        let upper = Digest::sha256(b"").to_string().to_uppercase().replace("SHA256", "sha256");
        assert_eq!(upper.parse::<Digest>().unwrap_err().code(), "MALFORMED");
    }

    #[test]
    fn unknown_algorithms_are_kept_and_match_nothing() {
        let text = format!(r#"{{"blake3":"00","sha256":"{}"}}"#, Digest::sha256(b"x").hex());
        let set: DigestSet = crate::json::parse("digest set", text.as_bytes()).unwrap();
        assert_eq!(set.known().collect::<Vec<_>>(), [Digest::sha256(b"x")]);
        assert_eq!(serde_json::to_string(&set).unwrap(), text);
        for bad in [r#"{"sha256":"zz"}"#, "{}"] {
            assert!(crate::json::parse::<DigestSet>("digest set", bad.as_bytes()).is_err());
        }
    }
}
