//! Finds the files of an image that tell of packages.

use std::collections::{BTreeMap, BTreeSet};

use super::inventory::Found;
use crate::error::{Error, ErrorKind, Result};
use crate::image::{FileRef, Image, Place};

/// Databases of package managers that are not read. An inventory without their packages would look whole.
const UNREAD: &[(&str, &[&str])] = &[
    (
        "rpm, in a database that is not of SQLite",
        &[
            "var/lib/rpm/Packages",
            "var/lib/rpm/Packages.db",
            "usr/lib/sysimage/rpm/Packages",
            "usr/lib/sysimage/rpm/Packages.db",
            "usr/share/rpm/Packages",
            "usr/share/rpm/Packages.db",
        ],
    ),
    ("pacman", &["var/lib/pacman/local"]),
    ("portage", &["var/db/pkg"]),
    ("xbps", &["var/db/xbps"]),
    ("opkg", &["usr/lib/opkg/status", "var/lib/opkg/status"]),
    ("nix", &["nix/var/nix/db/db.sqlite"]),
];

/// Where rpm keeps its database, of SQLite since version 4.16.
const RPM: [&str; 3] = ["usr/lib/sysimage/rpm", "var/lib/rpm", "usr/share/rpm"];

const OS_RELEASE: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];
const DPKG: &str = "var/lib/dpkg/status";
const DPKG_PARTS: &str = "var/lib/dpkg/status.d";
const DOC: &str = "usr/share/doc";
const APK: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

/// A file that was found: where, what, and which.
pub(super) struct File {
    pub(super) found: Found,
    pub(super) file: FileRef,
    pub(super) place: Place,
}

/// The files that tell of packages, each kind sorted by path.
#[derive(Default)]
pub(super) struct Files {
    pub(super) os_release: Option<FileRef>,
    pub(super) dpkg: Vec<File>,
    /// By the name of the package.
    pub(super) copyrights: BTreeMap<String, FileRef>,
    pub(super) apk: Vec<File>,
    pub(super) rpm: Vec<File>,
    pub(super) python: Vec<File>,
    pub(super) node: Vec<File>,
    pub(super) gems: Vec<File>,
    /// Programs of Go.
    pub(super) programs: Vec<File>,
    /// Folders of Python packages with a list of what was installed.
    pub(super) recorded: BTreeSet<String>,
}

