//! Go programs, which carry the versions of all modules they were built from (Go's `debug/buildinfo`, since Go 1.18).

use std::collections::BTreeSet;
use std::io::{self, Read};

use super::inventory::{Package, Told};
use super::malformed;
use crate::error::Result;
use crate::sbom::purl;

/// What stands before the information, at a place that [`ALIGNED`] divides.
const MAGIC: &[u8] = b"\xff Go buildinf:";
const ALIGNED: usize = 16;
/// The flag that the texts follow, and are not pointed to.
const INLINE: u8 = 2;
const HEADER: usize = 32;
/// What stands before and after the list of modules.
const MARK: usize = 16;
const START: &[u8; MARK] = b"0w\xaf\x0c\x92t\x08\x02A\xe1\xc1\x07\xe6\xd6\x18\xe6";
const END: &[u8; MARK] = b"\xf92C1\x86\x18 r\x00\x82B\x10A\x16\xd8\xf2";
/// Longest name of a version, and longest list of modules.
const VERSION: usize = 256;
const MODULES: usize = 4 * 1024 * 1024;

/// The build information of a program for Linux: the version of Go in the first line, then the list of modules; none if it is
/// no program of Go. Programs are large, so they are never held whole.
pub(super) fn search(reader: &mut dyn Read) -> io::Result<Option<Vec<u8>>> {
    let mut window = Window { reader, bytes: Vec::new() };
    if !window.has(ALIGNED)? || !window.bytes.starts_with(b"\x7fELF") {
        return Ok(None);
    }
    let mut at = 0;
    while window.has(at + ALIGNED)? {
        if window.bytes.get(at..).is_some_and(|rest| rest.starts_with(MAGIC))
            && let Some(information) = window.information(at)?
        {
            return Ok(Some(information));
        }
        at += ALIGNED;
        if at >= 1024 * 1024 {
            window.bytes.drain(..at);
            at = 0;
        }
    }
    Ok(None)
}

/// The part of a program that is looked at.
struct Window<'a> {
    reader: &'a mut dyn Read,
    bytes: Vec<u8>,
}

impl Window<'_> {
    /// Whether it has so many bytes, which are read if need be.
    fn has(&mut self, count: usize) -> io::Result<bool> {
        if self.bytes.len() < count {
            // more than is asked for, for each reading costs
            let more = (count - self.bytes.len()).max(64 * 1024);
            (&mut *self.reader).take(more as u64).read_to_end(&mut self.bytes)?;
        }
        Ok(self.bytes.len() >= count)
    }

    /// What follows the magic at `at`, if it is what the linker writes.
    fn information(&mut self, at: usize) -> io::Result<Option<Vec<u8>>> {
        if !self.has(at + HEADER)? || self.bytes.get(at + MAGIC.len() + 1).is_none_or(|flags| flags & INLINE == 0) {
            return Ok(None);
        }
        let Some((version, next)) = self.text(at + HEADER, VERSION)? else { return Ok(None) };
        if !version.starts_with(b"go1.") && !version.starts_with(b"devel") {
            return Ok(None);
        }
        let Some((modules, _)) = self.text(next, MODULES)? else { return Ok(None) };
        let modules = match &*modules {
            [] => &[],
            marked => match marked.strip_prefix(START).and_then(|rest| rest.strip_suffix(END)) {
                Some(modules) => modules,
                None => return Ok(None),
            },
        };
        Ok(Some([&version, &b"\n"[..], modules].concat()))
    }

    /// A text after its length, and where it ends.
    fn text(&mut self, at: usize, longest: usize) -> io::Result<Option<(Vec<u8>, usize)>> {
        let mut length = 0usize;
        let mut start = at;
        for shift in (0..28).step_by(7) {
            if !self.has(start + 1)? {
                return Ok(None);
            }
            let byte = self.bytes.get(start).copied().unwrap_or_default();
            length |= usize::from(byte & 0x7f) << shift;
            start += 1;
            if byte & 0x80 == 0 {
                let end = start + length;
                if length > longest || !self.has(end)? {
                    return Ok(None);
                }
                return Ok(self.bytes.get(start..end).map(|text| (text.to_vec(), end)));
            }
        }
        Ok(None)
    }
}

/// The modules of programs, each with what it was built from.
pub(super) fn read(told: &[Told]) -> Result<Vec<Package>> {
    let mut packages: Vec<Package> = Vec::new();
    for told in told {
        let path = &told.file.found.path;
        let text =
            std::str::from_utf8(&told.content).map_err(|_| malformed(path, "was built from what is no UTF-8"))?;
        let mut lines = text.lines();
        let go = lines.next().unwrap_or_default();
        let mut modules: Vec<(&str, Option<&str>)> = Vec::new();
        let mut main = None;
        for line in lines {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields.as_slice() {
                ["mod", name, version, ..] => main = Some((*name, Some(*version))),
                ["dep", name, version, ..] => modules.push((name, Some(version))),
                // what stands in the place of the module before it; a folder has no version
                ["=>", name, version, ..] => {
                    let replaced = modules.last_mut().ok_or_else(|| malformed(path, "replaces no module"))?;
                    let is_folder = name.starts_with(['.', '/']);
                    *replaced = if is_folder { (replaced.0, None) } else { (name, Some(version)) };
                }
                _ => {}
            }
        }
        let start = packages.len() + usize::from(main.is_some());
        if let Some((name, version)) = main {
            let mut program = package(told, name, version)?;
            program.needs = (start..=start + modules.len()).collect();
            packages.push(program);
        }
        // `go1.22.1 X:experiment` and `devel go1.23-…` are built of what no release has
        let library = go.split_whitespace().find_map(|word| word.strip_prefix("go"));
        packages.push(package(told, "stdlib", library)?);
        for (name, version) in modules {
            packages.push(package(told, name, version)?);
        }
    }
    Ok(packages)
}

fn package(told: &Told, module: &str, version: Option<&str>) -> Result<Package> {
    // what was built from a working folder has no version
    let version = version.filter(|version| !version.is_empty() && *version != "(devel)");
    // by purl-spec, both in lower case
    let lower = module.to_lowercase();
    let (namespace, name) = match lower.rsplit_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, &*lower),
    };
    Ok(Package {
        group: None,
        name: module.to_owned(),
        version: version.map(str::to_owned),
        purl: purl::of("golang", namespace, name, version, None)?,
        licenses: Vec::new(),
        facts: Vec::new(),
        found: told.file.found.clone(),
        needs: BTreeSet::new(),
    })
}
