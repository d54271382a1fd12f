//! Reads `gradle.lockfile` and `buildscript-gradle.lockfile`, as Gradle 6.8 and newer write them.
//!
//! It holds every package of every locked configuration, and not what needs what.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::model::Scope;
use crate::sbom::purl;
use crate::sbom::tree::Found;

/// Configurations of what runs while a build does, by their names or the start of them (Gradle's Java, code quality and
/// Kotlin plugins, and Spring Boot's).
const TOOLS: [&str; 17] = [
    "annotationProcessor",
    "checkstyle",
    "classpath",
    "codenarc",
    "detekt",
    "developmentOnly",
    "errorprone",
    "jacocoAgent",
    "jacocoAnt",
    "kapt",
    "kotlinBuildTools",
    "kotlinCompiler",
    "kotlinKlib",
    "ktlint",
    "pmd",
    "spotbugs",
    "zinc",
];

/// What the lock file `found` says.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let path = &found.relative;
    let of_build_script = !(path == "gradle.lockfile" || path.ends_with("/gradle.lockfile"));
    let mut packages: BTreeMap<&str, Package> = BTreeMap::new();
    let mut ended = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fault =
            |what: &str| malformed(path, format_args!("has in line {} `{}`, {what}", number + 1, line.escape_debug()));
        if ended {
            return Err(fault("behind its last line `empty=`"));
        }
        let (what, configurations) = line.split_once('=').ok_or_else(|| fault("without the configurations"))?;
        if what == "empty" {
            ended = true;
            continue;
        }
        let parts: Vec<&str> = what.split(':').collect();
        let [group, name, version] = parts[..] else { return Err(fault("which is no `group:name:version`")) };
        let blank = |part: &&str| part.is_empty() || part.contains(|c: char| c.is_whitespace() || c.is_control());
        if parts.iter().any(blank) {
            return Err(fault("which is no `group:name:version`"));
        }
        let scopes = configurations.split(',').map(str::trim);
        if scopes.clone().any(str::is_empty) {
            return Err(fault("without the configurations"));
        }
        let scope = if of_build_script { Scope::Excluded } else { scopes.map(scope).min().unwrap_or(Scope::Required) };
        let package = Package {
            group: Some(group.to_owned()),
            name: name.to_owned(),
            version: Some(version.to_owned()),
            purl: purl::of("maven", Some(group), name, Some(version), None)
                .map_err(|e| e.while_doing(format_args!("`{path}`")))?,
            origin: Origin::Fetched,
            scope,
            hashes: Vec::new(),
            files: Vec::new(),
            licenses: Vec::new(),
            needs: Vec::new(),
        };
        if packages.insert(what, package).is_some() {
            return Err(fault("which stands there twice"));
        }
    }
    if !ended {
        return Err(malformed(path, "lacks its last line `empty=`, so it is cut"));
    }
    let packages = packages.into_values().collect();
    Ok(LockFile { path: path.clone(), packages, product: None, unnamed_needs: Vec::new() })
}

/// What a package of a configuration is for. One whose name says nothing may well run.
fn scope(configuration: &str) -> Scope {
    if configuration.starts_with("test") || configuration.contains("Test") {
        return Scope::Excluded;
    }
    if TOOLS.iter().any(|tool| configuration.starts_with(tool)) || configuration.ends_with("AnnotationProcessor") {
        return Scope::Excluded;
    }
    // at run time it is there if the environment brings it, or not at all
    if configuration.ends_with("ompileClasspath") || configuration.ends_with("ompileOnly") {
        return Scope::Optional;
    }
    Scope::Required
}

fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    super::malformed(path, fault, "run `gradle dependencies --write-locks` and look at it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_tells_what_its_packages_are_for() {
        for (configuration, expected) in [
            ("runtimeClasspath", Scope::Required),
            ("releaseRuntimeClasspath", Scope::Required),
            ("productionRuntimeClasspath", Scope::Required),
            ("shadow", Scope::Required),
            ("compileClasspath", Scope::Optional),
            ("debugCompileClasspath", Scope::Optional),
            ("testRuntimeClasspath", Scope::Excluded),
            ("integrationTestRuntimeClasspath", Scope::Excluded),
            ("debugUnitTestCompileClasspath", Scope::Excluded),
            ("annotationProcessor", Scope::Excluded),
            ("debugAnnotationProcessor", Scope::Excluded),
            ("kotlinCompilerPluginClasspathMain", Scope::Excluded),
            ("classpath", Scope::Excluded),
        ] {
            assert_eq!(scope(configuration), expected, "{configuration}");
        }
    }
}
