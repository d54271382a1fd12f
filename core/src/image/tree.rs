//! The files of an image: its layers, laid over each other in memory (OCI image specification v1.1, layer, "Applying
//! Changesets").

use std::collections::BTreeMap;

use super::tar::{Entry, Kind, shown};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// A file that removes what lies below a layer under the name after this.
const WHITEOUT: &[u8] = b".wh.";
/// A file that removes all that lies in its folder below its layer; other names that begin so are of AUFS alone.
const OPAQUE: &[u8] = b".wh..wh..opq";
const META: &[u8] = b".wh..wh.";

/// Which file of which layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileRef {
    /// The number of the layer, from 0, the lowest first; of a layer that is there twice the first.
    pub(super) layer: usize,
    /// The number of the entry in it.
    ordinal: u64,
    /// Its length in bytes.
    pub(crate) size: u64,
}

impl FileRef {
    pub(super) fn new(layer: usize, ordinal: u64, size: u64) -> Self {
        Self { layer, ordinal, size }
    }
}

#[derive(Debug)]
struct Node {
    /// The layer that it is from.
    layer: usize,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Folder(BTreeMap<Box<[u8]>, usize>),
    File(FileRef),
    Link(Box<[u8]>),
    /// What has no content that is read: a device, a pipe, a sparse file.
    Other,
}

/// A file or folder of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(usize);

/// All files, folders and links of an image.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    /// Steps that may still be taken over names, links and folders.
    steps: u64,
}

const ROOT: usize = 0;

impl Default for Tree {
    fn default() -> Self {
        let root = Node { layer: 0, what: What::Folder(BTreeMap::new()) };
        Self { nodes: vec![root], steps: limits::IMAGE_STEPS }
    }
}

/// A walk from the root along a path.
struct Walk {
    /// The folders on the way, the root first, and where the walk is.
    stack: Vec<usize>,
    links: usize,
    /// The layer that lacking folders are made for; without, a walk to nowhere ends.
    layer: Option<usize>,
}

impl Tree {
    /// Lays an entry of a layer over what is there. Layers come from the lowest up, entries in their order;
    /// `name_of` gives the name of a file of some size.
    pub(super) fn add(&mut self, layer: usize, name_of: impl Fn(u64) -> FileRef, entry: Entry) -> Result<()> {
        let path = &*entry.path;
        if path.is_empty() {
            return if entry.kind == Kind::Directory { Ok(()) } else { Err(malformed(path, "is no folder")) };
        }
        let cut = path.iter().rposition(|byte| *byte == b'/');
        let (folder, name) = path.split_at(cut.unwrap_or(0));
        let name = if cut.is_some() { name.get(1..).unwrap_or_default() } else { name };
        let mut parts = path.split(|byte| *byte == b'/');
        if parts.any(|part| part.starts_with(META) && part != OPAQUE) {
            return Ok(());
        }
        if folder.split(|byte| *byte == b'/').any(|part| part.starts_with(WHITEOUT)) {
            return Err(malformed(path, "stands below what removes a file"));
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            if entry.kind == Kind::Directory || matches!(hidden, b"" | b"." | b"..") {
                return Err(malformed(path, "removes no file that there can be"));
            }
            let Some(walk) = self.walk(folder, None)? else { return Ok(()) };
            return self.hide(&walk, if name == OPAQUE { None } else { Some(hidden) }, layer);
        }
        let what = match entry.kind {
            Kind::Directory => What::Folder(BTreeMap::new()),
            Kind::File { size } => What::File(name_of(size)),
            Kind::Symlink(target) => What::Link(target),
            Kind::Sparse | Kind::Special => What::Other,
            Kind::Hardlink(target) => self.target(&target)?.ok_or_else(|| malformed(path, "is a link to no file"))?,
        };
        let walk = self.walk(folder, Some(layer))?.ok_or_else(|| malformed(path, "stands in what is no folder"))?;
        let Some(&parent) = walk.stack.last() else { return Ok(()) };
        if walk.stack.len() > limits::IMAGE_DEPTH {
            return Err(limit(format_args!("folders deeper than {}", limits::IMAGE_DEPTH)));
        }
        if let (What::Folder(_), Some(same)) = (&what, self.child(parent, name))
            && let Some(Node { layer: from, what: What::Folder(_) }) = self.nodes.get_mut(same)
        {
            *from = layer;
            return Ok(());
        }
        self.put(parent, name, Node { layer, what }).map(|_| ())
    }

