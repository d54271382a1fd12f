//! OpenSSH's `allowed_signers`: which SSH key may sign as whom, for what and when (`ssh-keygen(1)`, ALLOWED SIGNERS).

use ssh_key::PublicKey;
use ssh_key::public::KeyData;

use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::timestamp::Timestamp;

/// One line: a key, and what it may do.
#[derive(Clone, Debug)]
pub(super) struct AllowedSigner {
    pub(super) principals: Vec<String>,
    pub(super) key: KeyData,
    is_authority: bool,
    namespaces: Option<Vec<String>>,
    valid_after: Option<Timestamp>,
    /// The last instant, not the first that counts no more.
    valid_before: Option<Timestamp>,
}

impl AllowedSigner {
    /// Whether this line is about signatures made by this key itself, rather than by those it certifies.
    pub(super) fn is_of(&self, key: &KeyData) -> bool {
        !self.is_authority && self.key == *key
    }

    /// Checks that the key may sign under `namespace` at this time.
    pub(super) fn check(&self, key: &str, namespace: &str, at: Timestamp) -> Result<()> {
        if self.namespaces.as_ref().is_some_and(|patterns| !matches_list(patterns, namespace, Case::Exact)) {
            let found = self.namespaces.clone().unwrap_or_default().join(",");
            return Err(Error::new(
                ErrorKind::NotEntitled,
                format!(
                    "the allowed signers let the key `{key}` sign for `{found}` alone, and this is for `{namespace}`; add \
                     it there"
                ),
            )
            .with("expected", namespace)
            .with("found", found));
        }
        let when = |kind, word: &str, bound: Timestamp| {
            Error::new(
                kind,
                format!(
                    "the allowed signers believe the key `{key}` {word} `{bound}`, and this was signed at `{at}`; sign \
                     with a key that is valid"
                ),
            )
            .with("at", at)
        };
        match (self.valid_after, self.valid_before) {
            (Some(after), _) if at < after => Err(when(ErrorKind::NotYetValid, "from", after)),
            (_, Some(before)) if at > before => Err(when(ErrorKind::Expired, "until", before)),
            _ => Ok(()),
        }
    }
}

/// Reads a file of allowed signers.
pub(super) fn read(file: &[u8]) -> Result<Vec<AllowedSigner>> {
    lines(file, "allowed signers")?.map(|(number, line)| signer(line).map_err(|why| at_line(number, &why))).collect()
}

/// Reads a file of public keys, one on each line.
pub(super) fn read_keys(file: &[u8]) -> Result<Vec<KeyData>> {
    if file.starts_with(b"SSHKRL\n\0") {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the revoked keys are a binary list of OpenSSH, which is not read; give the public keys, one on each line",
        ));
    }
    lines(file, "revoked SSH keys")?.map(|(number, line)| key(line).map_err(|why| at_line(number, &why))).collect()
}

/// Whether one of the principals, each an address or a pattern, is `email`, in whatever case it is written.
pub(super) fn matches(principals: &[String], email: &str) -> bool {
    matches_list(principals, email, Case::Any)
}

/// The lines that say something, with their numbers.
fn lines<'a>(file: &'a [u8], what: &str) -> Result<impl Iterator<Item = (usize, &'a str)>> {
    if file.len() > limits::KEYRING_BYTES {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!(
                "the file of {what} is longer than {} bytes; check that it is the one you mean",
                limits::KEYRING_BYTES
            ),
        ));
    }
    let text = std::str::from_utf8(file).map_err(|e| {
        Error::new(ErrorKind::Malformed, format!("expected {what} as text, found other bytes; give the file as it is"))
            .caused_by(e)
    })?;
    let lines = text.lines().map(str::trim).enumerate().map(|(at, line)| (at + 1, line));
    let mut said = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).peekable();
    if said.peek().is_none() {
        return Err(Error::new(ErrorKind::Malformed, format!("the file of {what} names no key; give one that does")));
    }
    Ok(said)
}

