//! Which releases contain a package, where they run now, since when, and by which path it came in.
//!
//! SBOM records say what is inside, records of scans what was found in it, deployments and snapshots what runs where. All
//! of them are records of the ledger: verified, proven, and by whoever may say so. What can't be told is in the answer, too:
//! components without a version or package url, SBOMs that can't be read.

mod path;
mod running;

use std::collections::{BTreeMap, BTreeSet};

use packageurl::PackageUrl;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::ledger::{Ledger, LedgerRecord, Query, UNREADABLE};
use crate::predicate::{Predicate, PredicateType as _, Release, Vulns, unversioned};
use crate::sbom::{self, Advisory, Vulnerable};
use crate::timestamp::Timestamp;

use self::path::Paths;
use self::running::Environments;

/// What is asked for: a package, an advisory, or a vulnerability by its id.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Asked {
    /// Package url; with a version, that version alone.
    pub purl: Option<String>,
    /// Versions of it, as [`sbom::VersionRange`] reads them.
    pub range: Option<String>,
    /// An advisory of OSV, as it was published.
    pub advisory: Option<json::Value>,
    /// Id of a vulnerability, such as a CVE: what the newest scan by each scanner found.
    pub vulnerability: Option<String>,
    /// Read every entry of the log instead of asking the index, which could hide: it takes longer the longer the log is.
    pub complete: bool,
}

/// The answer, as of a size of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Affected {
    /// Number of entries of the ledger that was asked.
    pub size: u64,
    /// The artifacts that contain it or may; those that run come first.
    pub artifacts: Vec<AffectedArtifact>,
    /// Entries of SBOMs that can't be read, so that nobody can tell what is in their artifacts.
    pub unreadable: Vec<u64>,
}

/// An artifact that contains what is asked for, or may.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AffectedArtifact {
    /// Its digest, `sha256:<hex>` if it has that.
    pub digest: String,
    /// Its name, if a record gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its package urls without version: the service it is.
    pub services: BTreeSet<String>,
    /// Ids of the releases it belongs to.
    pub releases: BTreeSet<String>,
    /// What of it is meant.
    pub components: Vec<AffectedComponent>,
    /// Where it runs.
    pub running: Vec<RunningIn>,
    /// Entries of the SBOMs and scans that say so.
    pub records: BTreeSet<u64>,
}

/// A component that is meant, or may be.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AffectedComponent {
    /// Its name, with its group.
    pub name: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its package url, as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    /// `required`, `optional` or `excluded`; not said means required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Whether it is certain: it has the package url and a version that is meant, or a scanner says so.
    pub certain: bool,
    /// Shortest ways to it, each from what needs it directly; empty if the SBOM tells none.
    pub paths: Vec<Vec<String>>,
    /// Ids of the vulnerabilities that scans name it for.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub vulnerabilities: BTreeSet<String>,
}

/// Where an artifact runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RunningIn {
    /// Id of the environment.
    pub environment: String,
    /// Its class, such as `prod`.
    pub class: String,
    /// How that is known.
    pub by: RunningBy,
    /// Since when: as an observer saw it, else as the deployment ended, else when it was first observed.
    pub since: Timestamp,
    /// What runs it, as observed or deployed.
    pub resources: BTreeSet<String>,
    /// Entries of the deployments and the snapshot that say so.
    pub records: BTreeSet<u64>,
}

/// How it is known that an artifact runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RunningBy {
    /// The newest snapshot shows it.
    Observed,
    /// It was deployed, and nothing says that it is gone.
    Deployed,
    /// A deployment of it began, failed or was aborted, so that it may run.
    Attempted,
}

