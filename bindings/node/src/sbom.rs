//! SBOMs: made, read, validated, converted, compared and asked.

use std::path::Path;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Buffer};
use napi_derive::napi;
use sealwright::Result;
use sealwright::sbom::{self, Document, LicensePolicy, MergeOptions, Query, Vex};

use crate::data::{Json, bytes_of};
use crate::work::{Work, at_once, later};

/// Functions of the namespace `sbom`: of one body each a promise, and its twin `…Sync`.
macro_rules! functions {
    ($(
        $($doc:literal)+
        $name:ident = $js:literal, $sync:ident = $js_sync:literal
            ($($(#[$($of:tt)*])* $given:ident: $type:ident $(<$inner:ident>)?),*)
            -> $promised:literal, $said:literal => $body:expr;
    )*) => { $(
        $(#[doc = $doc])+
        #[napi(namespace = "sbom", js_name = $js, ts_return_type = $promised)]
        pub fn $name($($(#[$($of)*])* $given: $type $(<$inner>)?),*) -> AsyncTask<Work<Json>> {
            later(move || Json::of(&$body))
        }

        $(#[doc = $doc])+
        #[napi(namespace = "sbom", js_name = $js_sync, ts_return_type = $said)]
        pub fn $sync(env: Env, $($(#[$($of)*])* $given: $type $(<$inner>)?),*) -> napi::Result<Json> {
            at_once(&env, move || Json::of(&$body))
        }
    )* };
}

functions! {
    "Makes one CycloneDX 1.6 BOM of all lock files below `root`."
    sbom_generate = "generate", sbom_generate_sync = "generateSync"
        (root: String, #[napi(ts_arg_type = "GenerateOptions")] options: Option<Json>)
        -> "Promise<Record<string, unknown>>", "Record<string, unknown>" =>
        sbom::generate(Path::new(&root), &sealwright::json::parse("options", bytes_of(options.as_ref()))?)?;

    "Makes one CycloneDX 1.6 BOM of a container image: an OCI image layout, or what `docker save` wrote."
    sbom_generate_image = "generateImage", sbom_generate_image_sync = "generateImageSync"
        (path: String, #[napi(ts_arg_type = "ImageOptions")] options: Option<Json>)
        -> "Promise<Record<string, unknown>>", "Record<string, unknown>" =>
        sbom::generate_image(Path::new(&path), &sealwright::json::parse("options", bytes_of(options.as_ref()))?)?;

    "Every fault of an SBOM, CycloneDX 1.4 to 1.7 or SPDX 2.3 or 3.0.1, the first 100 at most; none means valid."
    sbom_validate = "validate", sbom_validate_sync = "validateSync"
        (#[napi(ts_arg_type = "Uint8Array")] document: Buffer)
        -> "Promise<SbomFinding[]>", "SbomFinding[]" => sbom::validate(&document)?;

    "What an SBOM holds, in one view for all formats."
    sbom_read = "read", sbom_read_sync = "readSync"
        (#[napi(ts_arg_type = "Uint8Array")] document: Buffer)
        -> "Promise<Record<string, unknown>>", "Record<string, unknown>" => sbom::read(&document)?;

    "Converts an SBOM to `cyclonedx` or `spdx`: gives the document as text, and what was lost."
    sbom_convert = "convert", sbom_convert_sync = "convertSync"
        (#[napi(ts_arg_type = "Uint8Array")] document: Buffer, to: String, timestamp: Option<String>)
        -> "Promise<SbomMade>", "SbomMade" =>
        sbom::convert(&Document::parse(&document)?, to.parse()?, timestamp.map(|t| t.parse()).transpose()?)?;

    "What changed from one SBOM to another."
    sbom_diff = "diff", sbom_diff_sync = "diffSync"
        (
            #[napi(ts_arg_type = "Uint8Array")] before: Buffer,
            #[napi(ts_arg_type = "Uint8Array")] after: Buffer
        )
        -> "Promise<SbomDifference>", "SbomDifference" => sbom::diff(&sbom::read(&before)?, &sbom::read(&after)?);

    "Which of the minimum elements of NTIA and CISA an SBOM lacks."
    sbom_score = "score", sbom_score_sync = "scoreSync"
        (#[napi(ts_arg_type = "Uint8Array")] document: Buffer)
        -> "Promise<SbomScore>", "SbomScore" => sbom::score(&Document::parse(&document)?)?;

    "The components of an SBOM that meet all that is asked: those found, and those that are undecided."
    sbom_query = "query", sbom_query_sync = "querySync"
        (#[napi(ts_arg_type = "Uint8Array")] document: Buffer, #[napi(ts_arg_type = "SbomQuery")] query: Json)
        -> "Promise<SbomQueryResult>", "SbomQueryResult" =>
        Query::from_json(query.as_bytes())?.find(&sbom::read(&document)?)?;

    "The components of an SBOM whose licences are not allowed."
    sbom_licenses = "licenses", sbom_licenses_sync = "licensesSync"
        (#[napi(ts_arg_type = "Uint8Array")] document: Buffer, #[napi(ts_arg_type = "LicensePolicy")] policy: Json)
        -> "Promise<LicenseFault[]>", "LicenseFault[]" =>
        LicensePolicy::from_json(policy.as_bytes())?.check(&sbom::read(&document)?)?;

    "Makes one CycloneDX document of several: gives it as text, and what was lost."
    sbom_merge = "merge", sbom_merge_sync = "mergeSync"
        (
            #[napi(ts_arg_type = "Uint8Array[]")] documents: Vec<Buffer>,
            #[napi(ts_arg_type = "SbomMergeOptions")] options: Json
        )
        -> "Promise<SbomMade>", "SbomMade" => {
            let documents = documents.iter().map(|d| Document::parse(d)).collect::<Result<Vec<_>>>()?;
            sbom::merge(&documents, &MergeOptions::from_json(options.as_bytes())?)?
        };

    "The statements of a VEX document: OpenVEX, CSAF or CycloneDX."
    sbom_read_vex = "readVex", sbom_read_vex_sync = "readVexSync"
        (#[napi(ts_arg_type = "Uint8Array")] document: Buffer)
        -> "Promise<VexStatement[]>", "VexStatement[]" => Vex::parse(&document)?.statements;

    "What VEX documents say last of a vulnerability of a product, or of a part of it; null if nothing."
    sbom_vex_status = "vexStatus", sbom_vex_status_sync = "vexStatusSync"
        (
            #[napi(ts_arg_type = "Uint8Array[]")] documents: Vec<Buffer>,
            vulnerability: String,
            product: String,
            component: Option<String>
        )
        -> "Promise<VexStatement | null>", "VexStatement | null" => {
            let vex = Vex::parse_all(documents.iter().map(|d| &**d))?;
            vex.status(&vulnerability, &product, component.as_deref())?.cloned()
        };
}
