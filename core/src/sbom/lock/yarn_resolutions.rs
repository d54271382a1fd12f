//! What `resolutions` of a `package.json` put in place of what packages ask for, as Yarn reads them since version 2.

use super::package_json::Ranges;
use super::yarn_locator::split;

#[derive(Default)]
pub(super) struct Resolutions<'a>(Vec<Resolution<'a>>);

/// `from/name@range`, of which only the name must be there, and the range that replaces.
struct Resolution<'a> {
    from: Option<(&'a str, Option<&'a str>)>,
    name: &'a str,
    range: Option<&'a str>,
    to: &'a str,
}

impl<'a> Resolutions<'a> {
    pub(super) fn new(ranges: &'a Ranges) -> Self {
        Self(ranges.iter().filter_map(|(path, to)| Resolution::new(path, to)).collect())
    }

    /// The range that counts where the package `user` (`name@reference`) asks for `range` of `name`.
    pub(super) fn of<'b>(&self, user: &str, name: &str, range: &'b str) -> &'b str
    where
        'a: 'b,
    {
        let meant = self.0.iter().find(|resolution| {
            let of_user = |(from, reference): (&str, Option<&str>)| {
                let (user, of) = split(user).unwrap_or((user, ""));
                user == from && reference.is_none_or(|reference| same(reference, of))
            };
            resolution.name == name
                && resolution.range.is_none_or(|wanted| same(wanted, range))
                && resolution.from.is_none_or(of_user)
        });
        meant.map_or(range, |resolution| resolution.to)
    }
}

impl<'a> Resolution<'a> {
    fn new(path: &'a str, to: &'a str) -> Option<Self> {
        let path = path.strip_prefix("**/").unwrap_or(path);
        let (first, second) = part(path);
        let last = second.map_or(first, |second| second.strip_prefix("**/").unwrap_or(second));
        let from = second.map(|_| split(first).map_or((first, None), |(name, of)| (name, Some(of))));
        let (name, range) = split(last).map_or((last, None), |(name, range)| (name, Some(range)));
        (!name.is_empty()).then_some(Self { from, name, range, to })
    }
}

/// The first package of `path`, and what follows.
fn part(path: &str) -> (&str, Option<&str>) {
    let scope = if path.starts_with('@') { path.find('/').map_or(0, |at| at + 1) } else { 0 };
    let rest = path.get(scope..).unwrap_or_default();
    // a range, which may have a `/` itself, comes last if a protocol begins it
    let ends = |before: &str| match before.split_once("@npm:") {
        Some((_, range)) => !range.contains('@'),
        None => !before.contains(':'),
    };
    let end = rest.find('/').filter(|slash| rest.get(..*slash).is_some_and(ends));
    let second = end.map(|at| scope + at).and_then(|at| Some((path.get(..at)?, path.get(at + 1..)?)));
    second.map_or((path, None), |(first, second)| (first, Some(second)))
}

/// Whether two ranges are the same but for the protocol that goes without saying.
fn same(one: &str, other: &str) -> bool {
    let bare = |range| str::strip_prefix(range, "npm:").unwrap_or(range);
    bare(one) == bare(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resolution_that_fits_user_name_and_range_counts() {
        let ranges: Ranges = [
            ("a", "1.0.0"),
            ("@s/b@npm:^1", "2.0.0"),
            ("@s/c/d", "3.0.0"),
            ("e@1.0.0/@s/f@^2", "patch:@s/f@npm%3A2.0.0#x/y"),
            ("**/g", "4.0.0"),
            ("h@workspace:packages/h", "5.0.0"),
            ("i@npm:1.0.0/j", "6.0.0"),
        ]
        .into_iter()
        .map(|(path, to)| (path.to_owned(), to.to_owned()))
        .collect();
        let resolutions = Resolutions::new(&ranges);
        for (user, name, range, to) in [
            ("x@npm:1.0.0", "a", "npm:^9", "1.0.0"),
            ("x@npm:1.0.0", "@s/b", "^1", "2.0.0"),
            ("x@npm:1.0.0", "@s/b", "npm:^2", "npm:^2"),
            ("@s/c@npm:7.0.0", "d", "npm:^1", "3.0.0"),
            ("x@npm:7.0.0", "d", "npm:^1", "npm:^1"),
            ("e@npm:1.0.0", "@s/f", "npm:^2", "patch:@s/f@npm%3A2.0.0#x/y"),
            ("e@npm:2.0.0", "@s/f", "npm:^2", "npm:^2"),
            ("x@npm:1.0.0", "g", "1", "4.0.0"),
            ("x@npm:1.0.0", "h", "workspace:packages/h", "5.0.0"),
            ("i@npm:1.0.0", "j", "^1", "6.0.0"),
            ("x@npm:1.0.0", "z", "1", "1"),
        ] {
            assert_eq!(resolutions.of(user, name, range), to, "{user} {name} {range}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_resolution_makes_the_reader_panic(path in r"\PC{0,20}", marks in "[@/*:aé]{0,20}") {
            let ranges = Ranges::from([(path.clone(), marks.clone()), (marks.clone(), path.clone())]);
            Resolutions::new(&ranges).of(&path, &marks, &path);
        }
    }
}
