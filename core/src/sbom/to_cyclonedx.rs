//! SPDX 2.3 to CycloneDX 1.6.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::convert::{ALGORITHMS, Loss, Map, Source, TYPES, created, uuid_of};
use super::document::Document;
use super::spdx_view::{DOCUMENT, asserted, described};
use super::{license, purl};
use crate::error::Result;
use crate::json::Value;
use crate::timestamp::Timestamp;

const NO_PLACE: &str = "CycloneDX 1.6 has no place for it";

/// Levels of components in components; what is nested deeper stands beside them.
const NESTING: usize = 30;

/// Kinds of external references that CycloneDX has too.
const REFERENCES: [&str; 12] = [
    "bom",
    "build-system",
    "chat",
    "documentation",
    "issue-tracker",
    "license",
    "mailing-list",
    "release-notes",
    "social",
    "support",
    "vcs",
    "website",
];

/// The BOM, and what is not in it.
pub(super) fn convert(document: &Document, time: Option<Timestamp>) -> Result<(Value, Vec<Loss>)> {
    let described = described(document.json())?;
    let mut source = Source::new(document.json(), "")?;
    for key in ["spdxVersion", "dataLicense", "SPDXID", "documentDescribes"] {
        source.value(key);
    }
    let mut out = Writing::default();
    let mut bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1 });
    let mut metadata = Map::new();
    let told = out.creation(&mut source, &mut metadata)?;
    metadata.insert("timestamp".to_owned(), created(time, told.as_deref())?.into());

    let namespace = source.text("documentNamespace")?.unwrap_or_default();
    let (serial, revision) = match namespace.strip_prefix("urn:uuid:").and_then(|rest| rest.split_once('/')) {
        Some((uuid, revision)) => (format!("urn:uuid:{uuid}"), revision.parse::<u64>().unwrap_or(1)),
        None => (namespace.clone(), 1),
    };
    let is_uuid = serial.len() == 45 && serial.starts_with("urn:uuid:");
    if !is_uuid && !namespace.is_empty() {
        source.lose("documentNamespace", &mut out.lost, "a serial number is a UUID, so one was made of the document");
    }
    let serial = if is_uuid { serial } else { uuid_of(document.bytes()) };
    for mut reference in source.objects("externalDocumentRefs")? {
        reference.value("externalDocumentId");
        let url = reference.text("spdxDocument")?.unwrap_or_default();
        let checksum = reference.object("checksum")?.into_iter().collect();
        let hashes = out.hashes(checksum)?;
        out.documents.push(json!({ "type": "bom", "url": url, "hashes": hashes }));
    }
    for mut entry in source.objects("hasExtractedLicensingInfos")? {
        let id = entry.text("licenseId")?.unwrap_or_default();
        out.licenses.insert(id, entry);
    }
    out.relationships(source.objects("relationships")?)?;
    for list in ["packages", "files"] {
        for element in source.objects(list)? {
            out.element(element, list)?;
        }
    }
    let subject = match &described[..] {
        [one] => out.build(one, 0),
        _ => None,
    };
    let name = source.text("name")?;
    if let Some(subject) = subject {
        if name.as_ref().is_some_and(|name| subject.get("name").is_none_or(|own| own != name)) {
            source.lose("name", &mut out.lost, "a BOM has no name beside that of its subject");
        }
        metadata.insert("component".to_owned(), subject);
    } else if name.is_some() {
        source.lose("name", &mut out.lost, "a BOM has no name beside that of its subject");
    }
    // those that are parts of nothing, and then what hangs together in another way
    let (tops, rest): (Vec<_>, Vec<_>) = out.order.iter().cloned().partition(|id| !out.holders.contains_key(id));
    let components: Vec<_> = tops.iter().chain(&rest).filter_map(|id| out.build(id, 0)).collect();
    let dependencies = out.rows();
    for (_, entry) in std::mem::take(&mut out.licenses) {
        let path = entry.path.clone();
        out.lost.push(Loss { path, reason: "only a licence that stands alone has its text in CycloneDX".to_owned() });
    }
    source.leave(&mut out.lost, NO_PLACE);
    if let Some(bom) = bom.as_object_mut() {
        bom.insert("serialNumber".to_owned(), serial.into());
        bom.insert("version".to_owned(), revision.max(1).into());
        bom.insert("metadata".to_owned(), Value::Object(metadata));
        bom.insert("components".to_owned(), components.into());
        bom.insert("dependencies".to_owned(), dependencies.into());
        if !out.documents.is_empty() {
            bom.insert("externalReferences".to_owned(), std::mem::take(&mut out.documents).into());
        }
    }
    Ok((bom, out.lost))
}

