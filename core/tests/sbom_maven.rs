//! BOMs of `pom.xml`: what the tree alone tells of a Maven project, and refusals of what it does not.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "helpers of tests")]

mod bom;
mod corpora;

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use sealwright::sbom::{self, Document, Element, GenerateOptions};
use serde_json::json;

use self::bom::{bom, bom_of, boundary, component, list, needs, purls, refused, relationship, scopes, tree};
use self::corpora::corpora;

fn pom(inner: &str) -> String {
    format!(r#"<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>{inner}</project>"#)
}

fn own(inner: &str) -> String {
    pom(&format!("<groupId>org.corp</groupId><artifactId>app</artifactId><version>1.0</version>{inner}"))
}

fn needing(inner: &str) -> String {
    let name = "<groupId>org.x</groupId><artifactId>x</artifactId>";
    own(&format!("<dependencies><dependency>{name}{inner}</dependency></dependencies>"))
}

const APP: &str = "pkg:maven/org.corp/app@1.0";

#[test]
fn a_pom_names_direct_dependencies_with_their_scope_and_says_that_there_are_more() {
    let text = own(
        "<licenses><license><name>Apache-2.0</name></license><license><name>MIT</name></license></licenses>
         <properties><v>2.0</v><w>${v}.1</w></properties>
         <dependencies>
           <dependency><groupId>org.a</groupId><artifactId>compile</artifactId><version>${w}</version></dependency>
           <dependency><groupId>${project.groupId}.b</groupId><artifactId>runtime</artifactId><version>[1.0]</version>
             <scope>runtime</scope></dependency>
           <dependency><groupId>org.c</groupId><artifactId>provided</artifactId><version>1.0</version><scope>provided</scope></dependency>
           <dependency><groupId>org.d</groupId><artifactId>test</artifactId><version>1.0</version><scope>test</scope></dependency>
           <dependency><groupId>org.e</groupId><artifactId>system</artifactId><version>1.0</version><scope>system</scope>
             <systemPath>/x.jar</systemPath></dependency>
           <dependency><groupId>org.f</groupId><artifactId>optional</artifactId><version>1.0</version><optional>true</optional></dependency>
           <dependency><groupId>org.g</groupId><artifactId>native</artifactId><version>1.0</version><type>zip</type>
             <classifier>linux-x86_64</classifier></dependency>
         </dependencies>
         <profiles><profile><id>p</id><dependencies><dependency><groupId>org.h</groupId><artifactId>profile</artifactId>
           <version>1.0</version></dependency></dependencies></profile></profiles>
         <build><plugins><plugin><groupId>org.i</groupId><artifactId>plugin</artifactId><version>1.0</version></plugin></plugins></build>",
    );
    let bom = bom_of(&[("pom.xml", &text)]);
    assert_eq!(
        scopes(&bom),
        [
            "pkg:maven/org.a/compile@2.0.1 required",
            "pkg:maven/org.c/provided@1.0 optional",
            "pkg:maven/org.corp.b/runtime@1.0 required",
            "pkg:maven/org.d/test@1.0 excluded",
            "pkg:maven/org.e/system@1.0 required",
            "pkg:maven/org.f/optional@1.0 optional",
            "pkg:maven/org.g/native@1.0?classifier=linux-x86_64&type=zip required",
        ]
    );
    assert_eq!(needs(&bom, APP).len(), 7);
    assert_eq!(relationship(&bom, "pkg:maven/org.d/test@1.0"), Some("direct"));
    assert_eq!(component(&bom, "pkg:maven/org.a/compile@2.0.1")["group"], "org.a");
    assert_eq!(bom["metadata"]["component"]["purl"], APP);
    assert_eq!(bom["metadata"]["component"]["licenses"], json!([{ "expression": "Apache-2.0 OR MIT" }]));
    // the product has more parts than are listed, and what the parts need is not known
    let all: Vec<_> = purls(&bom).into_iter().collect();
    assert_eq!(
        bom["compositions"],
        json!([{ "aggregate": "incomplete_first_party_only", "assemblies": [APP] },
               { "aggregate": "unknown", "dependencies": all }])
    );
    let told = "pom.xml names direct dependencies alone, and not those of profiles";
    assert_eq!(bom["metadata"]["properties"], json!([{ "name": "sealwright:incomplete", "value": told }]));
}

#[test]
fn a_reader_is_told_that_an_sbom_is_not_whole() {
    let dir = tree(&[("pom.xml", &needing("<version>1</version>")), ("ui/package-lock.json", UI)]);
    let made = sbom::generate(dir.path(), &GenerateOptions::default()).unwrap();
    let document = Document::parse(&made.to_json().unwrap()).unwrap();
    let summary = document.summary().unwrap();
    // npm tells all of its own packages
    assert_eq!(summary.incomplete, BTreeSet::from([APP.to_owned(), "pkg:maven/org.x/x@1".to_owned()]));
    assert_eq!(serde_json::to_value(&made.compositions[0]).unwrap()["aggregate"], "incomplete");
    let score = sbom::score(&document).unwrap();
    assert!(score.missing.contains(&Element::Coverage) && !score.cisa, "{score:?}");

    let npm = tree(&[("package-lock.json", UI)]);
    let made = sbom::generate(npm.path(), &GenerateOptions::default()).unwrap();
    assert_eq!(made.compositions, []);
    let document = Document::parse(&made.to_json().unwrap()).unwrap();
    assert_eq!(document.summary().unwrap().incomplete, BTreeSet::new());
    assert!(!sbom::score(&document).unwrap().missing.contains(&Element::Coverage));

    let spdx = r#"{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","packages":[{"SPDXID":"SPDXRef-a","name":"a"}],
        "relationships":[{"spdxElementId":"SPDXRef-a","relationshipType":"DEPENDS_ON","relatedSpdxElement":"NOASSERTION"}]}"#;
    let summary = sbom::read(spdx.as_bytes()).unwrap();
    assert_eq!(summary.incomplete, BTreeSet::from(["SPDXRef-a".to_owned()]));
    let whole =
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","compositions":[{"aggregate":"complete","assemblies":["a"]}]}"#;
    assert!(sbom::read(whole.as_bytes()).unwrap().incomplete.is_empty());
}

