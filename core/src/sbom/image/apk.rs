//! Packages of apk: `lib/apk/db/installed` (Alpine's apk-tools, apk-package(5) and the index it is written as).

use std::collections::{BTreeMap, BTreeSet};

use super::inventory::{Found, Lookups, Package, SOURCE, Told};
use super::malformed;
use super::os_release::Os;
use crate::error::Result;
use crate::sbom::license;
use crate::sbom::purl;

/// The fields of a package that are read; the rest tells of its files.
#[derive(Default)]
struct Record {
    name: String,
    version: String,
    arch: String,
    license: String,
    origin: String,
    depends: String,
    provides: String,
}

pub(super) fn read(told: &[Told], os: &Os) -> Result<Vec<Package>> {
    let mut records: Vec<(Record, &Found)> = Vec::new();
    for told in told {
        let found = &told.file.found;
        records.extend(parse(found, &told.content)?.into_iter().map(|record| (record, found)));
    }
    let mut offers: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (place, (record, _)) in records.iter().enumerate() {
        for name in std::iter::once(&*record.name).chain(record.provides.split_whitespace().map(without_version)) {
            offers.entry(name).or_default().insert(place);
        }
    }
    let mut seen = BTreeMap::new();
    for (place, (record, found)) in records.iter().enumerate() {
        if seen.insert(&*record.name, place).is_some() {
            return Err(malformed(&found.path, format_args!("has the package `{}` twice", record.name)));
        }
    }
    let mut lookups = Lookups::default();
    let mut packages = Vec::with_capacity(records.len());
    for (record, found) in &records {
        let mut needs = BTreeSet::new();
        for wish in record.depends.split_whitespace().filter(|wish| !wish.starts_with('!')) {
            let name = without_version(wish);
            match seen.get(name) {
                Some(place) => drop(needs.insert(*place)),
                None => {
                    let offered = offers.get(name);
                    lookups.take(1 + offered.map_or(0, BTreeSet::len))?;
                    needs.extend(offered.into_iter().flatten().copied());
                }
            }
        }
        let arch = Some(record.arch.as_str()).filter(|arch| !arch.is_empty());
        let purl = purl::of("apk", Some(&os.id), &record.name.to_lowercase(), Some(&record.version), None)?;
        let origin = if record.origin.is_empty() { &record.name } else { &record.origin };
        packages.push(Package {
            group: None,
            name: record.name.clone(),
            version: Some(record.version.clone()),
            purl: purl::with(&purl, &[("arch", arch), ("distro", Some(&os.distro()))])?,
            licenses: license::declared(&record.license).into_iter().collect(),
            // packages of one origin are built from it together, at one version
            facts: vec![(SOURCE, format!("{origin} {}", record.version))],
            found: (*found).clone(),
            needs,
        });
    }
    Ok(packages)
}

/// The name of `so:libc.so.1=1.2`, `busybox>=1.36` or `pc:x~1`.
fn without_version(text: &str) -> &str {
    text.split(['<', '>', '=', '~']).next().unwrap_or_default()
}

fn parse(found: &Found, content: &[u8]) -> Result<Vec<Record>> {
    let text = std::str::from_utf8(content).map_err(|_| malformed(&found.path, "is not UTF-8"))?;
    let mut records = Vec::new();
    let mut record: Option<Record> = None;
    for line in text.lines().chain(std::iter::once("")) {
        if line.is_empty() {
            if let Some(record) = record.take() {
                records.push(record.checked(found)?);
            }
            continue;
        }
        let (key, value) = line.split_once(':').filter(|(key, _)| key.len() == 1).ok_or_else(|| {
            malformed(&found.path, format_args!("has the line `{}`, which is no field", line.escape_debug()))
        })?;
        let record = record.get_or_insert_default();
        let field = match key {
            "P" => &mut record.name,
            "V" => &mut record.version,
            "A" => &mut record.arch,
            "L" => &mut record.license,
            "o" => &mut record.origin,
            "D" => &mut record.depends,
            "p" => &mut record.provides,
            _ => continue,
        };
        if !field.is_empty() {
            return Err(malformed(&found.path, format_args!("has the field `{key}` twice in one package")));
        }
        value.trim().clone_into(field);
    }
    Ok(records)
}

impl Record {
    fn checked(self, found: &Found) -> Result<Self> {
        let sound = |text: &str, also: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
        };
        if !sound(&self.name, "+._-") || !sound(&self.version, "._-~+") {
            return Err(malformed(
                &found.path,
                format_args!(
                    "has a package `{}` of version `{}`, which is no name and version",
                    self.name.escape_debug(),
                    self.version.escape_debug()
                ),
            ));
        }
        Ok(self)
    }
}