/// Whether the file at `path`, in a layer, is likely one of [`Files`]. Links may lead to others, which are read later.
pub(super) fn is_likely(path: &[u8]) -> bool {
    let Ok(path) = std::str::from_utf8(path) else { return false };
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "os-release" => true,
        "status" => folder.ends_with("dpkg"),
        "rpmdb.sqlite" => folder.ends_with("/rpm"),
        "installed" => folder.ends_with("apk/db"),
        "copyright" => folder.starts_with(DOC),
        _ => folder.ends_with("dpkg/status.d") || Kind::of(path).is_some(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Python,
    Node,
    Gem,
}

impl Kind {
    /// What the file at `path` tells of, by its name and its folders.
    fn of(path: &str) -> Option<Self> {
        let mut parts = path.rsplit('/');
        let name = parts.next()?;
        let folder = parts.next().unwrap_or_default();
        match name {
            "METADATA" if folder.ends_with(".dist-info") => Some(Self::Python),
            "PKG-INFO" if folder.ends_with(".egg-info") || folder == "EGG-INFO" => Some(Self::Python),
            _ if name.ends_with(".egg-info") => Some(Self::Python),
            "package.json" if !folder.starts_with('.') => {
                let above = parts.next()?;
                let holds = if above.starts_with('@') { parts.next()? } else { above };
                (holds == "node_modules" && !folder.starts_with('@')).then_some(Self::Node)
            }
            _ if name.ends_with(".gemspec") => {
                let is_default = folder == "default" && parts.next() == Some("specifications");
                (folder == "specifications" || is_default).then_some(Self::Gem)
            }
            _ => None,
        }
    }
}

impl Files {
    pub(super) fn find(image: &mut Image) -> Result<Self> {
        for (manager, paths) in UNREAD {
            for path in *paths {
                if image.tree.find(path.as_bytes())?.is_some() {
                    return Err(Error::new(
                        ErrorKind::Unsupported,
                        format!(
                            "the image has packages of {manager} (`/{path}`), which are not read; make its SBOM with \
                             another tool"
                        ),
                    ));
                }
            }
        }
        let mut files = Self::default();
        for path in OS_RELEASE {
            files.os_release = files.os_release.or(image.tree.file(path.as_bytes())?);
        }
        files.dpkg.extend(at(image, DPKG)?);
        for name in image.tree.names(DPKG_PARTS.as_bytes())? {
            // beside each package lie the hashes of its files
            match std::str::from_utf8(&name) {
                Ok(name) if !name.ends_with(".md5sums") => {
                    files.dpkg.extend(at(image, &format!("{DPKG_PARTS}/{name}"))?);
                }
                _ => {}
            }
        }
        if !files.dpkg.is_empty() {
            for name in image.tree.names(DOC.as_bytes())? {
                let Ok(name) = String::from_utf8(name.into()) else { continue };
                if let Some(file) = image.tree.file(format!("{DOC}/{name}/copyright").as_bytes())? {
                    files.copyrights.insert(name, file);
                }
            }
        }
        for path in APK {
            let file = at(image, path)?;
            files.apk.extend(file.filter(|file| files.apk.iter().all(|known| known.place != file.place)));
        }
        for folder in RPM {
            let file = at(image, &format!("{folder}/rpmdb.sqlite"))?;
            for log in ["wal", "journal"] {
                // what SQLite has not brought into the database yet
                let log = format!("{folder}/rpmdb.sqlite-{log}");
                if file.is_some() && image.tree.file(log.as_bytes())?.is_some_and(|log| log.size > 0) {
                    return Err(Error::new(
                        ErrorKind::Unsupported,
                        format!(
                            "the image has a database of rpm that was not closed (`/{log}`); build it anew, and let rpm end"
                        ),
                    ));
                }
            }
            files.rpm.extend(file.filter(|file| files.rpm.iter().all(|known| known.place != file.place)));
        }
        files.find_anywhere(image)?;
        Ok(files)
    }

    /// Language packages stand in any folder.
    fn find_anywhere(&mut self, image: &Image) -> Result<()> {
        let mut odd = None;
        image.tree.each_file(&mut |path, place, file| {
            let Ok(text) = std::str::from_utf8(path) else {
                if Kind::of(&String::from_utf8_lossy(path)).is_some() || image.found_in(file).is_some() {
                    odd = Some(String::from_utf8_lossy(path).into_owned());
                }
                return;
            };
            if let Some(folder) = text.strip_suffix("/RECORD").filter(|folder| folder.ends_with(".dist-info")) {
                self.recorded.insert(folder.to_owned());
            }
            let list = match Kind::of(text) {
                Some(Kind::Python) => &mut self.python,
                Some(Kind::Node) => &mut self.node,
                Some(Kind::Gem) => &mut self.gems,
                None if image.found_in(file).is_some() => &mut self.programs,
                None => return,
            };
            list.push(File { found: found(image, text, file), file: file.clone(), place });
        });
        match odd {
            None => Ok(()),
            Some(path) => Err(super::malformed(&path, "has a path that is no UTF-8")),
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> BTreeSet<FileRef> {
        let lists = [&self.dpkg, &self.apk, &self.rpm, &self.python, &self.node, &self.gems];
        let listed = lists.into_iter().flatten().map(|file| &file.file);
        listed.chain(&self.os_release).chain(self.copyrights.values()).cloned().collect()
    }
}

/// The file at `path`, links followed.
fn at(image: &mut Image, path: &str) -> Result<Option<File>> {
    let Some(file) = image.tree.file(path.as_bytes())? else { return Ok(None) };
    let Some(place) = image.tree.find(path.as_bytes())? else { return Ok(None) };
    Ok(Some(File { found: found(image, path, &file), file, place }))
}

fn found(image: &Image, path: &str, file: &FileRef) -> Found {
    let layer = image.layer_of(file).map(ToString::to_string).unwrap_or_default();
    Found { path: format!("/{path}"), layer }
}