    /// The file, folder or device at `path`, links followed; none if there is nothing.
    ///
    /// # Errors
    /// `MALFORMED` if links go round, `LIMIT_EXCEEDED` if there was too much to follow.
    pub(crate) fn find(&mut self, path: &[u8]) -> Result<Option<Place>> {
        Ok(self.walk(path, None)?.and_then(|walk| walk.stack.last().copied()).map(Place))
    }

    /// The file at `path`, links followed; none if there is nothing.
    ///
    /// # Errors
    /// Those of [`Tree::find`], and `UNSUPPORTED` if it is there and its content can't be read.
    pub(crate) fn file(&mut self, path: &[u8]) -> Result<Option<FileRef>> {
        let Some(Place(place)) = self.find(path)? else { return Ok(None) };
        match self.nodes.get(place).map(|node| &node.what) {
            Some(What::File(file)) => Ok(Some(file.clone())),
            Some(What::Other) => Err(Error::new(
                ErrorKind::Unsupported,
                format!("`{}` of the image is a device, a pipe or a sparse file, which is not read", shown(path)),
            )),
            _ => Ok(None),
        }
    }

    /// The names in the folder at `path`, links followed.
    pub(crate) fn names(&mut self, path: &[u8]) -> Result<Vec<Box<[u8]>>> {
        let place = self.find(path)?;
        match place.and_then(|Place(place)| self.nodes.get(place)).map(|node| &node.what) {
            Some(What::Folder(children)) => Ok(children.keys().cloned().collect()),
            _ => Ok(Vec::new()),
        }
    }

    /// Each file with its path and place, sorted by path part by part; links are not followed.
    pub(crate) fn each_file(&self, see: &mut dyn FnMut(&[u8], Place, &FileRef)) {
        let mut open: Vec<(usize, Vec<u8>)> = vec![(ROOT, Vec::new())];
        while let Some((place, path)) = open.pop() {
            match self.nodes.get(place).map(|node| &node.what) {
                Some(What::Folder(children)) => {
                    for (name, &child) in children.iter().rev() {
                        let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
                        open.push((child, [&*path, slash, name].concat()));
                    }
                }
                Some(What::File(file)) => see(&path, Place(place), file),
                _ => {}
            }
        }
    }

    /// What a hard link to `path` stands for; its last part is not followed.
    fn target(&mut self, path: &[u8]) -> Result<Option<What>> {
        let cut = path.iter().rposition(|byte| *byte == b'/');
        let (folder, name) = path.split_at(cut.unwrap_or(0));
        let name = if cut.is_some() { name.get(1..).unwrap_or_default() } else { name };
        let Some(walk) = self.walk(folder, None)? else { return Ok(None) };
        let target = walk.stack.last().and_then(|&parent| self.child(parent, name));
        Ok(match target.and_then(|target| self.nodes.get(target)).map(|node| &node.what) {
            Some(What::Folder(_)) | None => None,
            Some(what) => Some(what.clone()),
        })
    }

    fn walk(&mut self, path: &[u8], layer: Option<usize>) -> Result<Option<Walk>> {
        let mut walk = Walk { stack: vec![ROOT], links: 0, layer };
        Ok(self.go(&mut walk, path)?.then_some(walk))
    }

    /// Goes on from where the walk is; says whether it came to the end of `path`.
    fn go(&mut self, walk: &mut Walk, path: &[u8]) -> Result<bool> {
        for part in path.split(|byte| *byte == b'/') {
            self.step()?;
            match part {
                b"" | b"." => continue,
                b".." => {
                    // above the root is the root
                    if walk.stack.len() > 1 {
                        walk.stack.pop();
                    }
                    continue;
                }
                _ => {}
            }
            let Some(&here) = walk.stack.last() else { return Ok(false) };
            let Some(Node { what: What::Folder(_), .. }) = self.nodes.get(here) else { return Ok(false) };
            let next = match (self.child(here, part), walk.layer) {
                (Some(next), _) => next,
                (None, None) => return Ok(false),
                (None, Some(layer)) => self.make(walk, here, part, layer)?,
            };
            match self.nodes.get(next) {
                Some(Node { what: What::Link(target), .. }) => {
                    let target = target.clone();
                    walk.links += 1;
                    if walk.links > limits::IMAGE_LINKS {
                        return Err(malformed(path, "leads through links that go round"));
                    }
                    if target.starts_with(b"/") {
                        walk.stack.truncate(1);
                    }
                    if !self.go(walk, &target)? {
                        return Ok(false);
                    }
                }
                // a folder takes the place of a file that a lower layer has there
                Some(Node { what: What::File(_) | What::Other, layer: from })
                    if walk.layer.is_some_and(|layer| *from < layer) =>
                {
                    let next = self.make(walk, here, part, walk.layer.unwrap_or_default())?;
                    walk.stack.push(next);
                }
                _ => walk.stack.push(next),
            }
        }
        Ok(match walk.layer {
            None => true,
            Some(_) => walk.stack.last().and_then(|&here| self.nodes.get(here)).is_some_and(Node::is_folder),
        })
    }

