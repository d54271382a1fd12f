//! The checks, in the order of SLSA verifying-artifacts: builder and signer, source, then everything else.

use super::build::{Build, ProvenanceVersion};
use super::certificate::Claims;
use super::expectation::ProvenanceExpectation;
use super::source::{Source, split};
use super::{Checked, Finding, builder, dependency, one_of, parameter, shown, unmet, version};
use crate::error::Result;
use crate::predicate::{PredicateType, Provenance};
use crate::statement::Statement;
use crate::verifier::{SignedBy, Verified};

impl ProvenanceExpectation {
    /// Checks the build that a verified statement tells of.
    ///
    /// What the signer's certificate says of source, ref, commit, trigger and runner counts beside the statement:
    /// where both say something, both must be as demanded; where the statement is silent, the certificate speaks.
    ///
    /// # Errors
    /// `EXPECTATION_UNMET` with `field`, `expected` and `found`; `UNTRUSTED_SIGNER` if the signer signs for none of
    /// the builders; `WRONG_TYPE` if it is no provenance, `MALFORMED` if it breaks its rules; `API_MISUSE` if nothing
    /// is demanded.
    pub fn check(&self, provenance: &Verified<Statement>) -> Result<Checked> {
        self.validate()?;
        self.judge(provenance.value(), provenance.signers())
    }

    pub(super) fn judge(&self, statement: &Statement, signers: &[SignedBy]) -> Result<Checked> {
        let mut build = Build::of(statement)?;
        builder::check(&self.builders, &build.builder_id, signers)?;
        let claims: Vec<_> = signers.iter().filter_map(Claims::of).collect();
        complete(&mut build, &claims);
        self.check_source(&build, &claims)?;
        self.check_run(&build, &claims)?;
        self.check_parameters(&build)?;
        if let Some(allowed) = &self.dependency_sources {
            dependency::from_sources(&build.dependencies, allowed)?;
        }
        if let Some(approved) = &self.base_images {
            dependency::base_images(&build.dependencies, approved)?;
        }
        if let Some(approved) = &self.environment_images {
            let chosen = build.external_parameters.get("builderImage");
            dependency::environment_images(&build.builder_dependencies, chosen, approved)?;
        }
        if self.refuse_tags {
            dependency::untagged(statement.subjects())?;
        }
        let findings = self.findings(statement, &build);
        Ok(Checked { build, provenance: statement.payload_digest(), findings })
    }