impl Asked {
    /// Reads it from JSON.
    ///
    /// # Errors
    /// `MALFORMED` for another key or type.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        json::parse("question", bytes)
    }

    /// The packages that are meant, and the ids of vulnerabilities.
    fn read(&self) -> Result<(Vec<Vulnerable>, BTreeSet<String>)> {
        let misuse = |fault| Error::new(ErrorKind::ApiMisuse, fault);
        let mut ids: BTreeSet<String> = self.vulnerability.iter().cloned().collect();
        let mut packages = Vec::new();
        if let Some(purl) = &self.purl {
            packages.push(package(purl, self.range.as_deref())?);
        } else if self.range.is_some() {
            return Err(misuse("a range of versions says nothing without a package; give its `purl`, too"));
        }
        if let Some(advisory) = &self.advisory {
            let advisory = Advisory::parse(advisory.to_string().as_bytes())?;
            ids.extend(advisory.ids);
            packages.extend(advisory.packages);
        }
        if packages.is_empty() && ids.is_empty() {
            return Err(misuse("nothing is asked for; give a `purl`, an `advisory` or the id of a `vulnerability`"));
        }
        Ok((packages, ids))
    }
}

/// A package by its url, in one version, a range of versions or all.
fn package(purl: &str, range: Option<&str>) -> Result<Vulnerable> {
    let parsed: PackageUrl<'_> = purl.parse().map_err(|e| {
        let purl = purl.escape_debug();
        Error::new(ErrorKind::Malformed, format!("`{purl}` is no package url: {e}; write it as `pkg:npm/name`"))
    })?;
    let versions: BTreeSet<String> = parsed.version().map(str::to_owned).into_iter().collect();
    if range.is_some() && !versions.is_empty() {
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            format!("`{}` has a version, and a range is given beside it; leave one out", purl.escape_debug()),
        ));
    }
    let ranges = range.map(str::parse).transpose()?.into_iter().collect();
    Ok(Vulnerable::new(&parsed, versions, ranges))
}

/// Asks a ledger what contains a package or has a vulnerability, and where that runs now.
///
/// Of an artifact with several SBOMs each counts: what one lists is inside. Records whose signer was revoked since say
/// nothing about what is inside; what a revoked deployer deployed runs all the same.
///
/// ```
/// use sealwright::affected::{Asked, affected};
/// use sealwright::ledger::Ledger;
///
/// fn print(ledger: &Ledger, asked: &Asked) -> sealwright::Result<()> {
///     for artifact in affected(ledger, asked)?.artifacts {
///         println!("{} runs in {} environments", artifact.digest, artifact.running.len());
///     }
///     Ok(())
/// }
/// let asked = Asked::from_json(br#"{"purl":"pkg:npm/lodash","range":"<4.17.21"}"#)?;
/// assert_eq!(asked.range.as_deref(), Some("<4.17.21"));
/// # Ok::<(), sealwright::Error>(())
/// ```
///
/// # Errors
/// `API_MISUSE` if nothing is asked for; `MALFORMED` for what is no package url, range or advisory; `UNSUPPORTED` as
/// [`Advisory::parse`]; those of [`Ledger::search`], or of [`Ledger::complete`] if that is asked for. A record that may
/// matter and can't be read is an error, so that nothing affected is passed over.
pub fn affected(ledger: &Ledger, asked: &Asked) -> Result<Affected> {
    let (packages, ids) = asked.read()?;
    let mut search = Search { ledger, complete: asked.complete, found: BTreeMap::new(), unreadable: BTreeSet::new() };
    let keys: BTreeSet<&str> = packages.iter().flat_map(|p| [&*p.purl, p.name()]).chain([UNREADABLE]).collect();
    for key in keys.into_iter().filter(|_| !packages.is_empty()) {
        search.inside(key, &packages)?;
    }
    for id in &ids {
        search.scanned(id)?;
    }
    search.finish()
}

/// Artifacts that were found so far, by digest.
struct Search<'l> {
    ledger: &'l Ledger,
    complete: bool,
    found: BTreeMap<String, AffectedArtifact>,
    unreadable: BTreeSet<u64>,
}

impl<'l> Search<'l> {
    fn records(&self, query: Query) -> Result<Vec<LedgerRecord>> {
        self.ledger.leads_of(query, self.complete)?.records().collect()
    }

