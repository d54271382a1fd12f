//! Packages of dpkg: `var/lib/dpkg/status`, and its parts in distroless images (deb-control(5), Debian Policy chapters 5
//! and 7).

use std::collections::{BTreeMap, BTreeSet};

use super::inventory::{Found, Lookups, Package, SOURCE, Told};
use super::os_release::Os;
use super::{copyright, dpkg_version, malformed};
use crate::error::{Error, Result};
use crate::sbom::license::LicenseChoice;
use crate::sbom::purl;

/// A package as the database has it.
struct Stanza<'a> {
    fields: BTreeMap<String, String>,
    found: &'a Found,
}

/// A package that something may need, by its own name or one that it provides.
struct Offer<'a> {
    place: usize,
    arch: &'a str,
    /// None if a name is provided without a version.
    version: Option<&'a str>,
    is_real: bool,
}

/// A name, a version or an architecture, in bytes.
const LONGEST: usize = 512;

type Offers<'a> = BTreeMap<&'a str, Vec<Offer<'a>>>;

pub(super) fn read<'a>(
    told: &'a [Told],
    os: &Os,
    copyright: &dyn Fn(&str) -> Option<&'a [u8]>,
) -> Result<Vec<Package>> {
    let mut stanzas = Vec::new();
    for told in told {
        stanzas.extend(parse(&told.file.found, &String::from_utf8_lossy(&told.content))?);
    }
    let mut seen: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for stanza in &stanzas {
        let (name, arch) = (stanza.name()?, stanza.arch()?);
        if seen.insert((name, arch), stanza.version()?).is_some() {
            return Err(stanza.malformed(format_args!("has the package `{name}` of `{arch}` twice")));
        }
    }
    let offers = offers(&stanzas)?;
    let mut lookups = Lookups::default();
    stanzas
        .iter()
        .map(|stanza| {
            let (name, version, arch) = (stanza.name()?, stanza.version()?, stanza.arch()?);
            let purl = purl::of("deb", Some(&os.id), name, Some(version), None)?;
            Ok(Package {
                group: None,
                name: name.to_owned(),
                version: Some(version.to_owned()),
                purl: purl::with(&purl, &[("arch", Some(arch)), ("distro", Some(&os.distro()))])?,
                licenses: copyright(name).map(licenses).unwrap_or_default(),
                facts: vec![(SOURCE, stanza.source()?)],
                found: stanza.found.clone(),
                needs: stanza.needs(&offers, &mut lookups)?,
            })
        })
        .collect()
}

fn licenses(content: &[u8]) -> Vec<LicenseChoice> {
    copyright::licenses(&String::from_utf8_lossy(content))
}

/// The packages whose files are there.
fn parse<'a>(found: &'a Found, text: &str) -> Result<Vec<Stanza<'a>>> {
    let mut stanzas = Vec::new();
    for fields in stanzas_of(text).map_err(|fault| malformed(&found.path, fault))? {
        let stanza = Stanza { fields, found };
        if stanza.is_unpacked()? {
            stanzas.push(stanza);
        }
    }
    Ok(stanzas)
}

/// The stanzas of a file of control data: fields by their names in lower case, continued lines with their line breaks.
pub(super) fn stanzas_of(text: &str) -> Result<Vec<BTreeMap<String, String>>, String> {
    let mut stanzas = Vec::new();
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut last: Option<String> = None;
    for line in text.lines() {
        if line.trim_end().is_empty() {
            if !fields.is_empty() {
                stanzas.push(std::mem::take(&mut fields));
            }
            last = None;
        } else if line.starts_with('#') {
        } else if line.starts_with([' ', '\t']) {
            let Some(value) = last.as_ref().and_then(|name| fields.get_mut(name)) else {
                return Err(format!("goes on with no field, in the line `{}`", line.escape_debug()));
            };
            value.push('\n');
            value.push_str(line.trim());
        } else {
            let (name, value) =
                line.split_once(':').ok_or_else(|| format!("has the line `{}`, no field", line.escape_debug()))?;
            let name = name.to_lowercase();
            if fields.insert(name.clone(), value.trim().to_owned()).is_some() {
                return Err(format!("has the field `{}` twice in one stanza", name.escape_debug()));
            }
            last = Some(name);
        }
    }
    if !fields.is_empty() {
        stanzas.push(fields);
    }
    Ok(stanzas)
}

