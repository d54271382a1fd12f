//! Reading and validating SBOMs, beside the JSON parser and the schema validator alone.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench")]

use criterion::Criterion;
use sealwright::sbom::{Document, read};
use serde_json::{Value, json};

const SCHEMAS: [(&str, &str); 2] = [
    ("spdx", include_str!("../../core/src/sbom/schema/spdx.schema.json")),
    ("jsf-0.82", include_str!("../../core/src/sbom/schema/jsf-0.82.schema.json")),
];
const BOM: &str = include_str!("../../core/src/sbom/schema/bom-1.6.schema.json");

/// A CycloneDX 1.6 BOM of about 600 bytes a component, as package managers' tools write them.
pub(crate) fn bom(components: usize) -> Vec<u8> {
    let component = |n: usize| {
        let purl = format!("pkg:npm/%40scope-{}/package-{n}@{}.{}.0", n % 100, n % 20, n % 7);
        json!({ "type": "library", "bom-ref": purl, "group": format!("@scope-{}", n % 100), "name": format!("package-{n}"),
            "version": format!("{}.{}.0", n % 20, n % 7), "scope": "required", "purl": purl,
            "description": "A package of a registry with a description as long as they mostly are",
            "hashes": [{ "alg": "SHA-512", "content": format!("{n:0128x}") }],
            "licenses": [{ "license": { "id": "MIT" } }],
            "externalReferences": [{ "type": "distribution", "url": format!("https://registry.example/package-{n}.tgz") }] })
    };
    let components: Vec<Value> = (0..components).map(component).collect();
    let row = |pair: &[Value]| json!({ "ref": pair[0]["bom-ref"], "dependsOn": [pair[1]["bom-ref"]] });
    let dependencies: Vec<Value> = components.windows(2).map(row).collect();
    json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components, "dependencies": dependencies })
        .to_string()
        .into_bytes()
}

fn sboms(c: &mut Criterion) {
    let mut registry = jsonschema::Registry::new();
    for (name, text) in SCHEMAS {
        let schema: Value = serde_json::from_str(text).unwrap();
        registry = registry.add(format!("http://cyclonedx.org/schema/{name}.schema.json"), schema).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft7).should_validate_formats(true);
    let schema = options.with_registry(&registry).build(&serde_json::from_str(BOM).unwrap()).unwrap();
    for components in [100, 1_000, 10_000] {
        let bytes = bom(components);
        let ours = || {
            let document = Document::parse(&bytes).unwrap();
            let (summary, findings) = (document.summary().unwrap(), document.validate().unwrap());
            assert!(findings.is_empty() && summary.component_count == components);
        };
        let floor = || {
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            assert!(schema.is_valid(&value));
        };
        // both sides do what they are timed for
        ours();
        floor();
        let mut group = c.benchmark_group(format!("read and validate CycloneDX {components}"));
        group.sample_size(20);
        group.bench_function("ours", |b| b.iter(ours));
        group.bench_function("floor", |b| b.iter(floor));
        group.finish();
    }
    let bytes = bom(10_000);
    c.benchmark_group("read CycloneDX 10000")
        .sample_size(20)
        .bench_function("ours", |b| b.iter(|| read(&bytes).unwrap()));
}

pub(crate) fn run() {
    let mut criterion = Criterion::default();
    sboms(&mut criterion);
    criterion.final_summary();
}