    /// What SBOMs that list the package `key` say.
    fn inside(&mut self, key: &str, packages: &[Vulnerable]) -> Result<()> {
        let mut query = Query::everything();
        query.component = Some(key.to_owned());
        let leads = self.ledger.leads_of(query, self.complete)?;
        for read in leads.boms() {
            let (record, bom) = read?;
            if record.revoked {
                continue;
            }
            let Ok(bom) = bom else {
                self.unreadable.insert(record.index);
                continue;
            };
            let mut components = Vec::new();
            let mut paths = None;
            for component in bom.subject.iter().chain(&bom.components).filter(|c| c.package() == key) {
                let verdicts: Vec<_> = packages.iter().filter_map(|package| meets(package, component)).collect();
                let Some(certain) = verdicts.iter().copied().max() else { continue };
                let paths = paths.get_or_insert_with(|| Paths::of(&bom));
                components.push(AffectedComponent {
                    name: match &component.group {
                        Some(group) => format!("{group}/{}", component.name),
                        None => component.name.clone(),
                    },
                    version: component.version.clone(),
                    purl: component.purl.clone(),
                    scope: component.scope.clone(),
                    certain,
                    paths: component.bom_ref.as_deref().map(|to| paths.to(to)).unwrap_or_default(),
                    vulnerabilities: BTreeSet::new(),
                });
            }
            if !components.is_empty() {
                self.add(&record, &components);
            }
        }
        Ok(())
    }

    /// What the newest scan by each scanner found of a vulnerability.
    fn scanned(&mut self, id: &str) -> Result<()> {
        let mut query = Query::everything();
        query.vulnerability = Some(id.to_owned());
        let found: Vec<LedgerRecord> = self.records(query)?.into_iter().filter(|record| !record.revoked).collect();
        for record in &found {
            let scan: Vulns = record.statement().predicate_as()?;
            let named = scan.scanner.result.iter().filter(|finding| finding.id == id);
            let components: BTreeSet<&str> = named
                .flat_map(|finding| &finding.annotations)
                .filter_map(|annotation| annotation.get("component")?.as_str())
                .collect();
            let components: Vec<AffectedComponent> = components.into_iter().map(|c| of_scan(c, id)).collect();
            for subject in digests(record) {
                if self.is_newest(record, &scan, &subject)? {
                    self.add_to(record, &subject, &components);
                }
            }
        }
        Ok(())
    }