    fn make(&mut self, walk: &Walk, parent: usize, name: &[u8], layer: usize) -> Result<usize> {
        if walk.stack.len() > limits::IMAGE_DEPTH {
            return Err(limit(format_args!("folders deeper than {}", limits::IMAGE_DEPTH)));
        }
        self.put(parent, name, Node { layer, what: What::Folder(BTreeMap::new()) })
    }

    fn child(&self, parent: usize, name: &[u8]) -> Option<usize> {
        match &self.nodes.get(parent)?.what {
            What::Folder(children) => children.get(name).copied(),
            _ => None,
        }
    }

    fn put(&mut self, parent: usize, name: &[u8], node: Node) -> Result<usize> {
        let place = self.nodes.len();
        // folders that no entry is of are made here too
        if place > limits::IMAGE_ENTRIES {
            return Err(limit(format_args!("more than {} files", limits::IMAGE_ENTRIES)));
        }
        if let Some(Node { what: What::Folder(children), .. }) = self.nodes.get_mut(parent) {
            children.insert(name.into(), place);
            self.nodes.push(node);
        }
        Ok(place)
    }

    /// Removes what lower layers have in the folder of `walk` under `name`, or all of it.
    fn hide(&mut self, walk: &Walk, name: Option<&[u8]>, layer: usize) -> Result<()> {
        let Some(&folder) = walk.stack.last() else { return Ok(()) };
        match name {
            None => self.fade(folder, layer).map(|_| ()),
            Some(name) => {
                let Some(child) = self.child(folder, name) else { return Ok(()) };
                if self.fade(child, layer)?
                    && let Some(Node { what: What::Folder(children), .. }) = self.nodes.get_mut(folder)
                {
                    children.remove(name);
                }
                Ok(())
            }
        }
    }

    /// Removes what lower layers have below `place`; says whether nothing is left of it. What the layer itself has there
    /// stays, wherever in the layer it stands.
    fn fade(&mut self, place: usize, layer: usize) -> Result<bool> {
        self.step()?;
        let Some(node) = self.nodes.get_mut(place) else { return Ok(true) };
        let is_lower = node.layer < layer;
        let What::Folder(children) = &mut node.what else { return Ok(is_lower) };
        let mut left = BTreeMap::new();
        for (name, child) in std::mem::take(children) {
            if !self.fade(child, layer)? {
                left.insert(name, child);
            }
        }
        let is_empty = left.is_empty();
        if let Some(node) = self.nodes.get_mut(place) {
            node.what = What::Folder(left);
        }
        Ok(is_lower && is_empty)
    }

    fn step(&mut self) -> Result<()> {
        self.steps = self.steps.checked_sub(1).ok_or_else(|| limit("more links and folders than can be followed"))?;
        Ok(())
    }
}

impl Node {
    fn is_folder(&self) -> bool {
        matches!(self.what, What::Folder(_))
    }
}

fn malformed(path: &[u8], fault: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("`{}` of the image {fault}; fetch the image anew", shown(path)))
}

fn limit(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("the image holds {what}; see whether it is a bomb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiteouts_of_a_large_folder_again_and_again_come_to_an_end() {
        let mut tree = Tree { steps: 10_000, ..Tree::default() };
        let mut add = |path: &str| {
            let entry = Entry { path: path.as_bytes().into(), kind: Kind::File { size: 0 } };
            tree.add(1, |size| FileRef::new(1, 0, size), entry)
        };
        for n in 0..100 {
            add(&format!("d/{n}")).unwrap();
        }
        // they hide nothing of their own layer, so each looks at all of it
        let ended = (0..100).find_map(|_| add(".wh.d").err());
        assert_eq!(ended.unwrap().code(), "LIMIT_EXCEEDED");
    }
}