    fn check_source(&self, build: &Build, claims: &[Claims<'_>]) -> Result<()> {
        let source = build.source.as_ref();
        if let Some(uri) = &self.source_uri {
            let wanted = split(uri).0;
            for repository in claims.iter().filter_map(|c| c.source_repository.as_deref()) {
                equal("sourceUri", &wanted, Some(&split(repository).0))?;
            }
            equal("sourceUri", &wanted, source.map(|s| s.repository.as_str()))?;
        }
        if let Some(commit) = &self.source_commit {
            for said in claims.iter().filter_map(|c| c.source_commit.as_deref()) {
                equal("sourceCommit", commit, Some(said))?;
            }
            equal("sourceCommit", commit, source.and_then(|s| s.commit.as_deref()))?;
        }
        let mut refs: Vec<Source> = source.cloned().into_iter().collect();
        for said in claims.iter().filter_map(|c| c.source_ref.as_deref()) {
            refs.push(Source { repository: String::new(), reference: Some(said.to_owned()), commit: None });
        }
        let demands: [(&str, &Option<String>, Test); 3] = [
            ("sourceBranch", &self.source_branch, |s, wanted| s.branch() == Some(wanted)),
            ("sourceTag", &self.source_tag, |s, wanted| s.tag() == Some(wanted)),
            ("sourceVersionedTag", &self.source_versioned_tag, |s, wanted| {
                s.tag().is_some_and(|tag| version::matches(tag, wanted))
            }),
        ];
        for (field, wanted, is) in demands {
            let Some(wanted) = wanted else { continue };
            if refs.is_empty() {
                return Err(unmet(field, wanted, "no source"));
            }
            if let Some(other) = refs.iter().find(|s| !is(s, wanted)) {
                return Err(unmet(field, wanted, other.reference.as_deref().unwrap_or("no ref")));
            }
        }
        Ok(())
    }

    fn check_run(&self, build: &Build, claims: &[Claims<'_>]) -> Result<()> {
        if !self.build_types.is_empty() && !self.build_types.contains(&build.build_type) {
            return Err(unmet("buildType", one_of(&self.build_types), &build.build_type));
        }
        if let Some(wanted) = &self.trigger {
            said("trigger", wanted, build.trigger(), claims.iter().map(|c| c.trigger.as_deref()))?;
        }
        if let Some(wanted) = &self.runner_environment {
            let certified = claims.iter().map(|c| c.runner_environment.as_deref());
            said("runnerEnvironment", wanted, build.runner_environment(), certified)?;
        }
        Ok(())
    }

    fn check_parameters(&self, build: &Build) -> Result<()> {
        let inputs = build.workflow_inputs();
        for (name, wanted) in &self.workflow_inputs {
            let found = inputs.and_then(|inputs| inputs.get(name));
            // GitHub writes inputs of a form as text, whatever they are
            let text = found.map(|v| shown(Some(v)));
            if text.as_deref() != Some(wanted) {
                return Err(unmet(format_args!("workflowInputs.{}", name.escape_debug()), wanted, shown(found)));
            }
        }
        for (name, wanted) in &self.parameters {
            let found = parameter::find(&build.external_parameters, name);
            if found != Some(wanted) {
                let field = format!("externalParameters.{}", name.escape_debug());
                return Err(unmet(field, shown(Some(wanted)), shown(found)));
            }
        }
        match &self.allowed_parameters {
            Some(allowed) => {
                let all: Vec<_> = allowed.iter().chain(self.parameters.keys()).cloned().collect();
                parameter::only(&build.external_parameters, &all)
            }
            None => Ok(()),
        }
    }

    fn findings(&self, statement: &Statement, build: &Build) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut add = |field, expected: &str, found: &str| {
            findings.push(Finding { field, expected: expected.to_owned(), found: found.to_owned() });
        };
        if build.version == ProvenanceVersion::V1 && statement.predicate_type() != Provenance::TYPE {
            add("predicateType", Provenance::TYPE, statement.predicate_type());
        }
        if let Some(tag) = &self.image_tag {
            let commit = build.source.as_ref().and_then(|s| s.commit.as_deref());
            if !commit.is_some_and(|commit| tag.len() >= 7 && commit.starts_with(tag.as_str())) {
                add("imageTag", commit.unwrap_or("the commit, which the provenance does not name"), tag);
            }
        }
        findings
    }
}

type Test = fn(&Source, &str) -> bool;

/// Completes what the statement leaves open by what the certificates say.
fn complete(build: &mut Build, claims: &[Claims<'_>]) {
    for claims in claims {
        let Some(repository) = &claims.source_repository else { continue };
        let named = Source::new(repository, None);
        let source = build.source.get_or_insert_with(|| named.clone());
        if source.repository == named.repository {
            let fill = |mine: &mut Option<String>, said: &Option<String>| {
                if mine.is_none() {
                    mine.clone_from(said);
                }
            };
            fill(&mut source.reference, &claims.source_ref);
            fill(&mut source.commit, &claims.source_commit);
        }
    }
}

fn equal(field: &'static str, wanted: &str, found: Option<&str>) -> Result<()> {
    if found == Some(wanted) { Ok(()) } else { Err(unmet(field, wanted, found.unwrap_or("nothing"))) }
}

/// Checks that statement and certificates say `wanted`, or are silent, and one of them is not.
fn said<'a>(
    field: &'static str,
    wanted: &str,
    stated: Option<&'a str>,
    certified: impl Iterator<Item = Option<&'a str>>,
) -> Result<()> {
    let all: Vec<&str> = stated.into_iter().chain(certified.flatten()).collect();
    match all.iter().find(|found| **found != wanted) {
        Some(other) => Err(unmet(field, wanted, other)),
        None if all.is_empty() => Err(unmet(field, wanted, "nothing")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyType;
    use crate::provenance::{BuilderRef, TrustedBuilder};
    use crate::trust::CertificateClaims;
    use crate::verifier::Extension;

    const ISSUER: &str = "https://token.actions.githubusercontent.com";
    const WORKFLOW: &str = "https://github.com/acme/builders/.github/workflows/build.yml";
    const COMMIT: &str = "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d";

    /// A signer whose certificate says this.
    fn signer(subject: &str, issuer: &str, extensions: &[(Extension, &str)]) -> SignedBy {
        let time = "2026-11-21T09:30:00Z".parse().unwrap();
        SignedBy {
            name: subject.to_owned(),
            key_id: String::new(),
            key_type: KeyType::P256,
            certificate: Some(CertificateClaims {
                subject: subject.to_owned(),
                issuer: issuer.to_owned(),
                extensions: extensions.iter().map(|(e, v)| (*e, (*v).to_owned())).collect(),
                not_before: time,
                not_after: time,
            }),
        }
    }

    fn github(extensions: &[(Extension, &str)]) -> SignedBy {
        signer(&format!("{WORKFLOW}@refs/tags/v2.1.0"), ISSUER, extensions)
    }

    /// Provenance with this source, or none.
    fn statement(builder: &str, source: Option<&str>) -> Statement {
        let external = source.map_or_else(|| "{}".to_owned(), |uri| format!(r#"{{"source":"{uri}"}}"#));
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1",
            "subject":[{{"digest":{{"gitCommit":"{COMMIT}"}}}}],"predicate":{{"buildDefinition":{{"buildType":"t",
            "externalParameters":{external}}},"runDetails":{{"builder":{{"id":"{builder}"}}}}}}}}"#
        );
        Statement::parse(text.into_bytes()).unwrap()
    }

    fn code(expectation: &ProvenanceExpectation, statement: &Statement, signer: SignedBy) -> String {
        match expectation.judge(statement, &[signer]) {
            Ok(_) => "ok".to_owned(),
            Err(e) => {
                let field = e.context().iter().find(|(n, _)| *n == "field").map_or("", |(_, v)| v);
                format!("{} {field}", e.code())
            }
        }
    }

    #[test]
    fn a_certificate_speaks_where_the_statement_is_silent_and_both_must_be_as_demanded() {
        let built = [
            (Extension::SourceRepositoryUri, "https://github.com/acme/shop"),
            (Extension::SourceRepositoryRef, "refs/tags/v1.4.0"),
            (Extension::SourceRepositoryDigest, COMMIT),
            (Extension::BuildTrigger, "push"),
            (Extension::RunnerEnvironment, "github-hosted"),
        ];
        let demanded = ProvenanceExpectation::new()
            .require_source("github.com/acme/shop")
            .require_commit(COMMIT)
            .require_versioned_tag("v1")
            .require_trigger("push")
            .require_runner_environment("github-hosted");
        for silent in [None, Some("git+https://github.com/acme/shop")] {
            assert_eq!(code(&demanded, &statement(WORKFLOW, silent), github(&built)), "ok");
        }
        let checked = demanded.judge(&statement(WORKFLOW, None), &[github(&built)]).unwrap();
        assert_eq!(checked.build.source.unwrap().tag(), Some("v1.4.0"));
        assert_eq!(code(&demanded, &statement(WORKFLOW, None), github(&[])), "EXPECTATION_UNMET sourceUri");
        for (index, value, field) in [
            (0, "https://github.com/acme/other", "sourceUri"),
            (1, "refs/heads/main", "sourceVersionedTag"),
            (2, "1111111111111111111111111111111111111111", "sourceCommit"),
            (3, "workflow_dispatch", "trigger"),
            (4, "self-hosted", "runnerEnvironment"),
        ] {
            let mut said = built;
            said[index].1 = value;
            let all = statement(WORKFLOW, Some("git+https://github.com/acme/shop@refs/tags/v1.4.0"));
            assert_eq!(code(&demanded, &all, github(&said)), format!("EXPECTATION_UNMET {field}"));
        }
        let lies = statement(WORKFLOW, Some("git+https://github.com/acme/other@refs/tags/v1.4.0"));
        assert_eq!(code(&demanded, &lies, github(&built)), "EXPECTATION_UNMET sourceUri");
        let tag = ProvenanceExpectation::new().require_tag("v1.4.0");
        let moved = statement(WORKFLOW, Some("git+https://github.com/acme/shop@refs/tags/v1.5.0"));
        assert_eq!(code(&tag, &moved, github(&built)), "EXPECTATION_UNMET sourceTag");
    }

    #[test]
    fn a_workflow_signs_for_the_builder_that_its_certificate_names_and_no_other() {
        let id = format!("{WORKFLOW}@refs/tags/v2.1.0");
        let pair = TrustedBuilder::new(WORKFLOW).at(BuilderRef::Release).signed_by_its_certificate(ISSUER);
        let demanded = ProvenanceExpectation::new().require_builder(pair);
        assert_eq!(code(&demanded, &statement(&id, None), github(&[])), "ok");
        // the certificate of another workflow, of a branch, of another issuer
        for (subject, issuer) in [
            ("https://github.com/acme/shop/.github/workflows/build.yml@refs/tags/v2.1.0", ISSUER),
            (&format!("{WORKFLOW}@refs/heads/main"), ISSUER),
            (&id, "https://issuer.example"),
        ] {
            let found = code(&demanded, &statement(&id, None), signer(subject, issuer, &[]));
            assert_eq!(found, "UNTRUSTED_SIGNER builders", "{subject}");
        }
        // the right certificate, and another release or builder in the statement
        for other in [&format!("{WORKFLOW}@refs/tags/v2.0.0"), "https://example.org/builder"] {
            assert_eq!(code(&demanded, &statement(other, None), github(&[])), "EXPECTATION_UNMET builderId");
        }
        // a certificate for a subject that is spelled like the name of a trusted signer
        let named =
            ProvenanceExpectation::new().require_builder(TrustedBuilder::new("https://example.org/b").signed_by("ci"));
        let found =
            code(&named, &statement("https://example.org/b", None), signer("ci", "https://issuer.example", &[]));
        assert_eq!(found, "UNTRUSTED_SIGNER builders");
    }
}