#[derive(Default)]
struct Writing {
    /// Components that were not put into their place yet, by `SPDXID`.
    elements: BTreeMap<String, Map>,
    order: Vec<String>,
    /// What each part is a part of.
    holders: BTreeMap<String, String>,
    parts: BTreeMap<String, Vec<String>>,
    /// What each part needs, with where that is told.
    needs: BTreeMap<String, BTreeMap<String, String>>,
    /// Where it is told that a part is one of another: the place, the whole and the part.
    held: Vec<(String, String, String)>,
    scopes: BTreeMap<String, &'static str>,
    /// Licences written out in the document that were not used yet.
    licenses: BTreeMap<String, Source>,
    /// Those that were, as CycloneDX has them.
    named: BTreeMap<String, Value>,
    documents: Vec<Value>,
    lost: Vec<Loss>,
}

impl Writing {
    /// Who and what made the document; gives the time.
    fn creation(&mut self, source: &mut Source, metadata: &mut Map) -> Result<Option<String>> {
        let Some(mut creation) = source.object("creationInfo")? else { return Ok(None) };
        let told = creation.text("created")?;
        let (mut tools, mut authors) = (Vec::new(), Vec::new());
        let path = creation.path.clone();
        for (n, creator) in creation.texts("creators")?.iter().enumerate() {
            match creator.split_once(':').map(|(kind, name)| (kind, name.trim())) {
                Some(("Tool", name)) => tools.push(json!({ "type": "application", "name": name })),
                Some(("Person", name)) if asserted(Some(name)).is_some() => authors.push(person(name)),
                Some(("Organization", name))
                    if !metadata.contains_key("manufacturer") && asserted(Some(name)).is_some() =>
                {
                    metadata.insert("manufacturer".to_owned(), json!({ "name": person(name).get("name") }));
                    if person(name).get("email").is_some() {
                        self.lost.push(loss(format!("{path}/creators/{n}"), "its address: a manufacturer has none"));
                    }
                }
                _ => self.lost.push(loss(format!("{path}/creators/{n}"), "a BOM has one manufacturer")),
            }
        }
        if !tools.is_empty() {
            metadata.insert("tools".to_owned(), json!({ "components": tools }));
        }
        if !authors.is_empty() {
            metadata.insert("authors".to_owned(), authors.into());
        }
        creation.leave(&mut self.lost, NO_PLACE);
        Ok(told)
    }

    fn relationships(&mut self, rows: Vec<Source>) -> Result<()> {
        for mut row in rows {
            let from = row.text("spdxElementId")?.unwrap_or_default();
            let to = row.text("relatedSpdxElement")?.unwrap_or_default();
            let kind = row.text("relationshipType")?.unwrap_or_default();
            let (path, open) = (row.path.clone(), to == "NOASSERTION");
            let (needs, needed, scope) = match &*kind {
                _ if open => {
                    row.value("comment");
                    continue;
                }
                "DESCRIBES" | "DESCRIBED_BY" if from == DOCUMENT || to == DOCUMENT => {
                    row.leave(&mut self.lost, NO_PLACE);
                    continue;
                }
                "DEPENDS_ON" => (from, to, None),
                "DEPENDENCY_OF" => (to, from, None),
                "OPTIONAL_DEPENDENCY_OF" => (to, from, Some("optional")),
                "DEV_DEPENDENCY_OF" | "TEST_DEPENDENCY_OF" | "BUILD_DEPENDENCY_OF" => (to, from, Some("excluded")),
                "CONTAINS" | "CONTAINED_BY" => {
                    let (whole, part) = if kind == "CONTAINS" { (from, to) } else { (to, from) };
                    if self.hold(&whole, &part) {
                        self.held.push((path, whole, part));
                    } else {
                        self.lost.push(loss(path, "a component is a part of one other at most, and 30 levels deep"));
                    }
                    row.leave(&mut self.lost, NO_PLACE);
                    continue;
                }
                _ => {
                    self.lost.push(loss(path, format!("CycloneDX has no relationship `{kind}`")));
                    continue;
                }
            };
            let row_of = self.needs.entry(needs).or_default();
            if needed == "NONE" {
                row_of.insert(needed, path);
            } else {
                if let Some(scope) = scope {
                    self.scopes.entry(needed.clone()).or_insert(scope);
                    let path = &path;
                    if kind != "OPTIONAL_DEPENDENCY_OF" && kind != "DEV_DEPENDENCY_OF" {
                        self.lost.push(loss(format!("{path}/relationshipType"), "it became the scope `excluded`"));
                    }
                } else {
                    self.scopes.insert(needed.clone(), "required");
                }
                row_of.insert(needed, path);
            }
            row.leave(&mut self.lost, NO_PLACE);
        }
        Ok(())
    }

