//! XML as a tree, read strictly: UTF-8, no document type, no entities of its own, bounded depth.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::document::short;
use crate::error::{Error, ErrorKind, Result};

/// Attributes of one element, and prefixes in scope.
const ATTRIBUTES: usize = 200;
/// Deepest nesting of elements.
const DEPTH: usize = 96;

/// An element.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name without a prefix.
    pub(super) name: String,
    /// Its namespace; empty for none.
    pub(super) namespace: String,
    /// Attributes without a prefix, as name and value.
    pub(super) attributes: Vec<(String, String)>,
    /// Its elements.
    pub(super) children: Vec<Element>,
    /// The text it holds itself.
    pub(super) text: String,
    /// The line its start tag ends on, from 1.
    pub(super) line: usize,
}

impl Element {
    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| &**value)
    }

    /// Its children of its own namespace.
    pub(super) fn own(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(|child| child.namespace == self.namespace)
    }
}

/// Reads the root element of `text`; `what` names the document in errors ("SBOM", "pom").
pub(super) fn read(what: &'static str, text: &str) -> Result<Element> {
    let malformed = |fault: &dyn std::fmt::Display| malformed(what, fault);
    let mut reader = Reader::from_str(text);
    let mut tree = Tree { what, prefixes: Vec::new(), open: Vec::new(), root: None };
    let (mut line, mut counted) = (1, 0);
    loop {
        let event = reader.read_event().map_err(|e| malformed(&e))?;
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX).min(text.len());
        line += text.as_bytes().get(counted..at).unwrap_or_default().iter().filter(|b| **b == b'\n').count();
        counted = at;
        match event {
            Event::Start(start) => tree.open(&start, line)?,
            Event::Empty(start) => {
                tree.open(&start, line)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.text(&text.xml_content(XmlVersion::Explicit1_0))?,
            Event::CData(text) => tree.text(&text.xml_content(XmlVersion::Explicit1_0))?,
            Event::GeneralRef(entity) => {
                let known = match &*entity.borrow().into_inner() {
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "amp" => Some('&'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => entity.resolve_char_ref().map_err(|e| malformed(&e))?,
                };
                let known = known.ok_or_else(|| malformed(&"it has an entity of its own, which is not read"))?;
                tree.text(known.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err(malformed(&"it has a document type, which is not read")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return tree.end(),
        }
    }
}

struct Tree {
    what: &'static str,
    /// Prefixes in scope, each with the depth it was declared at and its namespace.
    prefixes: Vec<(usize, String, String)>,
    open: Vec<Element>,
    root: Option<Element>,
}

impl Tree {
    fn open(&mut self, start: &BytesStart<'_>, line: usize) -> Result<()> {
        if self.open.len() >= DEPTH {
            let text = format!("the {} is nested deeper than {DEPTH} elements; flatten it", self.what);
            return Err(Error::new(ErrorKind::LimitExceeded, text));
        }
        if self.root.is_some() {
            return Err(self.malformed("it has a second root element"));
        }
        let depth = self.open.len();
        let mut attributes: Vec<(String, String)> = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|e| self.malformed(e))?;
            if attributes.len() >= ATTRIBUTES || self.prefixes.len() >= ATTRIBUTES {
                let text =
                    format!("an element of the {} has more than {ATTRIBUTES} attributes; write it anew", self.what);
                return Err(Error::new(ErrorKind::LimitExceeded, text));
            }
            if attribute.value.contains('<') {
                return Err(self.malformed("it has a bare `<` in an attribute"));
            }
            let value =
                attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|e| self.malformed(e))?.into_owned();
            let name: &str = attribute.key.as_ref();
            match name.split_once(':') {
                None if name == "xmlns" => self.prefixes.push((depth, String::new(), value)),
                Some(("xmlns", prefix)) => self.prefixes.push((depth, prefix.to_owned(), value)),
                None => attributes.push((name.to_owned(), value)),
                Some(_) => {}
            }
        }
        let name = start.name();
        let name: &str = name.as_ref();
        let (prefix, name) = name.split_once(':').unwrap_or(("", name));
        let namespace = match self.prefixes.iter().rev().find(|(_, p, _)| p == prefix) {
            Some((_, _, namespace)) => namespace.clone(),
            None if prefix.is_empty() => String::new(),
            None => return Err(self.malformed(format_args!("the prefix `{}` is not declared", short(prefix)))),
        };
        let name = name.to_owned();
        self.open.push(Element { name, namespace, attributes, line, ..Element::default() });
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let closed = self.open.pop().ok_or_else(|| self.malformed("it closes an element that was not open"))?;
        let depth = self.open.len();
        while self.prefixes.last().is_some_and(|(at, _, _)| *at >= depth) {
            self.prefixes.pop();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => self.root = Some(closed),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<()> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(self.malformed("it has text outside of its root element")),
        }
        Ok(())
    }

    fn end(self) -> Result<Element> {
        if let Some(open) = self.open.last() {
            return Err(self.malformed(format_args!("it ends within the element `{}`", short(&open.name))));
        }
        let what = self.what;
        self.root.ok_or_else(|| malformed(what, "it has no element"))
    }

    fn malformed(&self, fault: impl std::fmt::Display) -> Error {
        malformed(self.what, fault)
    }
}

fn malformed(what: &str, fault: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Malformed, format!("the {what} is no sound XML: {fault}; write it anew"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_attributes_and_namespaces_are_read() {
        let root =
            read("SBOM", "<a xmlns='urn:x' b='1 &amp; 2'><c>x&#65;&lt;<![CDATA[<d/>]]></c><o:d xmlns:o='urn:y'/></a>")
                .unwrap();
        assert_eq!(root.attribute("b"), Some("1 & 2"));
        assert_eq!(root.children[0].text, "xA<<d/>");
        assert_eq!((&*root.children[0].namespace, &*root.children[1].namespace), ("urn:x", "urn:y"));
        assert_eq!(root.own().count(), 1);
        assert_eq!(read("SBOM", "<a>\n <b/>\n</a>").unwrap().children[0].line, 2);
    }

    #[test]
    fn what_could_be_a_trap_or_is_cut_is_refused() {
        for text in [
            "",
            "<a>",
            "<a/><b/>",
            "<a></b>",
            "<a/>x",
            "<p:a/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<a>&b;</a>",
            "<a b='&c;'/>",
            "<a>&#0;x&#xFFFFFFF;</a>",
            "<a b='1' b='2'/>",
        ] {
            assert_eq!(read("SBOM", text).unwrap_err().code(), "MALFORMED", "{text}");
        }
        let many: String = (0..100_000).map(|n| format!(" a{n}=''")).collect();
        for text in ["<a>".repeat(100_000), format!("<a{many}/>"), format!("<a{}/>", many.replace(" a", " xmlns:a"))] {
            assert_eq!(read("SBOM", &text).unwrap_err().code(), "LIMIT_EXCEEDED");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(<|>|/|a|&|;|#|x|=|'|\"|<!\\[CDATA\\[|\\]\\]>|<!--|-->|:| |\\PC){0,40}") {
            let _ = read("SBOM", &text);
        }
    }
}
