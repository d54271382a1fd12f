//! CycloneDX to SPDX 2.3.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::convert::{ALGORITHMS, Loss, Map, Names, Source, TYPES, created, uuid_of};
use super::document::Document;
use super::spdx_view::DOCUMENT;
use crate::error::Result;
use crate::json::Value;
use crate::timestamp::Timestamp;

const NO_PLACE: &str = "SPDX 2.3 has no place for it";

/// The SPDX document, and what is not in it.
pub(super) fn convert(document: &Document, time: Option<Timestamp>) -> Result<(Value, Vec<Loss>)> {
    let mut bom = Source::new(document.json(), "")?;
    for key in ["bomFormat", "specVersion", "$schema"] {
        bom.value(key);
    }
    let mut out = Writing::default();
    let serial = bom.text("serialNumber")?.unwrap_or_else(|| uuid_of(document.bytes()));
    let revision = bom.value("version").and_then(|v| v.as_u64()).filter(|v| *v > 1);
    let namespace = revision.map_or_else(|| serial.clone(), |revision| format!("{serial}/{revision}"));
    let metadata = bom.object("metadata")?;
    let components = bom.objects("components")?;
    let mut creation = None;
    let mut name = "sbom".to_owned();
    let mut roots = Vec::new();
    if let Some(mut metadata) = metadata {
        let told = metadata.text("timestamp")?;
        creation = Some((created(time, told.as_deref())?, out.creators(&mut metadata)?));
        if let Some(subject) = metadata.object("component")? {
            let id = out.component(subject, None)?;
            name.clone_from(&out.product);
            roots.push(id);
        }
        metadata.leave(&mut out.lost, NO_PLACE);
    }
    let (created, mut creators) = match creation {
        Some(creation) => creation,
        None => (created(time, None)?, Vec::new()),
    };
    creators.push(format!("Tool: sealwright-{}", env!("CARGO_PKG_VERSION")));
    let tops = components.into_iter().map(|c| out.component(c, None)).collect::<Result<Vec<_>>>()?;
    if roots.is_empty() {
        roots = tops;
    }
    for root in &roots {
        out.relate(DOCUMENT, "DESCRIBES", root);
    }
    for row in bom.objects("dependencies")? {
        out.dependencies(row)?;
    }
    out.scopes_without_edges();
    bom.leave(&mut out.lost, NO_PLACE);
    let mut spdx = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": name,
        "documentNamespace": namespace,
        "creationInfo": { "created": created, "creators": creators },
        "packages": out.packages,
        "relationships": out.relationships,
    });
    if let (false, Some(spdx)) = (out.licenses.is_empty(), spdx.as_object_mut()) {
        spdx.insert("hasExtractedLicensingInfos".to_owned(), out.licenses.into());
    }
    Ok((spdx, out.lost))
}

#[derive(Default)]
struct Writing {
    packages: Vec<Value>,
    relationships: Vec<Value>,
    licenses: Vec<Value>,
    /// Numbers of licences without an SPDX id, by name, text and address.
    named: BTreeMap<(String, String, Option<String>), usize>,
    names: Names,
    /// `SPDXID` by `bom-ref`.
    ids: BTreeMap<String, String>,
    /// Scopes other than `required` by `SPDXID`, with where they stand.
    scopes: BTreeMap<String, (String, String)>,
    /// Those whose scope an edge tells.
    told: BTreeSet<String>,
    /// Name of the product.
    product: String,
    lost: Vec<Loss>,
}