    /// The rows of what needs what, and the loss of edges of which an end is no component.
    fn rows(&mut self) -> Vec<Value> {
        let known: BTreeSet<&String> = self.order.iter().collect();
        let no_component = |path: &String| loss(path.clone(), "an end of it is no package or file of the document");
        let mut rows = Vec::new();
        for (from, needed) in &self.needs {
            let (there, gone): (Vec<_>, Vec<_>) =
                needed.iter().partition(|(to, _)| known.contains(from) && (known.contains(to) || *to == "NONE"));
            self.lost.extend(gone.iter().map(|(_, path)| no_component(path)));
            if known.contains(from) {
                let to: Vec<_> = there.iter().map(|(to, _)| to).filter(|to| **to != "NONE").collect();
                rows.push(json!({ "ref": from, "dependsOn": to }));
            }
        }
        let held = self
            .held
            .iter()
            .filter(|(_, whole, part)| !known.contains(part) || (whole != DOCUMENT && !known.contains(whole)));
        self.lost.extend(held.map(|(path, _, _)| no_component(path)));
        rows
    }

    /// Makes `part` a part of `whole`, if it is one of nothing else and does not hold it itself.
    fn hold(&mut self, whole: &str, part: &str) -> bool {
        if self.holders.get(part).is_some_and(|known| known == whole) || whole == DOCUMENT {
            return true;
        }
        let mut up = Some(whole);
        for _ in 0..NESTING {
            let Some(id) = up else { break };
            if id == part {
                return false;
            }
            up = self.holders.get(id).map(|h| &**h);
        }
        if up.is_some() {
            return false;
        }
        if self.holders.contains_key(part) {
            return false;
        }
        self.holders.insert(part.to_owned(), whole.to_owned());
        self.parts.entry(whole.to_owned()).or_default().push(part.to_owned());
        true
    }

    /// Reads a package or file.
    fn element(&mut self, mut source: Source, list: &str) -> Result<()> {
        let id = source.text("SPDXID")?.unwrap_or_default();
        let mut component = Map::new();
        component.insert("bom-ref".to_owned(), id.clone().into());
        let is_file = list == "files";
        let kind = match source.text("primaryPackagePurpose")? {
            _ if is_file => "file",
            None => "library",
            Some(purpose) => match TYPES.iter().find(|(_, spdx)| *spdx == purpose) {
                Some((cyclonedx, _)) => cyclonedx,
                None => {
                    let reason = format!("CycloneDX has no type like `{purpose}`; it became `library`");
                    source.lose("primaryPackagePurpose", &mut self.lost, reason);
                    "library"
                }
            },
        };
        component.insert("type".to_owned(), kind.into());
        let name = source.text(if is_file { "fileName" } else { "name" })?.unwrap_or_default();
        put(&mut component, "version", source.text("versionInfo")?);
        let description = source.text("description")?.or(source.text("summary")?);
        put(&mut component, "description", description);
        put(&mut component, "copyright", source.text("copyrightText")?.filter(|text| asserted(Some(text)).is_some()));
        let sums = source.objects("checksums")?;
        let hashes = self.hashes(sums)?;
        if !hashes.is_empty() {
            component.insert("hashes".to_owned(), hashes.into());
        }
        self.people(&mut source, &mut component)?;
        self.references(&mut source, &mut component)?;
        let group = component.get("purl").and_then(Value::as_str).and_then(purl::namespace);
        match group.and_then(|group| Some((name.strip_prefix(&group)?.strip_prefix('/')?.to_owned(), group))) {
            Some((own, group)) => {
                put(&mut component, "name", Some(own));
                put(&mut component, "group", Some(group));
            }
            None => put(&mut component, "name", Some(name)),
        }
        self.license(&mut source, &mut component)?;
        for part in source.texts("hasFiles")? {
            if !self.hold(&id, &part) {
                source.lose("hasFiles", &mut self.lost, format!("`{part}` is a part of something else already"));
            }
        }
        if source.value("filesAnalyzed").is_some_and(|analyzed| analyzed == true) {
            source.lose("filesAnalyzed", &mut self.lost, NO_PLACE);
        }
        source.leave(&mut self.lost, NO_PLACE);
        self.order.push(id.clone());
        self.elements.insert(id, component);
        Ok(())
    }