/// `principals [options] type key [comment]`; the error is what was found.
fn signer(line: &str) -> Result<AllowedSigner, String> {
    let (principals, rest) = word(line);
    let principals = principals.trim_matches('"');
    let principals: Vec<String> = principals.split(',').map(str::to_owned).collect();
    if principals.iter().any(String::is_empty) {
        return Err("no principals in the first column".to_owned());
    }
    let mut signer = AllowedSigner {
        principals,
        key: KeyData::Ed25519(ssh_key::public::Ed25519PublicKey([0; 32])),
        is_authority: false,
        namespaces: None,
        valid_after: None,
        valid_before: None,
    };
    let rest = if is_key_type(word(rest).0) {
        rest
    } else {
        let (options, rest) = word(rest);
        signer.set(options)?;
        rest
    };
    signer.key = key(rest)?;
    if let (Some(after), Some(before)) = (signer.valid_after, signer.valid_before)
        && after >= before
    {
        return Err("a validity that ends before it begins".to_owned());
    }
    Ok(signer)
}

impl AllowedSigner {
    fn set(&mut self, options: &str) -> Result<(), String> {
        for option in split_unquoted(options, ',') {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
            match (name.to_ascii_lowercase().as_str(), value) {
                ("cert-authority", "") => self.is_authority = true,
                ("namespaces", patterns) if self.namespaces.is_none() && !patterns.is_empty() => {
                    self.namespaces = Some(patterns.split(',').map(str::to_owned).collect());
                }
                ("valid-after", time) if self.valid_after.is_none() => self.valid_after = Some(instant(time)?),
                ("valid-before", time) if self.valid_before.is_none() => self.valid_before = Some(instant(time)?),
                _ => {
                    return Err(format!(
                        "the option `{}`, which is unknown, empty or there twice",
                        option.escape_debug()
                    ));
                }
            }
        }
        Ok(())
    }
}

/// `YYYYMMDD[HHMM[SS]][Z]`; without `Z` OpenSSH takes the zone of the machine, of which nothing is known here.
fn instant(text: &str) -> Result<Timestamp, String> {
    let digits = text.strip_suffix('Z').unwrap_or(text);
    let odd = || format!("the time `{}`, which is not `YYYYMMDD[HHMM[SS]][Z]`", text.escape_debug());
    if !digits.bytes().all(|b| b.is_ascii_digit()) || ![8, 12, 14].contains(&digits.len()) {
        return Err(odd());
    }
    let full = format!("{digits:0<14}");
    let part = |from: usize, to: usize| full.get(from..to).unwrap_or_default();
    let text =
        format!("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14));
    text.parse().map_err(|_| odd())
}

/// `type key [comment]`.
fn key(text: &str) -> Result<KeyData, String> {
    let (kind, rest) = word(text);
    let (base64, _) = word(rest);
    let parsed = PublicKey::from_openssh(&format!("{kind} {base64}"));
    match parsed.map(|key| key.key_data().clone()) {
        Ok(KeyData::Other(_)) | Err(_) => {
            Err(format!("no SSH public key after it, or one of an unknown type (`{}`)", kind.escape_debug()))
        }
        Ok(key) => Ok(key),
    }
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|begin| word.starts_with(begin))
}

/// The first word, in which quotes keep blanks together, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        !quoted && matches!(c, ' ' | '\t')
    });
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (word, rest.trim_start())
}

fn split_unquoted(text: &str, at: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c: char| {
        quoted ^= c == '"';
        !quoted && c == at
    })
}

#[derive(Clone, Copy)]
enum Case {
    Exact,
    Any,
}

/// OpenSSH's `match_pattern_list`: one pattern must match, and none of those after a `!`.
fn matches_list(patterns: &[String], text: &str, case: Case) -> bool {
    let fold = |s: &str| match case {
        Case::Exact => s.to_owned(),
        Case::Any => s.to_lowercase(),
    };
    let text = fold(text);
    let matches = |pattern: &str| matches_pattern(&fold(pattern), &text);
    let is_excluded = patterns.iter().filter_map(|p| p.strip_prefix('!')).any(matches);
    !is_excluded && patterns.iter().filter(|p| !p.starts_with('!')).any(|p| matches(p))
}

