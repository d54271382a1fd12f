//! Installed Ruby gems: the specifications that RubyGems writes, which are Ruby, and are read without being run
//! (guides.rubygems.org, "Specification Reference").

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::inventory::{Package, Told};
use super::malformed;
use crate::error::Result;
use crate::sbom::license::{self, License, LicenseChoice};
use crate::sbom::purl;

/// What a specification says in the form that RubyGems writes it in.
struct Gem {
    name: String,
    version: String,
    platform: Option<String>,
    licenses: Vec<LicenseChoice>,
    needs: BTreeSet<String>,
}

pub(super) fn read(told: &[Told]) -> Result<Vec<Package>> {
    let mut gems = Vec::with_capacity(told.len());
    for told in told {
        gems.push(parse(&told.file.found.path, &String::from_utf8_lossy(&told.content))?);
    }
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, gem) in gems.iter().enumerate() {
        places.entry(&gem.name).or_default().push(place);
    }
    let packages = gems.iter().zip(told).map(|(gem, told)| {
        let purl = purl::of("gem", None, &gem.name, Some(&gem.version), None)?;
        // which of several versions is taken is decided when a program runs
        let needs = gem.needs.iter().filter_map(|name| match places.get(&**name).map(Vec::as_slice) {
            Some([place]) => Some(*place),
            _ => None,
        });
        Ok(Package {
            group: None,
            name: gem.name.clone(),
            version: Some(gem.version.clone()),
            purl: purl::with(&purl, &[("platform", gem.platform.as_deref())])?,
            licenses: gem.licenses.clone(),
            facts: Vec::new(),
            found: told.file.found.clone(),
            needs: needs.collect(),
        })
    });
    packages.collect()
}

fn parse(path: &str, text: &str) -> Result<Gem> {
    static FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?m)^\s*s\.(name|version|platform)\s*=\s*(?:Gem::Version\.new\()?"([^"\\#]*)"(?:\.freeze)?\)?\s*$"#,
        )
        .ok()
    });
    static LICENSES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?m)^\s*s\.licenses?\s*=\s*(.*)$").ok());
    static NEEDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"(?m)^\s*s\.add_(?:runtime_)?dependency\(?\s*(?:%q<([^>]*)>|"([^"\\#]*)")"#).ok()
    });
    let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
    for found in FIELD.iter().flat_map(|field| field.captures_iter(text)) {
        if let (Some(name), Some(value)) = (found.get(1), found.get(2)) {
            fields.entry(name.as_str()).or_insert(value.as_str());
        }
    }
    let file = path.rsplit('/').next().unwrap_or(path);
    let named = file.strip_suffix(".gemspec").and_then(of_file_name);
    let (name, version, platform) = match (fields.get("name"), fields.get("version")) {
        (Some(name), Some(version)) => (*name, *version, fields.get("platform").copied()),
        _ => named
            .ok_or_else(|| malformed(path, "names no gem and no version, and neither does the name of the file"))?,
    };
    let sound = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if !sound(name) || !sound(version) || !platform.is_none_or(sound) {
        return Err(malformed(path, format_args!("names a gem `{}` of version `{version}`", name.escape_debug())));
    }
    let quoted = LICENSES
        .iter()
        .filter_map(|licenses| licenses.captures(text)?.get(1))
        .flat_map(|list| list.as_str().split('"').skip(1).step_by(2).filter_map(license::declared));
    let mut licenses: Vec<LicenseChoice> = quoted.collect();
    if licenses.len() > 1 {
        // CycloneDX takes one expression or several licences, never both
        for choice in &mut licenses {
            if let LicenseChoice::Expression { expression } = choice {
                *choice = LicenseChoice::License { license: License::Name(std::mem::take(expression)) };
            }
        }
    }
    let needs = NEEDS.iter().flat_map(|needs| needs.captures_iter(text));
    let needs = needs.filter_map(|found| found.get(1).or_else(|| found.get(2)).map(|name| name.as_str().to_owned()));
    Ok(Gem {
        name: name.to_owned(),
        version: version.to_owned(),
        platform: platform.filter(|platform| *platform != "ruby").map(str::to_owned),
        licenses,
        needs: needs.collect(),
    })
}

/// The name, version and platform of `nokogiri-1.15.4-x86_64-linux`.
fn of_file_name(stem: &str) -> Option<(&str, &str, Option<&str>)> {
    let mut cuts = stem.match_indices('-').map(|(n, _)| n);
    let cut = cuts.find(|n| stem.get(n + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))?;
    let (name, rest) = (stem.get(..cut)?, stem.get(cut + 1..)?);
    match rest.split_once('-') {
        Some((version, platform)) => Some((name, version, Some(platform))),
        None => Some((name, rest, None)),
    }
}
