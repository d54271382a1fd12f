//! Which distribution an image is of (freedesktop.org, os-release(5)).

use crate::error::Result;
use crate::sbom::model::{Component, ComponentKind, Property};
use crate::sbom::plain;

pub(super) struct Os {
    /// `ID`, such as `debian`.
    pub(super) id: String,
    /// `VERSION_ID`, such as `12`; rolling releases have none.
    version: Option<String>,
    name: Option<String>,
}

impl Os {
    pub(super) fn parse(content: &[u8]) -> Result<Self> {
        let text = String::from_utf8_lossy(content);
        let value = |key: &str| {
            let line = text.lines().rev().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='));
            line.map(unquoted).filter(|value| !value.is_empty())
        };
        let id = value("ID").unwrap_or_else(|| "linux".to_owned()).to_lowercase();
        let version = value("VERSION_ID");
        for text in std::iter::once(&id).chain(&version) {
            if !text.chars().all(|c| c.is_ascii_alphanumeric() || "._-+~".contains(c)) {
                return Err(super::malformed(
                    "/etc/os-release",
                    format_args!("names the system `{}`, which is no name or version", text.escape_debug()),
                ));
            }
        }
        Ok(Self { id, version, name: value("PRETTY_NAME") })
    }

    /// As package urls name it: `debian-12`.
    pub(super) fn distro(&self) -> String {
        match &self.version {
            Some(version) => format!("{}-{version}", self.id),
            None => self.id.clone(),
        }
    }

    pub(super) fn component(self) -> Component {
        let distro = self.distro();
        let mut component = plain(self.id, self.version);
        component.kind = ComponentKind::OperatingSystem;
        component.bom_ref = Some(format!("os:{distro}"));
        component.properties.extend(self.name.map(|value| Property { name: "sealwright:os-name", value }));
        component
    }
}

/// A value without the quotes that a shell takes away.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    if let Some(inner) = inner('\'') {
        return inner.to_owned();
    }
    let inner = inner('"').unwrap_or(value);
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(c);
            escaped = false;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_a_shell_reads_them() {
        let os = Os::parse(b"# comment\nNAME=x\nID=\"Debian\"\nVERSION_ID='12'\nPRETTY_NAME=\"a \\\"b\\\" $\\$\"\n")
            .unwrap();
        assert_eq!((os.distro(), os.name.as_deref()), ("debian-12".to_owned(), Some("a \"b\" $$")));
        assert_eq!(Os::parse(b"ID=arch\nVERSION_ID=\n").unwrap().distro(), "arch");
        assert_eq!(Os::parse(b"").unwrap().distro(), "linux");
        assert_eq!(Os::parse(b"ID=a/b\n").err().unwrap().code(), "MALFORMED");
    }
}