/// `*` stands for anything, `?` for one character; in time that grows with the product of both lengths at most.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(x) if *x == '?' || x == c => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
}

fn at_line(number: usize, found: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("line {number} of the SSH keys can't be read: found {found}; mend it as `man ssh-keygen` says"),
    )
    .with("line", number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";

    fn one(options: &str) -> AllowedSigner {
        read(format!("# team\n\nada@example.org,*@lab.example {options} {KEY} Ada's key\n").as_bytes())
            .unwrap()
            .remove(0)
    }

    fn code(signer: &AllowedSigner, at: &str) -> &'static str {
        signer.check("k", "git", at.parse().unwrap()).map_or_else(|e| e.code(), |()| "good")
    }

    #[test]
    fn a_line_says_who_for_what_and_when() {
        let signer = one(r#"namespaces="file,git",valid-after="20260101",valid-before="202606301200Z""#);
        assert_eq!(signer.principals, ["ada@example.org", "*@lab.example"]);
        assert_eq!(code(&signer, "2025-12-31T23:59:59Z"), "NOT_YET_VALID");
        assert_eq!(code(&signer, "2026-01-01T00:00:00Z"), "good");
        assert_eq!(code(&signer, "2026-06-30T12:00:00Z"), "good");
        assert_eq!(code(&signer, "2026-06-30T12:00:01Z"), "EXPIRED");
        assert_eq!(code(&one(r#"namespaces="file""#), "2026-01-01T00:00:00Z"), "NOT_ENTITLED");
        assert_eq!(code(&one(r#"namespaces="*,!git""#), "2026-01-01T00:00:00Z"), "NOT_ENTITLED");
        assert_eq!(code(&one("NAMESPACES=g?t"), "2026-01-01T00:00:00Z"), "good");
    }

    #[test]
    fn an_authority_signs_nothing_itself() {
        let signer = one("cert-authority");
        assert!(!signer.is_of(&signer.key));
    }

    #[test]
    fn principals_are_addresses_or_patterns() {
        let principals = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        assert!(matches(&principals("ada@example.org"), "Ada@Example.org"));
        assert!(!matches(&principals("ada@example.org"), "eve.ada@example.org"));
        assert!(matches(&principals("*@example.org,!eve@*"), "ada@example.org"));
        assert!(!matches(&principals("*@example.org,!eve@*"), "eve@example.org"));
        assert!(!matches(&principals("*@example.org"), "ada@example.org.evil"));
        let slow = "*a".repeat(2000);
        assert!(!matches_pattern(&slow, &"a".repeat(1999)));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        for bad in [
            "ada@example.org",
            "ada@example.org ssh-ed25519",
            "ada@example.org ssh-ed25519 AAAA",
            ",ada@example.org KEY",
            "ada@example.org no-such-option KEY",
            "ada@example.org valid-after=\"2026\" KEY",
            "ada@example.org valid-after=\"20261301\" KEY",
            "ada@example.org valid-after=\"20260101\",valid-after=\"20270101\" KEY",
            "ada@example.org valid-after=\"20270101\",valid-before=\"20260101\" KEY",
            "ada@example.org namespaces= KEY",
        ] {
            let file = format!("bob@example.org {KEY}\n{}\n", bad.replace("KEY", KEY));
            let e = read(file.as_bytes()).unwrap_err();
            assert_eq!(e.code(), "MALFORMED", "{bad}");
            assert!(e.message().starts_with("line 2 "), "{bad}: {e}");
        }
        assert_eq!(read(b"# nobody\n").unwrap_err().code(), "MALFORMED");
        assert_eq!(read_keys(b"SSHKRL\n\0\0\0\0\x01").unwrap_err().code(), "UNSUPPORTED");
        assert_eq!(read(&vec![b'#'; limits::KEYRING_BYTES + 1]).unwrap_err().code(), "LIMIT_EXCEEDED");
    }
}
