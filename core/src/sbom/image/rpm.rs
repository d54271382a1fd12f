//! Packages of rpm, from its database in SQLite (`rpmdb.sqlite`; rpm.org, "RPM Tags", "Database format").

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OptionalExtension as _};

use super::inventory::{Found, Lookups, Package, SOURCE, Told};
use super::malformed;
use super::os_release::Os;
use super::rpm_header::{Header, tag};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::sbom::license;
use crate::sbom::purl;

/// Names that all packages may provide and need.
const NAMES: usize = 4_000_000;
/// What rpm files keys under that it believes; it is no package.
const KEY: &str = "gpg-pubkey";

pub(super) fn read(told: &[Told], os: &Os) -> Result<Vec<Package>> {
    let mut packages = Vec::new();
    let mut wishes: Vec<Vec<String>> = Vec::new();
    let mut offers: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    let wanted = wanted(told)?;
    let mut left = NAMES;
    let mut lookups = Lookups::default();
    for told in told {
        let found = &told.file.found;
        each_header(found, &told.content, &mut |header| {
            let name = field(found, header, tag::NAME, "+._-")?;
            if name == KEY {
                return Ok(());
            }
            let place = packages.len();
            let provided = header.texts(tag::PROVIDE_NAME);
            let wished = header.texts(tag::REQUIRE_NAME);
            left = left.checked_sub(provided.len() + wished.len()).ok_or_else(too_many)?;
            for name in provided.into_iter().chain(header.paths_among(&wanted)).chain([name.clone()]) {
                offers.entry(name).or_default().insert(place);
            }
            wishes.push(wished);
            packages.push(package(found, header, name, os)?);
            Ok(())
        })?;
    }
    for (place, (package, wishes)) in packages.iter_mut().zip(wishes).enumerate() {
        for wish in wishes {
            // conditions in parentheses and what rpm itself must be able to do have no one package
            let offered = offers.get(&wish);
            lookups.take(1 + offered.map_or(0, BTreeSet::len))?;
            package.needs.extend(offered.into_iter().flatten().copied().filter(|need| *need != place));
        }
    }
    Ok(packages)
}

/// Files that packages need by their paths: folders by the names in them.
fn wanted(told: &[Told]) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for told in told {
        each_header(&told.file.found, &told.content, &mut |header| {
            for path in header.texts(tag::REQUIRE_NAME).iter().filter(|name| name.starts_with('/')) {
                let (folder, name) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
                wanted.entry(name.to_owned()).or_default().insert(folder.to_owned());
            }
            Ok(())
        })?;
    }
    Ok(wanted)
}

fn too_many() -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format!("packages of rpm provide and need over {NAMES} names; see what the image is"),
    )
}

fn package(found: &Found, header: &Header, name: String, os: &Os) -> Result<Package> {
    let version = field(found, header, tag::VERSION, "._+~^")?;
    let release = field(found, header, tag::RELEASE, "._+~^")?;
    let arch = field(found, header, tag::ARCH, "_")?;
    let epoch = header.number(tag::EPOCH).map(|epoch| epoch.to_string());
    let version = format!("{version}-{release}");
    // by purl-spec the vendor's own name
    let vendor = if os.id == "rhel" { "redhat" } else { &os.id };
    let purl = purl::of("rpm", Some(vendor), &name, Some(&version), None)?;
    let qualifiers = [("arch", Some(&*arch)), ("distro", Some(&*os.distro())), ("epoch", epoch.as_deref())];
    let source = header.text(tag::SOURCE_RPM).filter(|source| *source != "(none)");
    Ok(Package {
        group: None,
        purl: purl::with(&purl, &qualifiers)?,
        version: Some(epoch.map_or_else(|| version.clone(), |epoch| format!("{epoch}:{version}"))),
        name,
        licenses: header.text(tag::LICENSE).and_then(|text| license::declared(&text)).into_iter().collect(),
        facts: source.map(|source| (SOURCE, source)).into_iter().collect(),
        found: found.clone(),
        needs: BTreeSet::new(),
    })
}

/// A field that must be there, of ASCII letters, digits and `also`.
fn field(found: &Found, header: &Header, tag: u32, also: &str) -> Result<String> {
    let value = header.text(tag).unwrap_or_default();
    if !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c)) {
        return Ok(value);
    }
    Err(malformed(&found.path, format_args!("has a package whose tag {tag} is `{}`", value.escape_debug())))
}

/// Gives the header of each installed package to `see`. The database is read from memory, as one that may be hostile:
/// nothing in it is run, and it is checked for loops first.
fn each_header(found: &Found, content: &[u8], see: &mut dyn FnMut(&Header) -> Result<()>) -> Result<()> {
    let failed = |e: rusqlite::Error| malformed(&found.path, format_args!("is no database of rpm: {e}"));
    let mut content = content.to_vec();
    // a database in memory has no log beside it; what stands in one that was copied along is looked for before
    match content.get_mut(18..20) {
        Some(versions) if versions.iter().all(|version| *version == 2) => versions.fill(1),
        Some(versions) if versions.iter().all(|version| *version == 1) => {}
        _ => return Err(malformed(&found.path, "is no database of SQLite")),
    }
    let mut database = Connection::open_in_memory().map_err(failed)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(failed)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).map_err(failed)?;
    let longest = i32::try_from(limits::IMAGE_FILE_BYTES).unwrap_or(i32::MAX);
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest).map_err(failed)?;
    database.deserialize_read_exact(rusqlite::MAIN_DB, &*content, content.len(), true).map_err(failed)?;
    drop(content);
    database.pragma_update(None, "cell_size_check", true).map_err(failed)?;
    let checked: String = database.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if checked != "ok" {
        return Err(malformed(&found.path, format_args!("is damaged: {checked}")));
    }
    // a table that is one, of a column that is stored: no view and no expression
    let plain = "SELECT 1 FROM sqlite_schema s, pragma_table_xinfo(s.name) c \
                 WHERE s.type = 'table' AND s.name = 'Packages' AND s.rootpage > 0 AND c.name = 'blob' AND c.hidden = 0";
    if database.query_row(plain, [], |_| Ok(())).optional().map_err(failed)?.is_none() {
        return Err(malformed(&found.path, "has no table of packages"));
    }
    let mut rows = database.prepare("SELECT blob FROM Packages ORDER BY rowid").map_err(failed)?;
    let mut rows = rows.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let header: Vec<u8> = row.get(0).map_err(failed)?;
        see(&Header::parse(header).map_err(|fault| malformed(&found.path, fault))?)?;
    }
    Ok(())
}