impl Stanza<'_> {
    fn get(&self, field: &str) -> &str {
        self.fields.get(field).map(String::as_str).unwrap_or_default()
    }

    fn name(&self) -> Result<&str> {
        self.checked("package", "+.-_")
    }

    fn version(&self) -> Result<&str> {
        self.checked("version", ".+~:-")
    }

    fn arch(&self) -> Result<&str> {
        self.checked("architecture", "-")
    }

    /// A field that must be there, of ASCII letters, digits and `also`.
    fn checked(&self, field: &str, also: &str) -> Result<&str> {
        let value = self.get(field);
        if !value.is_empty()
            && value.len() <= LONGEST
            && value.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
        {
            return Ok(value);
        }
        let name = self.get("package").escape_debug().to_string();
        Err(self.malformed(format_args!("has a package `{name}` whose {field} is `{}`", value.escape_debug())))
    }

    /// The source package and its version, which are those of the package if nothing else is said.
    fn source(&self) -> Result<String> {
        let source = self.get("source");
        let (name, version) =
            source.split_once(" (").map_or((source, None), |(name, version)| (name, version.strip_suffix(')')));
        let name = if name.is_empty() { self.name()? } else { name.trim() };
        Ok(format!("{name} {}", version.map_or_else(|| self.version(), |version| Ok(version.trim()))?))
    }

    /// Whether its files are there, by the third word of its status; distroless images have no status.
    fn is_unpacked(&self) -> Result<bool> {
        let Some(status) = self.fields.get("status") else { return Ok(true) };
        match status.split_whitespace().nth(2) {
            Some("not-installed" | "config-files") => Ok(false),
            Some(
                "installed" | "unpacked" | "half-configured" | "half-installed" | "triggers-awaited"
                | "triggers-pending",
            ) => Ok(true),
            _ => Err(self.malformed(format_args!("has a package of the status `{}`", status.escape_debug()))),
        }
    }

    /// Of each thing that it needs, the first alternative that is there. What is not there, somebody left out on purpose.
    fn needs(&self, offers: &Offers<'_>, lookups: &mut Lookups) -> Result<BTreeSet<usize>> {
        let own = self.arch()?;
        let mut needs = BTreeSet::new();
        for field in ["pre-depends", "depends"] {
            for wish in self.get(field).split(',') {
                for text in wish.split('|') {
                    let relation = Relation::parse(text);
                    let offered = offers.get(relation.name).map(Vec::as_slice).unwrap_or_default();
                    lookups.take(1 + offered.len())?;
                    let found = relation.found(offered, own);
                    if !found.is_empty() {
                        needs.extend(found);
                        break;
                    }
                }
            }
        }
        Ok(needs)
    }

    fn malformed(&self, fault: impl std::fmt::Display) -> Error {
        malformed(&self.found.path, fault)
    }
}

fn offers<'a>(stanzas: &'a [Stanza<'_>]) -> Result<Offers<'a>> {
    let mut offers: Offers<'_> = BTreeMap::new();
    for (place, stanza) in stanzas.iter().enumerate() {
        let (arch, version) = (stanza.arch()?, Some(stanza.version()?));
        offers.entry(stanza.name()?).or_default().push(Offer { place, arch, version, is_real: true });
        for text in stanza.get("provides").split(',') {
            let provided = Relation::parse(text);
            let version = provided.version.map(|(_, version)| version).filter(|version| version.len() <= LONGEST);
            if provided.name.is_empty() {
                continue;
            }
            offers.entry(provided.name).or_default().push(Offer { place, arch, version, is_real: false });
        }
    }
    Ok(offers)
}

/// One alternative of what a package needs: `name:arch (>= version)`.
struct Relation<'a> {
    name: &'a str,
    any_arch: bool,
    version: Option<(&'a str, &'a str)>,
}

impl<'a> Relation<'a> {
    fn parse(text: &'a str) -> Self {
        let (name, rest) = text.split_once('(').unwrap_or((text, ""));
        // conditions on architectures are settled when a package is built
        let name = name.split('[').next().unwrap_or_default().trim();
        let (name, arch) = name.split_once(':').map_or((name, None), |(name, arch)| (name, Some(arch)));
        let version = rest.split(')').next().map(str::trim).filter(|text| !text.is_empty());
        let version = version.map(|text| {
            let end = text.find(|c: char| !"<>=".contains(c)).unwrap_or(text.len());
            let (operator, version) = text.split_at(end);
            (operator, version.trim())
        });
        Self { name, any_arch: arch.is_some(), version }
    }

    /// The packages that it means: one of this name, else all that provide it.
    fn found(&self, offered: &[Offer<'_>], own: &str) -> BTreeSet<usize> {
        let fits = |offer: &&Offer<'_>| {
            let arch = self.any_arch || offer.arch == own || offer.arch == "all" || own == "all";
            arch && self.version.is_none_or(|(operator, version)| {
                version.len() <= LONGEST
                    && offer.version.is_some_and(|found| dpkg_version::holds(found, operator, version))
            })
        };
        let fitting = || offered.iter().filter(fits);
        let real: BTreeSet<usize> = fitting().filter(|offer| offer.is_real).map(|offer| offer.place).collect();
        if real.is_empty() { fitting().map(|offer| offer.place).collect() } else { real }
    }
}