    fn hashes(&mut self, sums: Vec<Source>) -> Result<Vec<Value>> {
        let mut hashes = Vec::new();
        for mut sum in sums {
            let (algorithm, value) = (sum.text("algorithm")?.unwrap_or_default(), sum.text("checksumValue")?);
            match ALGORITHMS.iter().find(|(_, spdx)| *spdx == algorithm) {
                Some((cyclonedx, _)) => hashes.push(json!({ "alg": cyclonedx, "content": value.unwrap_or_default() })),
                None => sum.lose("algorithm", &mut self.lost, format!("CycloneDX has no algorithm `{algorithm}`")),
            }
        }
        Ok(hashes)
    }

    fn people(&mut self, source: &mut Source, component: &mut Map) -> Result<()> {
        for (key, organisation) in [("supplier", "supplier"), ("originator", "manufacturer")] {
            let Some(text) = source.text(key)? else { continue };
            match text.split_once(':').map(|(kind, name)| (kind, person(name.trim()))) {
                Some(("Person", person)) if key == "originator" => {
                    component.insert("authors".to_owned(), json!([person]));
                }
                Some((_, party)) => {
                    let contact = party.get("email").map(|mail| json!([{ "email": mail }]));
                    let mut entry = json!({ "name": party.get("name") });
                    if let (Some(entry), Some(contact)) = (entry.as_object_mut(), contact) {
                        entry.insert("contact".to_owned(), contact);
                    }
                    component.insert(organisation.to_owned(), entry);
                }
                None if asserted(Some(&text)).is_none() => {}
                None => source.lose(key, &mut self.lost, "it is neither a person nor an organisation"),
            }
        }
        Ok(())
    }

    fn references(&mut self, source: &mut Source, component: &mut Map) -> Result<()> {
        let mut found = Vec::new();
        if let Some(home) = source.text("homepage")?.filter(|home| asserted(Some(home)).is_some()) {
            found.push(json!({ "type": "website", "url": home }));
        }
        match source.text("downloadLocation")?.as_deref() {
            None | Some("NOASSERTION") => {}
            Some("NONE") => source.lose("downloadLocation", &mut self.lost, "CycloneDX can't say that there is none"),
            Some(url) => found.push(json!({ "type": "distribution", "url": url })),
        }
        for mut reference in source.objects("externalRefs")? {
            let category = reference.text("referenceCategory")?.unwrap_or_default();
            let kind = reference.text("referenceType")?.unwrap_or_default();
            let locator = reference.text("referenceLocator")?.unwrap_or_default();
            let key = match &*kind {
                "purl" => "purl",
                "cpe22Type" | "cpe23Type" => "cpe",
                _ => "",
            };
            if !key.is_empty() && !component.contains_key(key) {
                put(component, key, Some(locator));
            } else if let "swh" | "gitoid" = &*kind {
                let key = if kind == "swh" { "swhid" } else { "omniborId" };
                if let Value::Array(ids) = component.entry(key).or_insert_with(|| json!([])) {
                    ids.push(locator.into());
                }
            } else {
                let known = match &*kind {
                    "advisory" => "advisories",
                    kind if REFERENCES.contains(&kind) => kind,
                    _ => {
                        let reason = format!("CycloneDX has no reference `{category} {kind}`; it became `other`");
                        reference.lose("referenceType", &mut self.lost, reason);
                        "other"
                    }
                };
                let mut entry = json!({ "type": known, "url": locator });
                if let (Some(entry), Some(comment)) = (entry.as_object_mut(), reference.text("comment")?) {
                    entry.insert("comment".to_owned(), comment.into());
                }
                found.push(entry);
            }
            reference.leave(&mut self.lost, NO_PLACE);
        }
        if !found.is_empty() {
            component.insert("externalReferences".to_owned(), found.into());
        }
        Ok(())
    }

