//! How pnpm names packages in its lock files: `/a/1.0.0_b@2.0.0` in version 5, `/a@1.0.0(b@2.0.0)` in 6, and
//! `a@1.0.0(b@2.0.0)` in 9. What stands at the end are the peers that this copy of the package was given.

/// A form of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Version 5.
    Slash,
    /// Version 6.
    SlashAt,
    /// Version 9.
    At,
}

/// What a key says of its package.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Key<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) version: Option<&'a str>,
    /// The registry that it comes from, if not the default one: as an address without a scheme in versions 5 and 6, by the
    /// name it has in the settings in 9.
    pub(super) registry: Option<&'a str>,
    /// What stands in place of a version, such as `file:dir`.
    pub(super) reference: Option<&'a str>,
}

impl Form {
    /// That of a `lockfileVersion` that is read here.
    pub(super) fn of_version(version: &str) -> Option<Self> {
        match version {
            "5" | "5.0" | "5.1" | "5.2" | "5.3" | "5.4" | "5.4-inlineSpecifiers" => Some(Self::Slash),
            "6.0" | "6.1" => Some(Self::SlashAt),
            "9.0" => Some(Self::At),
            _ => None,
        }
    }

    /// The key that a dependency on `name` means by `reference`, which is no link.
    pub(super) fn target(self, name: &str, reference: &str) -> String {
        let base = self.without_peers(reference);
        let whole = match self {
            Self::Slash | Self::SlashAt => base.contains('/') || base.starts_with("file:"),
            Self::At => {
                let at = reference.find('@');
                let before = |mark| reference.find(mark).is_none_or(|mark| at < Some(mark));
                at == Some(0) || (at.is_some() && before(':') && before('('))
            }
        };
        match self {
            _ if whole => reference.to_owned(),
            Self::Slash => format!("/{name}/{reference}"),
            Self::SlashAt => format!("/{name}@{reference}"),
            Self::At => format!("{name}@{reference}"),
        }
    }

    /// `key` without the peers at its end.
    pub(super) fn without_peers(self, key: &str) -> &str {
        if self == Self::Slash || !key.ends_with(')') {
            return key;
        }
        let mut open = 0_usize;
        for (at, c) in key.char_indices().rev() {
            match c {
                ')' => open += 1,
                '(' if open == 0 => break,
                '(' => open -= 1,
                _ if open == 0 => return key.get(..at + c.len_utf8()).unwrap_or(key),
                _ => {}
            }
        }
        key
    }

    pub(super) fn parse(self, key: &str) -> Key<'_> {
        let base = self.without_peers(key);
        if base.starts_with("file:") {
            return Key { reference: Some(base), ..Key::default() };
        }
        match self {
            Self::At => at(base),
            Self::SlashAt | Self::Slash => match base.strip_prefix('/') {
                Some(rest) => self.relative(rest),
                None => self.absolute(base),
            },
        }
    }

    /// A package of the default registry.
    fn relative(self, text: &str) -> Key<'_> {
        let split = if self == Self::Slash {
            let scope = if text.starts_with('@') { text.find('/').map_or(0, |at| at + 1) } else { 0 };
            text.get(scope..).and_then(|rest| rest.find('/')).map(|at| scope + at)
        } else {
            second_at(text)
        };
        let Some((name, rest)) = split.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))) else {
            return Key::default();
        };
        let version = self.without_suffix(rest);
        if is_version(version) {
            Key { name: Some(name), version: Some(version), ..Key::default() }
        } else {
            Key { name: Some(name), reference: Some(rest), ..Key::default() }
        }
    }

    /// `registry.example/name/1.0.0`, or what is no package of a registry and has its name elsewhere.
    fn absolute(self, text: &str) -> Key<'_> {
        let whole = Key { reference: Some(text), ..Key::default() };
        let Some((above, version)) = text.rsplit_once(if self == Self::Slash { '/' } else { '@' }) else {
            return whole;
        };
        let version = self.without_suffix(version);
        let Some((mut registry, mut name)) = above.rsplit_once('/') else { return whole };
        if let Some((host, scope)) = registry.rsplit_once('/')
            && scope.starts_with('@')
        {
            name = above.get(host.len() + 1..).unwrap_or(name);
            registry = host;
        }
        if !is_version(version) || name.is_empty() {
            return whole;
        }
        Key { name: Some(name), version: Some(version), registry: Some(registry), reference: None }
    }

    /// `version` without the peers that version 5 has after it.
    fn without_suffix(self, version: &str) -> &str {
        match self {
            Self::Slash => version.split(['_', '/']).next().unwrap_or_default(),
            Self::SlashAt | Self::At => version,
        }
    }
}