const UI: &str = r#"{"name":"ui","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"ui","version":"1.0.0",
    "dependencies":{"a":"1"}},"node_modules/a":{"version":"1.0.0"}}}"#;

/// A parent, a bill of materials, a library and a program that needs it.
fn reactor() -> Vec<(&'static str, String)> {
    let parent =
        "<parent><groupId>org.corp</groupId><artifactId>parent</artifactId><version>${revision}</version></parent>";
    let root = "<groupId>org.corp</groupId><artifactId>parent</artifactId><version>${revision}</version><packaging>pom</packaging>
        <modules><module>bom</module><module>core</module><module>./app/pom.xml</module></modules>
        <properties><revision>3.0</revision><y>1.1</y></properties>
        <licenses><license><name>MIT</name></license></licenses>
        <dependencyManagement><dependencies>
          <dependency><groupId>org.corp</groupId><artifactId>bom</artifactId><version>${project.version}</version><type>pom</type><scope>import</scope></dependency>
          <dependency><groupId>org.y</groupId><artifactId>y</artifactId><version>${y}</version></dependency>
          <dependency><groupId>org.z</groupId><artifactId>unused</artifactId><version>${unset}</version></dependency>
          <dependency><groupId>org.corp</groupId><artifactId>core</artifactId><version>${project.version}</version></dependency>
        </dependencies></dependencyManagement>
        <dependencies><dependency><groupId>org.log</groupId><artifactId>log</artifactId><version>9</version></dependency></dependencies>";
    let bom = format!("{parent}<artifactId>bom</artifactId><packaging>pom</packaging><dependencyManagement><dependencies>
          <dependency><groupId>org.m</groupId><artifactId>m</artifactId><version>${{m}}</version><scope>test</scope></dependency>
          <dependency><groupId>org.y</groupId><artifactId>y</artifactId><version>0</version></dependency>
        </dependencies></dependencyManagement><properties><m>7</m></properties>");
    let core = format!("{parent}<artifactId>core</artifactId><dependencies>
          <dependency><groupId>org.y</groupId><artifactId>y</artifactId></dependency>
          <dependency><groupId>org.m</groupId><artifactId>m</artifactId></dependency>
          <dependency><groupId>org.log</groupId><artifactId>log</artifactId><version>10</version></dependency></dependencies>");
    let app = format!("{parent}<artifactId>app</artifactId><packaging>war</packaging><properties><y>1.2</y></properties><dependencies>
          <dependency><groupId>org.corp</groupId><artifactId>core</artifactId></dependency>
          <dependency><groupId>org.corp</groupId><artifactId>core</artifactId><version>3.0</version><type>test-jar</type><scope>test</scope></dependency>
          <dependency><groupId>org.y</groupId><artifactId>y</artifactId></dependency></dependencies>");
    vec![("pom.xml", pom(root)), ("bom/pom.xml", pom(&bom)), ("core/pom.xml", pom(&core)), ("app/pom.xml", pom(&app))]
}

#[test]
fn modules_inherit_import_and_need_each_other() {
    let files = reactor();
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let bom = bom_of(&files);
    let product = "pkg:maven/org.corp/parent@3.0?type=pom";
    assert_eq!(bom["metadata"]["component"]["purl"], product);
    let (core, app) = ("pkg:maven/org.corp/core@3.0", "pkg:maven/org.corp/app@3.0?type=war");
    // of a property the child's value holds in what it inherits, and what the pom manages goes before what it imports
    assert_eq!(
        needs(&bom, app),
        [
            "pkg:maven/org.corp/core@3.0",
            "pkg:maven/org.corp/core@3.0?type=test-jar",
            "pkg:maven/org.log/log@9",
            "pkg:maven/org.y/y@1.2"
        ]
    );
    assert_eq!(needs(&bom, core), ["pkg:maven/org.log/log@10", "pkg:maven/org.m/m@7", "pkg:maven/org.y/y@1.1"]);
    assert_eq!(
        needs(&bom, product),
        ["pkg:maven/org.corp/app@3.0?type=war", "pkg:maven/org.corp/bom@3.0?type=pom", "pkg:maven/org.log/log@9"]
    );
    assert_eq!(component(&bom, "pkg:maven/org.m/m@7")["scope"], "excluded");
    assert_eq!(component(&bom, core)["licenses"], json!([{ "license": { "id": "MIT" } }]));
    let found: Vec<_> =
        list(&component(&bom, core)["properties"]).filter(|p| p["name"] == "sealwright:lockfile").collect();
    assert_eq!(found.len(), 2, "its own pom, and that of the program");
    // of the tree's own parts all needs are told
    let unknown = &bom["compositions"][1]["dependencies"];
    assert!(!list(unknown).any(|end| end == core || end == app || end == product));
}

#[test]
fn what_the_tree_alone_does_not_tell_is_refused_with_what_to_do() {
    let parent = |relative: &str| {
        pom(&format!(
            "<parent><groupId>org.boot</groupId><artifactId>starter</artifactId><version>3.0</version>{relative}</parent><artifactId>app</artifactId>"
        ))
    };
    let other = pom(
        "<groupId>org.boot</groupId><artifactId>starter</artifactId><version>2.0</version><packaging>pom</packaging>",
    );
    let import = "<dependencyManagement><dependencies><dependency><groupId>org.boot</groupId><artifactId>bom</artifactId><version>3.0</version>
        <type>pom</type><scope>import</scope></dependency></dependencies></dependencyManagement>
        <dependencies><dependency><groupId>org.x</groupId><artifactId>x</artifactId></dependency></dependencies>";
    let (absent, empty) = (parent(""), parent("<relativePath/>"));
    let (above, elsewhere) =
        (parent("<relativePath>../../../x</relativePath>"), parent("<relativePath>parent</relativePath>"));
    let imported = own(import);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("pom.xml", &absent)], "org.boot:starter:3.0"),
        (&[("pom.xml", &empty)], "org.boot:starter:3.0"),
        (&[("pom.xml", &above)], "org.boot:starter:3.0"),
        (&[("pom.xml", &elsewhere), ("parent/pom.xml", &other)], "org.boot:starter:3.0"),
        (&[("pom.xml", &imported)], "org.boot:bom:3.0"),
        (&[("pom.xml", &needing(""))], "no version for `org.x:x`"),
        (&[("pom.xml", &needing("<version>[1.0,2.0)</version>"))], "[1.0,2.0)"),
        (&[("pom.xml", &needing("<version>LATEST</version>"))], "LATEST"),
        (&[("pom.xml", &needing("<version>${env.V}</version>"))], "env.V"),
        (&[("pom.xml", &needing("<version>${v}</version>"))], "property `v`"),
    ];
    for (files, told) in cases {
        let (code, message) = refused(files);
        assert_eq!(code, "UNSUPPORTED", "{message}");
        assert!(message.contains(told) && message.contains("cyclonedx-maven-plugin"), "{told}: {message}");
    }
    let newer = "<project xmlns=\"http://maven.apache.org/POM/4.1.0\"><artifactId>a</artifactId></project>";
    assert_eq!(refused(&[("pom.xml", newer)]).0, "UNSUPPORTED");
    assert_eq!(refused(&[("pom.xml", &own("").replace("4.0.0</m", "4.1.0</m"))]).0, "UNSUPPORTED");
}