    /// One expression, or a licence each that is declared and concluded: CycloneDX 1.6 has no two expressions.
    fn license(&mut self, source: &mut Source, component: &mut Map) -> Result<()> {
        let mut choices = Vec::new();
        for (key, acknowledgement) in [("licenseDeclared", "declared"), ("licenseConcluded", "concluded")] {
            match source.text(key)?.as_deref() {
                None | Some("NOASSERTION" | "") => {}
                Some("NONE") => source.lose(key, &mut self.lost, "CycloneDX can't say that there is none"),
                Some(text) => choices.push((key, acknowledgement, self.choice(text, acknowledgement)?)),
            }
        }
        let has_expression = choices.iter().any(|(_, _, choice)| choice.get("expression").is_some());
        if let ([(declared, ..), (_, _, _)], true) = (&choices[..], has_expression) {
            source.lose(
                declared,
                &mut self.lost,
                "CycloneDX 1.6 has no two licence expressions; the concluded one was kept",
            );
            choices.remove(0);
        }
        if !choices.is_empty() {
            let choices: Vec<_> = choices.into_iter().map(|(_, _, choice)| choice).collect();
            component.insert("licenses".to_owned(), choices.into());
        }
        Ok(())
    }

    fn choice(&mut self, text: &str, acknowledgement: &str) -> Result<Value> {
        if license::is_id(text) {
            return Ok(json!({ "license": { "id": text, "acknowledgement": acknowledgement } }));
        }
        if let Some(mut entry) = self.licenses.remove(text) {
            let name = entry.text("name")?.filter(|name| asserted(Some(name)).is_some());
            let extracted = entry.text("extractedText")?.unwrap_or_default();
            let mut known = json!({ "name": name.as_deref().unwrap_or(text), "text": { "content": extracted } });
            let urls = entry.texts("seeAlsos")?;
            if urls.len() > 1 {
                entry.lose("seeAlsos", &mut self.lost, "a licence of CycloneDX has one address");
            }
            if let (Some(known), Some(url)) = (known.as_object_mut(), urls.first()) {
                known.insert("url".to_owned(), url.clone().into());
            }
            entry.leave(&mut self.lost, NO_PLACE);
            self.named.insert(text.to_owned(), known);
        }
        if let Some(known) = self.named.get(text) {
            let mut known = known.clone();
            if let Some(known) = known.as_object_mut() {
                known.insert("acknowledgement".to_owned(), acknowledgement.into());
            }
            return Ok(json!({ "license": known }));
        }
        if license::fault(text).is_some() {
            return Ok(json!({ "license": { "name": text, "acknowledgement": acknowledgement } }));
        }
        Ok(json!({ "expression": text, "acknowledgement": acknowledgement }))
    }

    /// Takes a component with its parts.
    fn build(&mut self, id: &str, depth: usize) -> Option<Value> {
        let mut component = self.elements.remove(id)?;
        if let Some(scope) = self.scopes.get(id).filter(|scope| **scope != "required") {
            component.insert("scope".to_owned(), (*scope).into());
        }
        let parts: Vec<_> = if depth < NESTING { self.parts.remove(id).unwrap_or_default() } else { Vec::new() };
        let parts: Vec<_> = parts.iter().filter_map(|part| self.build(part, depth + 1)).collect();
        if !parts.is_empty() {
            component.insert("components".to_owned(), parts.into());
        }
        Some(Value::Object(component))
    }
}

/// `name (mail)`.
fn person(text: &str) -> Value {
    match text.strip_suffix(')').and_then(|text| text.rsplit_once('(')) {
        Some((name, mail)) if mail.contains('@') => json!({ "name": name.trim(), "email": mail.trim() }),
        Some((name, "")) => json!({ "name": name.trim() }),
        _ => json!({ "name": text }),
    }
}

fn loss(path: String, reason: impl Into<String>) -> Loss {
    Loss { path, reason: reason.into() }
}

fn put(map: &mut Map, key: &str, text: Option<String>) {
    if let Some(text) = text {
        map.insert(key.to_owned(), text.into());
    }
}