impl Writing {
    fn creators(&mut self, metadata: &mut Source) -> Result<Vec<String>> {
        let mut creators = Vec::new();
        for mut author in metadata.objects("authors")? {
            let (name, mail) = (author.text("name")?, author.text("email")?);
            let mail = mail.map(|mail| format!(" ({mail})")).unwrap_or_default();
            creators.push(format!("Person: {}{mail}", name.unwrap_or_default()));
            author.leave(&mut self.lost, NO_PLACE);
        }
        for key in ["manufacturer", "manufacture"] {
            if let Some(mut organisation) = metadata.object(key)? {
                creators.extend(organisation.text("name")?.map(|name| format!("Organization: {name}")));
                organisation.leave(&mut self.lost, NO_PLACE);
            }
        }
        let mut tools = Vec::new();
        match metadata.value("tools") {
            Some(Value::Array(items)) => {
                for (n, tool) in items.iter().enumerate() {
                    tools.push(Source::new(tool, format!("/metadata/tools/{n}"))?);
                }
            }
            Some(value) => {
                let mut kinds = Source::new(&value, "/metadata/tools")?;
                tools.extend(kinds.objects("components")?);
                tools.extend(kinds.objects("services")?);
            }
            None => {}
        }
        for mut tool in tools {
            let (name, version) = (tool.text("name")?.unwrap_or_default(), tool.text("version")?);
            let version = version.map(|version| format!("-{version}")).unwrap_or_default();
            creators.push(format!("Tool: {name}{version}"));
            // what a tool is, and not what it made
            tool.value("type");
            tool.value("bom-ref");
            tool.leave(&mut self.lost, NO_PLACE);
        }
        Ok(creators)
    }

    /// Writes a component and those in it; gives its `SPDXID`.
    fn component(&mut self, mut source: Source, holder: Option<&str>) -> Result<String> {
        let name = source.text("name")?.unwrap_or_default();
        let group = source.text("group")?.filter(|group| !group.is_empty());
        let name = group.map_or_else(|| name.clone(), |group| format!("{group}/{name}"));
        let version = source.text("version")?;
        let reference = source.text("bom-ref")?;
        let wanted = version.as_ref().map_or_else(|| name.clone(), |version| format!("{name}-{version}"));
        let wanted: String =
            wanted.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
        let id = self.names.give(&format!("SPDXRef-{wanted}"));
        if let Some(reference) = reference {
            self.ids.insert(reference, id.clone());
        }
        if self.product.is_empty() {
            self.product.clone_from(&name);
        }
        let mut package = Map::new();
        package.insert("SPDXID".to_owned(), id.clone().into());
        package.insert("name".to_owned(), name.into());
        package.insert("filesAnalyzed".to_owned(), false.into());
        put(&mut package, "versionInfo", version.filter(|v| !v.is_empty()));
        put(&mut package, "description", source.text("description")?);
        put(&mut package, "copyrightText", source.text("copyright")?);
        self.purpose(&mut source, &mut package)?;
        self.people(&mut source, &mut package)?;
        self.hashes(&mut source, &mut package)?;
        self.license(&mut source, &mut package)?;
        self.references(&mut source, &mut package)?;
        self.packages.push(Value::Object(package));
        if let Some(scope) = source.text("scope")?.filter(|scope| scope != "required") {
            self.scopes.insert(id.clone(), (format!("{}/scope", source.path), scope));
        }
        if let Some(holder) = holder {
            self.relate(holder, "CONTAINS", &id);
        }
        for inner in source.objects("components")? {
            self.component(inner, Some(&id))?;
        }
        source.leave(&mut self.lost, NO_PLACE);
        Ok(id)
    }

    fn purpose(&mut self, source: &mut Source, package: &mut Map) -> Result<()> {
        let Some(kind) = source.text("type")? else { return Ok(()) };
        let known = TYPES.iter().find(|(cyclonedx, _)| *cyclonedx == kind).map(|(_, spdx)| *spdx);
        if known.is_none() {
            source.lose("type", &mut self.lost, format!("SPDX 2.3 has no purpose like `{kind}`; it became `OTHER`"));
        }
        put(package, "primaryPackagePurpose", Some(known.unwrap_or("OTHER").to_owned()));
        Ok(())
    }