    /// Whether no later scan of an artifact by the same scanner stands in the ledger.
    fn is_newest(&self, record: &LedgerRecord, scan: &Vulns, digest: &str) -> Result<bool> {
        let mut query = Query::everything();
        query.digest = Some(digest.to_owned());
        query.predicate_type = Some(Vulns::TYPE.to_owned());
        query.after = Some(record.index);
        let scanner = |scan: &Vulns| unversioned(&scan.scanner.uri).unwrap_or_else(|| scan.scanner.uri.clone());
        for later in self.ledger.leads_of(query, self.complete)?.records() {
            let later = later?;
            let same = scanner(&later.statement().predicate_as()?) == scanner(scan);
            if same && !later.revoked {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn add(&mut self, record: &LedgerRecord, components: &[AffectedComponent]) {
        for digest in digests(record) {
            self.add_to(record, &digest, components);
        }
    }

    fn add_to(&mut self, record: &LedgerRecord, digest: &str, components: &[AffectedComponent]) {
        let artifact = self.found.entry(digest.to_owned()).or_insert_with(|| AffectedArtifact {
            digest: digest.to_owned(),
            name: None,
            services: BTreeSet::new(),
            releases: BTreeSet::new(),
            components: Vec::new(),
            running: Vec::new(),
            records: BTreeSet::new(),
        });
        artifact.records.insert(record.index);
        for component in components {
            let same = |c: &&mut AffectedComponent| {
                (&c.name, &c.version, &c.purl) == (&component.name, &component.version, &component.purl)
            };
            match artifact.components.iter_mut().find(same) {
                Some(known) => {
                    known.certain |= component.certain;
                    known.vulnerabilities.extend(component.vulnerabilities.iter().cloned());
                    known.paths.extend(
                        component.paths.iter().filter(|p| !known.paths.contains(p)).cloned().collect::<Vec<_>>(),
                    );
                }
                None => artifact.components.push(component.clone()),
            }
        }
        artifact.learn(record);
    }

    /// Joins what was found with releases and with what runs.
    fn finish(self) -> Result<Affected> {
        let mut environments = Environments::new(self.ledger, self.complete);
        let mut artifacts = Vec::with_capacity(self.found.len());
        for (digest, mut artifact) in self.found {
            let mut query = Query::everything();
            query.digest = Some(digest.clone());
            query.predicate_type = Some(Release::TYPE.to_owned());
            for release in self.ledger.leads_of(query, self.complete)?.records() {
                artifact.learn(&release?);
            }
            artifact.running = environments.running(&digest)?;
            artifact.components.sort_by(|a, b| (&a.purl, &a.name, &a.version).cmp(&(&b.purl, &b.name, &b.version)));
            artifacts.push(artifact);
        }
        artifacts.sort_by_key(|artifact| (artifact.running.is_empty(), !artifact.is_certain()));
        Ok(Affected { size: self.ledger.size(), artifacts, unreadable: self.unreadable.into_iter().collect() })
    }
}

impl AffectedArtifact {
    /// Whether something that is meant is certainly inside.
    pub fn is_certain(&self) -> bool {
        self.components.iter().any(|component| component.certain)
    }

    /// Takes over what a record says of the artifact.
    fn learn(&mut self, record: &LedgerRecord) {
        let statement = record.statement();
        let subject = statement.subjects().iter().find(|s| digest_of(s).as_ref() == Some(&self.digest));
        if let Some(subject) = subject {
            self.name = self.name.take().or_else(|| subject.name.clone());
            self.services.extend(subject.uri.as_deref().and_then(unversioned));
        }
        if let (false, Ok(Predicate::Release(release))) = (record.revoked, statement.predicate()) {
            self.releases.extend(release.release_id);
            self.services.extend(unversioned(&release.purl));
        }
    }
}

/// Whether a component is meant, certainly or perhaps; none if it is not.
fn meets(package: &Vulnerable, component: &sbom::ComponentSummary) -> Option<bool> {
    let named = match component.purl.as_deref().and_then(unversioned) {
        Some(purl) if purl == package.purl => true,
        Some(_) => return None,
        // without a package url, the same name may be the same package
        None if component.name == package.name() => false,
        None => return None,
    };
    match package.contains(component.version.as_deref()) {
        Some(true) => Some(named),
        Some(false) => None,
        None => Some(false),
    }
}

/// What a scanner calls a component: a package url, or `name@version`.
fn of_scan(text: &str, id: &str) -> AffectedComponent {
    let purl: Option<PackageUrl<'_>> = text.parse().ok();
    let (name, version) = match &purl {
        Some(purl) => (purl.name().to_owned(), purl.version().map(str::to_owned)),
        None => match text.rsplit_once('@') {
            Some((name, version)) if !name.is_empty() => (name.to_owned(), Some(version.to_owned())),
            _ => (text.to_owned(), None),
        },
    };
    AffectedComponent {
        name,
        version,
        purl: purl.map(|_| text.to_owned()),
        scope: None,
        certain: true,
        paths: Vec::new(),
        vulnerabilities: BTreeSet::from([id.to_owned()]),
    }
}

/// The digests of a record's subjects, one for each.
fn digests(record: &LedgerRecord) -> BTreeSet<String> {
    record.statement().subjects().iter().filter_map(digest_of).collect()
}

/// The digest by which an artifact is told: SHA-256, else the first there is.
fn digest_of(subject: &crate::artifact::ResourceDescriptor) -> Option<String> {
    let set = subject.digest.as_ref()?;
    let mut all = set.entries();
    let (algorithm, digest) = all.find(|(name, _)| *name == "sha256").or_else(|| set.entries().next())?;
    Some(format!("{algorithm}:{digest}"))
}