#[test]
fn an_import_from_elsewhere_hides_what_is_imported_after_it() {
    let import = |name: &str| {
        format!(
            "<dependency><groupId>org.corp</groupId><artifactId>{name}</artifactId><version>1</version><type>pom</type><scope>import</scope></dependency>"
        )
    };
    let bom = pom("<groupId>org.corp</groupId><artifactId>bom</artifactId><version>1</version><packaging>pom</packaging>
        <dependencyManagement><dependencies><dependency><groupId>org.x</groupId><artifactId>x</artifactId><version>5</version></dependency></dependencies></dependencyManagement>");
    let with = |first: &str, second: &str| {
        let managed = format!(
            "<dependencyManagement><dependencies>{}{}</dependencies></dependencyManagement>",
            import(first),
            import(second)
        );
        needing("").replace("</project>", &format!("{managed}</project>"))
    };
    let made = bom_of(&[("pom.xml", &with("bom", "gone")), ("bom/pom.xml", &bom)]);
    assert!(purls(&made).contains("pkg:maven/org.x/x@5"));
    let (code, message) = refused(&[("pom.xml", &with("gone", "bom")), ("bom/pom.xml", &bom)]);
    assert_eq!(code, "UNSUPPORTED");
    assert!(message.contains("org.corp:gone:1"), "{message}");
}

#[test]
fn poms_that_are_broken_are_refused() {
    let twice = |second: &str| {
        let one = |version: &str| {
            format!(
                "<dependency><groupId>g</groupId><artifactId>a</artifactId><version>{version}</version></dependency>"
            )
        };
        own(&format!("<dependencies>{}{}</dependencies>", one("1"), one(second)))
    };
    bom_of(&[("pom.xml", &twice("1"))]);
    let looped = own(
        "<parent><groupId>org.corp</groupId><artifactId>app</artifactId><version>1.0</version><relativePath>.</relativePath></parent>",
    );
    let cases: &[(&str, &str)] = &[
        ("", "MALFORMED"),
        ("<project>", "MALFORMED"),
        ("<html/>", "MALFORMED"),
        ("<!DOCTYPE project [<!ENTITY x 'y'>]><project><artifactId>&x;</artifactId></project>", "MALFORMED"),
        (&pom(""), "MALFORMED"),
        (&pom("<artifactId>a</artifactId>"), "MALFORMED"),
        (&pom("<groupId>g</groupId><artifactId>a</artifactId>"), "MALFORMED"),
        (&own("<version>2</version>"), "MALFORMED"),
        (&own("<modules><module>gone</module></modules>"), "MALFORMED"),
        (&own("<dependencies><dependency><artifactId>a</artifactId></dependency></dependencies>"), "MALFORMED"),
        (&needing("<version>1</version><scope>import</scope>"), "MALFORMED"),
        (&needing("<version>1 2</version>"), "MALFORMED"),
        (&needing("<version>../1</version>"), "MALFORMED"),
        (&needing("<version>${v</version>"), "MALFORMED"),
        (&twice("2"), "MALFORMED"),
        (&looped, "MALFORMED"),
        (
            &needing("<version>${v}</version>")
                .replace("</project>", "<properties><v>${v}${v}</v></properties></project>"),
            "LIMIT_EXCEEDED",
        ),
        (&"<a>".repeat(1000), "LIMIT_EXCEEDED"),
        (&format!("<<<<<<< HEAD\n{}=======\n>>>>>>> x\n", own("")), "MALFORMED"),
    ];
    for (text, code) in cases {
        let (found, message) = refused(&[("pom.xml", text)]);
        assert_eq!(&found, code, "{text}: {message}");
        assert!(message.contains("pom"), "{message}");
    }
}

#[test]
fn real_poms_give_their_direct_dependencies_or_are_refused() {
    let Some(dir) = corpora("lockfiles") else { return };
    // its parent stands in a repository
    let mut options = GenerateOptions::default();
    options.name = Some("junit".to_owned());
    let e = sbom::generate(&dir.join("real/junit-plugin"), &options).unwrap_err();
    assert_eq!(e.code(), "UNSUPPORTED");
    assert!(e.message().contains("org.jenkins-ci.plugins:plugin:6.2221"), "{e}");

    let made = bom(&dir.join("trivy-fixtures/pom"));
    assert_eq!(made["metadata"]["component"]["purl"], "pkg:maven/com.example/log4shell@1.0-SNAPSHOT?type=war");
    // Trivy's golden lists jackson-databind alone: it leaves out what is provided or for tests
    assert_eq!(scopes(&made).len(), 4);
    assert_eq!(purls(&made), lines(&dir.join("trivy-fixtures/pom/pom.xml")));
    assert_eq!(component(&made, "pkg:maven/javax.servlet/javax.servlet-api@4.0.1")["scope"], "optional");
    assert_eq!(component(&made, "pkg:maven/org.junit.jupiter/junit-jupiter-api@5.7.1")["scope"], "excluded");
}

/// The dependencies of a simple pom, read line by line.
fn lines(path: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).unwrap().replace("${junit.version}", "5.7.1");
    let value = |block: &str, name: &str| {
        block.split_once(&format!("<{name}>")).unwrap().1.split('<').next().unwrap().trim().to_owned()
    };
    let blocks = text.split("<dependency>").skip(1);
    blocks
        .map(|b| format!("pkg:maven/{}/{}@{}", value(b, "groupId"), value(b, "artifactId"), value(b, "version")))
        .collect()
}

