//! Tags that are versions: `v1` stands for all of `v1.*`, `v1.2` for all of `v1.2.*`.

/// A version as a tag spells it: one to three numbers, and what stands behind `-`; what stands behind `+` is no part.
#[derive(Debug, PartialEq, Eq)]
struct Version<'a> {
    numbers: Vec<&'a str>,
    pre_release: Option<&'a str>,
}

impl<'a> Version<'a> {
    fn parse(tag: &'a str) -> Option<Self> {
        let text = tag.strip_prefix('v')?;
        let text = text.split_once('+').map_or(text, |(before, _)| before);
        let (core, pre_release) = match text.split_once('-') {
            Some((core, pre)) => (core, Some(pre)),
            None => (text, None),
        };
        let numbers: Vec<_> = core.split('.').collect();
        let sound =
            |n: &&str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) && (n.len() == 1 || !n.starts_with('0'));
        let whole = numbers.len() <= 3 && numbers.iter().all(sound);
        // only a whole version has a pre-release
        let pre = pre_release.is_none_or(|p| !p.is_empty() && numbers.len() == 3);
        (whole && pre).then_some(Self { numbers, pre_release })
    }
}

/// Whether `text` is `v` and one to three numbers, with a pre-release at most behind three.
pub(super) fn is_version(text: &str) -> bool {
    Version::parse(text).is_some()
}

/// Whether `tag` is `vX.Y.Z` and nothing else.
pub(super) fn is_release(tag: &str) -> bool {
    Version::parse(tag).is_some_and(|v| v.numbers.len() == 3 && v.pre_release.is_none()) && !tag.contains('+')
}

/// Whether `tag` is of the version `demanded`. A tag `v14` is `v14.0.0`; a pre-release must be demanded in full.
pub(super) fn matches(tag: &str, demanded: &str) -> bool {
    let (Some(tag), Some(demanded)) = (Version::parse(tag), Version::parse(demanded)) else { return false };
    let found = tag.numbers.iter().copied().chain(std::iter::repeat("0"));
    demanded.numbers.iter().copied().zip(found).all(|(want, is)| want == is) && demanded.pre_release == tag.pre_release
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_stands_for_all_that_begin_with_it() {
        for (tag, demanded) in
            [("v1.2.3", "v1"), ("v1.2.3", "v1.2"), ("v1.2.3", "v1.2.3"), ("v14", "v14.0"), ("v1.2.3+b5", "v1.2.3")]
        {
            assert!(matches(tag, demanded), "{tag} {demanded}");
        }
        for (tag, demanded) in [
            ("v1.2.3", "v1.3"),
            ("v14.2", "v14.2.1"),
            ("v10.0.0", "v1"),
            ("v1.2.3-rc.1", "v1"),
            ("v1.2.3", "v1.2.3-rc.1"),
            ("1.2.3", "v1"),
            ("v1.x", "v1"),
            ("v01", "v1"),
            ("v1.2.3.4", "v1"),
            ("", "v1"),
        ] {
            assert!(!matches(tag, demanded), "{tag} {demanded}");
        }
        assert!(is_release("v1.2.3") && !is_release("v1.2") && !is_release("v1.2.3-rc") && !is_release("v1.2.3+b"));
    }
}