    fn people(&mut self, source: &mut Source, package: &mut Map) -> Result<()> {
        let mut supplier = None;
        let mut originator = None;
        for (key, place) in [("supplier", &mut supplier), ("manufacturer", &mut originator)] {
            if let Some(mut organisation) = source.object(key)? {
                *place = organisation.text("name")?.map(|name| format!("Organization: {name}"));
                organisation.leave(&mut self.lost, NO_PLACE);
            }
        }
        if let Some(publisher) = source.text("publisher")? {
            if supplier.is_none() {
                supplier = Some(format!("Organization: {publisher}"));
            } else {
                source.lose("publisher", &mut self.lost, "SPDX 2.3 has one supplier");
            }
        }
        let mut authors: Vec<(String, String)> = Vec::new();
        if let Some(author) = source.text("author")? {
            authors.push(("author".to_owned(), author));
        }
        for (n, mut author) in source.objects("authors")?.into_iter().enumerate() {
            let (name, mail) = (author.text("name")?.unwrap_or_default(), author.text("email")?);
            let mail = mail.map(|mail| format!(" ({mail})")).unwrap_or_default();
            authors.push((format!("authors/{n}"), format!("{name}{mail}")));
            author.leave(&mut self.lost, NO_PLACE);
        }
        for (key, author) in authors {
            if originator.is_none() {
                originator = Some(format!("Person: {author}"));
            } else {
                source.lose(&key, &mut self.lost, "SPDX 2.3 has one originator");
            }
        }
        put(package, "supplier", supplier);
        put(package, "originator", originator);
        Ok(())
    }

    fn hashes(&mut self, source: &mut Source, package: &mut Map) -> Result<()> {
        let mut sums = Vec::new();
        for mut hash in source.objects("hashes")? {
            let (algorithm, content) = (hash.text("alg")?.unwrap_or_default(), hash.text("content")?);
            match ALGORITHMS.iter().find(|(cyclonedx, _)| *cyclonedx == algorithm) {
                Some((_, spdx)) => {
                    sums.push(json!({ "algorithm": spdx, "checksumValue": content.unwrap_or_default() }));
                }
                None => hash.lose("alg", &mut self.lost, format!("SPDX 2.3 has no algorithm `{algorithm}`")),
            }
        }
        if !sums.is_empty() {
            package.insert("checksums".to_owned(), sums.into());
        }
        Ok(())
    }

    fn license(&mut self, source: &mut Source, package: &mut Map) -> Result<()> {
        let (mut declared, mut concluded) = (Vec::new(), Vec::new());
        for mut choice in source.objects("licenses")? {
            let (text, acknowledgement) = match choice.object("license")? {
                Some(mut license) => {
                    let acknowledgement = license.text("acknowledgement")?;
                    let text = self.named_license(&mut license)?;
                    license.value("bom-ref");
                    license.leave(&mut self.lost, NO_PLACE);
                    (text, acknowledgement)
                }
                None => {
                    let expression = choice.text("expression")?.unwrap_or_default();
                    (expression, choice.text("acknowledgement")?)
                }
            };
            choice.value("bom-ref");
            choice.leave(&mut self.lost, NO_PLACE);
            match acknowledgement.as_deref() {
                Some("concluded") => concluded.push(text),
                _ => declared.push(text),
            }
        }
        for (key, texts) in [("licenseDeclared", declared), ("licenseConcluded", concluded)] {
            // several licences of a component apply together
            let whole = match &texts[..] {
                [] => continue,
                [one] => one.clone(),
                several => several
                    .iter()
                    .map(|text| if text.contains(' ') { format!("({text})") } else { text.clone() })
                    .collect::<Vec<_>>()
                    .join(" AND "),
            };
            package.insert(key.to_owned(), whole.into());
        }
        Ok(())
    }