#[test]
fn a_real_reactor_of_three_poms_gives_versions_from_parent_and_child() {
    let Some(dir) = corpora("junit/action-junit-report/tests") else { return };
    let poms = tree(&[]);
    for path in ["pom.xml", "email/pom.xml", "utils/pom.xml"] {
        std::fs::create_dir_all(poms.path().join(path).parent().unwrap()).unwrap();
        std::fs::copy(dir.join(path), poms.path().join(path)).unwrap();
    }
    let made = bom(poms.path());
    let utils = needs(&made, "pkg:maven/action.surefire.report/utils@0.0.1-SNAPSHOT");
    assert!(utils.contains(&"pkg:maven/org.jetbrains.kotlin/kotlin-stdlib-jdk8@1.3.72"), "{utils:?}");
    let email = needs(&made, "pkg:maven/action.surefire.report/email@0.0.1-SNAPSHOT");
    assert!(
        email.contains(&"pkg:maven/junit/junit@4.13.1") && email.contains(&"pkg:maven/org.assertj/assertj-core@3.11.1")
    );
}

#[test]
fn a_thousand_modules_are_read_once_each() {
    let modules: String = (0..1000).map(|n| format!("<module>m{n}</module>")).collect();
    let managed: String = (0..1000)
        .map(|n| {
            format!("<dependency><groupId>g</groupId><artifactId>d{n}</artifactId><version>1</version></dependency>")
        })
        .collect();
    let root = pom(&format!("<groupId>g</groupId><artifactId>root</artifactId><version>1</version><packaging>pom</packaging>
        <modules>{modules}</modules><dependencyManagement><dependencies>{managed}</dependencies></dependencyManagement>"));
    let dir = tree(&[("pom.xml", &root)]);
    for n in 0..1000 {
        let folder = dir.path().join(format!("m{n}"));
        std::fs::create_dir(&folder).unwrap();
        let text = pom(&format!("<parent><groupId>g</groupId><artifactId>root</artifactId><version>1</version></parent>
            <artifactId>m{n}</artifactId><dependencies><dependency><groupId>g</groupId><artifactId>d{n}</artifactId></dependency></dependencies>"));
        std::fs::write(folder.join("pom.xml"), text).unwrap();
    }
    let made = sbom::generate(dir.path(), &GenerateOptions::default()).unwrap();
    assert_eq!(made.components.len(), 2000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_change_of_a_pom_makes_the_reader_panic(file in 0usize..4, at in 0.0..1.0f64, cut in 0usize..40, text in r"(<|>|/|\$\{|\}|\.|\.\./|a|version|\PC){0,8}") {
        let mut files = reactor();
        let whole = files[file].1.clone();
        let start = boundary(&whole, (whole.len() as f64 * at) as usize);
        let end = boundary(&whole, start + cut);
        files[file].1 = format!("{}{text}{}", &whole[..start], &whole[end..]);
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let dir = tree(&files);
        let _ = sbom::generate(dir.path(), &GenerateOptions::default());
    }
}