fn at(text: &str) -> Key<'_> {
    let Some((name, rest)) = second_at(text).and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))) else {
        return Key::default();
    };
    let name = Some(name);
    match rest.split_once(':') {
        _ if is_version(rest) => Key { name, version: Some(rest), ..Key::default() },
        Some((registry, version)) if is_version(version) && registry != "runtime" => {
            Key { name, version: Some(version), registry: Some(registry), reference: None }
        }
        _ => Key { name, reference: Some(rest), ..Key::default() },
    }
}

/// The first `@` that is no beginning of a scope.
fn second_at(text: &str) -> Option<usize> {
    text.get(1..).and_then(|rest| rest.find('@')).map(|at| at + 1)
}

/// Whether `text` is a version by SemVer, as far as its three numbers go.
pub(super) fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    core.split('.').count() == 3
        && core.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<'a>(name: &'a str, version: &'a str) -> Key<'a> {
        Key { name: Some(name), version: Some(version), ..Key::default() }
    }

    fn reference<'a>(name: Option<&'a str>, reference: &'a str) -> Key<'a> {
        Key { name, reference: Some(reference), ..Key::default() }
    }

    #[test]
    fn keys_of_all_versions_are_told_apart_from_peers() {
        for (form, text, expected) in [
            (Form::Slash, "/a/1.0.0", key("a", "1.0.0")),
            (Form::Slash, "/@s/a/1.0.0-rc.1_@s+b@2.0.0+c@3.0.0", key("@s/a", "1.0.0-rc.1")),
            (Form::Slash, "/a/1.0.0/b@2.0.0", key("a", "1.0.0")),
            (Form::SlashAt, "/@s/a@1.0.0(@s/b@2.0.0)(c@3.0.0(d@1.0.0))", key("@s/a", "1.0.0")),
            (Form::At, "@s/a@1.0.0(patch_hash=0123)(@s/b@2.0.0)", key("@s/a", "1.0.0")),
            (Form::At, "a@file:b(c@1.0.0)", reference(Some("a"), "file:b")),
            (Form::At, "a@https://x.example/a@1.tgz", reference(Some("a"), "https://x.example/a@1.tgz")),
            (Form::At, "node@runtime:22.0.0", reference(Some("node"), "runtime:22.0.0")),
            (Form::Slash, "file:a.tgz", reference(None, "file:a.tgz")),
            (Form::Slash, "github.com/a/b/0123abcd", reference(None, "github.com/a/b/0123abcd")),
            (Form::SlashAt, "@pkg.example/a@0123", reference(None, "@pkg.example/a@0123")),
            (Form::At, "a", Key::default()),
            (Form::Slash, "/a", Key::default()),
            (Form::Slash, "", reference(None, "")),
        ] {
            assert_eq!(form.parse(text), expected, "{text}");
        }
        for (form, text, registry) in [
            (Form::Slash, "npm.corp.example/x/@s/a/1.0.0_b@2.0.0", "npm.corp.example/x"),
            (Form::SlashAt, "npm.corp.example/@s/a@1.0.0(b@2.0.0)", "npm.corp.example"),
            (Form::At, "@s/a@work:1.0.0(b@2.0.0)", "work"),
        ] {
            assert_eq!(form.parse(text), Key { registry: Some(registry), ..key("@s/a", "1.0.0") });
        }
    }

    #[test]
    fn a_dependency_means_the_key_of_its_own_name_or_the_one_it_spells_out() {
        for (form, text, expected) in [
            (Form::Slash, "1.0.0_@s+b@2.0.0", "/x/1.0.0_@s+b@2.0.0"),
            (Form::Slash, "/a/1.0.0", "/a/1.0.0"),
            (Form::Slash, "file:a.tgz", "file:a.tgz"),
            (Form::SlashAt, "1.0.0(@s/b@2.0.0)", "/x@1.0.0(@s/b@2.0.0)"),
            (Form::SlashAt, "/a@1.0.0(b@2.0.0)", "/a@1.0.0(b@2.0.0)"),
            (Form::SlashAt, "github.com/a/b/0123", "github.com/a/b/0123"),
            (Form::At, "1.0.0(@s/b@2.0.0)", "x@1.0.0(@s/b@2.0.0)"),
            (Form::At, "a@1.0.0(b@2.0.0)", "a@1.0.0(b@2.0.0)"),
            (Form::At, "@s/a@1.0.0", "@s/a@1.0.0"),
            (Form::At, "git+https://git@x.example/a#0123", "x@git+https://git@x.example/a#0123"),
            (Form::At, "file:b", "x@file:b"),
        ] {
            assert_eq!(form.target("x", text), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_key_makes_the_reader_panic(key in r"\PC{0,20}", marks in "[/@():_.a0-]{0,20}") {
            for form in [Form::Slash, Form::SlashAt, Form::At] {
                for text in [&key, &marks] {
                    form.parse(text);
                    form.target(&key, text);
                }
            }
        }
    }
}