    /// The id of a licence, or of one that is written out in the document.
    fn named_license(&mut self, license: &mut Source) -> Result<String> {
        if let Some(id) = license.text("id")? {
            return Ok(id);
        }
        let name = license.text("name")?.unwrap_or_default();
        let mut text = None;
        if let Some(mut attachment) = license.object("text")? {
            let content = attachment.text("content")?.unwrap_or_default();
            text = match attachment.text("encoding")?.as_deref() {
                Some("base64") => STANDARD.decode(content.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
                _ => Some(content),
            };
            if text.is_none() {
                attachment.lose("content", &mut self.lost, "it is no text");
            }
            attachment.value("contentType");
        }
        let url = license.text("url")?;
        let extracted = text.unwrap_or_else(|| name.clone());
        let number = self.named.len() + 1;
        // the same licence of another component has its id already
        let number = *self.named.entry((name.clone(), extracted.clone(), url.clone())).or_insert(number);
        let id = format!("LicenseRef-{number}");
        if number > self.licenses.len() {
            let urls: Vec<_> = url.into_iter().collect();
            let mut entry = json!({ "licenseId": id, "name": name, "extractedText": extracted });
            if let (false, Some(entry)) = (urls.is_empty(), entry.as_object_mut()) {
                entry.insert("seeAlsos".to_owned(), urls.into());
            }
            self.licenses.push(entry);
        }
        Ok(id)
    }

    fn references(&mut self, source: &mut Source, package: &mut Map) -> Result<()> {
        let mut found = Vec::new();
        let mut refer = |category: &str, kind: &str, locator: &str| {
            found.push(json!({ "referenceCategory": category, "referenceType": kind, "referenceLocator": locator }));
        };
        if let Some(purl) = source.text("purl")? {
            refer("PACKAGE-MANAGER", "purl", &purl);
        }
        if let Some(cpe) = source.text("cpe")? {
            refer("SECURITY", if cpe.starts_with("cpe:2.3") { "cpe23Type" } else { "cpe22Type" }, &cpe);
        }
        for (key, kind) in [("swhid", "swh"), ("omniborId", "gitoid")] {
            for id in source.texts(key)? {
                refer("PERSISTENT-ID", kind, &id);
            }
        }
        let mut download = None;
        for mut reference in source.objects("externalReferences")? {
            let (kind, url) = (reference.text("type")?.unwrap_or_default(), reference.text("url")?.unwrap_or_default());
            match &*kind {
                "website" if !package.contains_key("homepage") => put(package, "homepage", Some(url)),
                "distribution" if download.is_none() => download = Some(url),
                "advisories" => refer("SECURITY", "advisory", &url),
                kind => refer("OTHER", kind, &url),
            }
            reference.leave(&mut self.lost, NO_PLACE);
        }
        put(package, "downloadLocation", Some(download.unwrap_or_else(|| "NOASSERTION".to_owned())));
        if !found.is_empty() {
            package.insert("externalRefs".to_owned(), found.into());
        }
        Ok(())
    }

    fn dependencies(&mut self, mut row: Source) -> Result<()> {
        let from = row.text("ref")?.unwrap_or_default();
        let needed = row.value("dependsOn");
        let path = row.path.clone();
        let none = needed.as_ref().is_none_or(|list| list.as_array().is_some_and(Vec::is_empty));
        let Some(from_id) = self.ids.get(&from).cloned() else {
            row.lose("ref", &mut self.lost, format!("`{from}` is no component"));
            return Ok(());
        };
        if none {
            self.relate(&from_id, "DEPENDS_ON", "NONE");
        }
        for (n, to) in needed.iter().flat_map(|v| v.as_array().into_iter().flatten()).enumerate() {
            let to = to.as_str().unwrap_or_default();
            let Some(id) = self.ids.get(to).cloned() else {
                let reason = format!("`{to}` is no component");
                self.lost.push(Loss { path: format!("{path}/dependsOn/{n}"), reason });
                continue;
            };
            match self.scopes.get(&id).map(|(_, scope)| &**scope) {
                Some("optional") => self.relate(&id, "OPTIONAL_DEPENDENCY_OF", &from_id),
                Some("excluded") => self.relate(&id, "DEV_DEPENDENCY_OF", &from_id),
                _ => self.relate(&from_id, "DEPENDS_ON", &id),
            }
            self.told.insert(id);
        }
        row.leave(&mut self.lost, NO_PLACE);
        Ok(())
    }

    fn scopes_without_edges(&mut self) {
        for (id, (path, _)) in &self.scopes {
            if !self.told.contains(id) {
                let reason = "SPDX 2.3 tells a scope by an edge, and none leads here".to_owned();
                self.lost.push(Loss { path: path.clone(), reason });
            }
        }
    }

    fn relate(&mut self, from: &str, kind: &str, to: &str) {
        let row = json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to });
        self.relationships.push(row);
    }
}

fn put(map: &mut Map, key: &str, text: Option<String>) {
    if let Some(text) = text {
        map.insert(key.to_owned(), text.into());
    }
}
