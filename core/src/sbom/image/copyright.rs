//! Licences of Debian packages, from copyright files that are written for machines (DEP-5, copyright-format 1.0).

use std::collections::BTreeSet;

use super::dpkg::stanzas_of;
use crate::sbom::license::{License, LicenseChoice, declared};

/// The licences that the files of a package are under. A file that is no DEP-5 tells none.
pub(super) fn licenses(text: &str) -> Vec<LicenseChoice> {
    let Ok(stanzas) = stanzas_of(text) else { return Vec::new() };
    let is_dep5 = stanzas.first().and_then(|header| header.get("format")).is_some_and(|format| {
        format.contains("copyright-format/1.0") || format.contains("/dep5") || format.contains("/dep/deps/dep5")
    });
    if !is_dep5 {
        return Vec::new();
    }
    // a stanza without files has the text of a licence, and the header may name that of the whole
    let of_files = stanzas.iter().enumerate().filter(|(number, stanza)| *number == 0 || stanza.contains_key("files"));
    let names: BTreeSet<String> = of_files
        .filter_map(|(_, stanza)| stanza.get("license")?.lines().next())
        .map(|name| spdx(name.trim()))
        .filter(|name| !name.is_empty())
        .collect();
    match (names.first(), names.len()) {
        (Some(name), 1) => declared(name).into_iter().collect(),
        // each holds for a part; one expression for all of it would say more than the file does
        _ => names.iter().filter_map(|name| declared(name)).map(named).collect(),
    }
}

/// CycloneDX takes one expression or several licences, never both.
fn named(choice: LicenseChoice) -> LicenseChoice {
    match choice {
        LicenseChoice::Expression { expression } => LicenseChoice::License { license: License::Name(expression) },
        license => license,
    }
}

/// What Debian calls licences otherwise than SPDX does, each by its short name.
const SHORT: &[(&str, &str)] = &[
    ("Expat", "MIT"),
    ("Apache-2", "Apache-2.0"),
    ("BSD-2-clause", "BSD-2-Clause"),
    ("BSD-3-clause", "BSD-3-Clause"),
    ("BSD-4-clause", "BSD-4-Clause"),
    ("CC0", "CC0-1.0"),
    ("MPL-1.1", "MPL-1.1"),
    ("MPL-2", "MPL-2.0"),
    ("Python-2.0", "Python-2.0"),
    ("zlib", "Zlib"),
    ("W3C-Software", "W3C"),
    ("Perl", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
];

/// The short name of a licence, or several with `and`, `or` and `with`, by the ids of SPDX as far as there are any.
fn spdx(text: &str) -> String {
    // `GPL-2+ with OpenSSL exception` has no id of its own, and stays as it is
    if text.contains(',') || text.contains(" exception") {
        return text.to_owned();
    }
    let words = text.split_whitespace().map(|word| {
        if let Some((_, id)) = SHORT.iter().find(|(short, _)| short.eq_ignore_ascii_case(word)) {
            return (*id).to_owned();
        }
        gnu(word).unwrap_or_else(|| word.to_owned())
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `GPL-2+` as `GPL-2.0-or-later`.
fn gnu(word: &str) -> Option<String> {
    let (family, version) = word.split_once('-')?;
    if !matches!(family, "GPL" | "LGPL" | "AGPL" | "GFDL") {
        return None;
    }
    let (version, ending) = version.strip_suffix('+').map_or((version, "-only"), |version| (version, "-or-later"));
    let version = match version {
        "1" | "2" | "3" => format!("{version}.0"),
        "1.0" | "1.1" | "1.2" | "1.3" | "2.0" | "2.1" | "3.0" => version.to_owned(),
        _ => return None,
    };
    Some(format!("{family}-{version}{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        serde_json::to_string(&licenses(text)).unwrap()
    }

    #[test]
    fn each_licence_of_the_files_is_told_once_by_its_spdx_id() {
        let head = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: x\n";
        let files = |license: &str| format!("\nFiles: *\nCopyright: x\nLicense: {license}\n text\n .\n more\n");
        let alone = "\nLicense: BSD-3-clause\n text\n";
        assert_eq!(json(&format!("{head}{}{alone}", files("GPL-2+"))), r#"[{"license":{"id":"GPL-2.0-or-later"}}]"#);
        assert_eq!(
            json(&format!("{head}{}", files("GPL-2+ or Expat"))),
            r#"[{"expression":"GPL-2.0-or-later OR MIT"}]"#
        );
        assert_eq!(
            json(&format!("{head}{}{}{}", files("LGPL-2.1"), files("Expat"), files("Expat or zlib"))),
            r#"[{"license":{"id":"LGPL-2.1-only"}},{"license":{"id":"MIT"}},{"license":{"name":"MIT OR Zlib"}}]"#
        );
        assert_eq!(
            json(&format!("{head}{}", files("GPL-2+ with OpenSSL exception"))),
            r#"[{"license":{"name":"GPL-2+ with OpenSSL exception"}}]"#
        );
    }

    #[test]
    fn a_copyright_file_for_people_tells_none() {
        for text in
            ["", "This package was debianized by\n x\nLicense: GPL", "Format: x\n\nFiles: *\nLicense: MIT\n", " x"]
        {
            assert_eq!(json(text), "[]");
        }
    }
}
