//! Images built byte by byte, for tests.
#![allow(dead_code, clippy::unwrap_used, clippy::disallowed_methods, reason = "tests, each with its own part of it")]

use std::io::Write as _;
use std::path::{Path, PathBuf};

use sealwright::digest::Digest;
use sealwright::sbom::{self, ImageOptions, Sbom};
use serde_json::{Value, json};

pub(crate) const ALPINE: &str =
    "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME=\"Alpine Linux v3.20\"\n";
pub(crate) const DEBIAN: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n";
pub(crate) const APK: &str = "P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\n";

/// A tar archive in the making.
#[derive(Clone, Default)]
pub(crate) struct Tar(pub(crate) Vec<u8>);

impl Tar {
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(b'0', path, "", content.as_ref())
    }

    pub(crate) fn folder(self, path: &str) -> Self {
        self.entry(b'5', path, "", b"")
    }

    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        self.entry(b'2', path, target, b"")
    }

    pub(crate) fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(b'1', path, target, b"")
    }

    pub(crate) fn entry(mut self, kind: u8, path: &str, target: &str, content: &[u8]) -> Self {
        if path.len() > 100 || target.len() > 100 {
            let record = |key: &str, value: &str| {
                let rest = format!(" {key}={value}\n");
                let mut length = rest.len();
                while length != rest.len() + length.to_string().len() {
                    length = rest.len() + length.to_string().len();
                }
                format!("{length}{rest}")
            };
            let records = record("path", path) + &record("linkpath", target);
            self = self.header(b'x', "pax", "", records.len() as u64).content(records.as_bytes());
        }
        let cut = |text: &str| text.chars().take(100).collect::<String>();
        self.header(kind, &cut(path), &cut(target), content.len() as u64).content(content)
    }

    pub(crate) fn header(mut self, kind: u8, path: &str, target: &str, size: u64) -> Self {
        let mut block = [0u8; 512];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, path.as_bytes());
        put(100, b"0000644\0");
        put(124, format!("{size:011o}\0").as_bytes());
        put(136, b"00000000000\0");
        put(148, b"        ");
        put(156, &[kind]);
        put(157, target.as_bytes());
        put(257, b"ustar\x0000");
        let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend_from_slice(&block);
        self
    }

    pub(crate) fn content(mut self, content: &[u8]) -> Self {
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

/// How a layer is compressed, by the end of its media type.
#[derive(Clone, Copy)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A layout in a folder, its blobs and what its index lists.
pub(crate) struct Layout {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) index: Vec<Value>,
}

impl Layout {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("blobs/sha256")).unwrap();
        let layout = Self { dir, index: Vec::new() };
        layout.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
        layout
    }

    /// One image of gzip'd layers.
    pub(crate) fn of(layers: &[Vec<u8>]) -> Self {
        let mut layout = Self::new();
        let image = layout.image(layers, Packing::Gzip, "amd64");
        layout.list(image);
        layout
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path().join(name), bytes).unwrap();
    }

    pub(crate) fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::sha256(bytes);
        self.write(&format!("blobs/sha256/{}", digest.hex()), bytes);
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    pub(crate) fn place(&self, descriptor: &Value) -> PathBuf {
        self.path().join("blobs").join(descriptor["digest"].as_str().unwrap().replace(':', "/"))
    }

    /// The descriptor of an image with these unpacked layers.
    pub(crate) fn image(&self, layers: &[Vec<u8>], packing: Packing, architecture: &str) -> Value {
        let packed = layers.iter().map(|layer| match packing {
            Packing::Plain => (layer.clone(), ""),
            Packing::Gzip => (gzip(layer), "+gzip"),
            Packing::Zstd => (zstd(layer), "+zstd"),
        });
        let descriptors = packed
            .map(|(bytes, end)| self.blob(&format!("application/vnd.oci.image.layer.v1.tar{end}"), &bytes))
            .collect::<Vec<_>>();
        self.manifest(&descriptors, &config(layers, architecture))
    }

    pub(crate) fn manifest(&self, layers: &[Value], config: &Value) -> Value {
        let config = self.blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
        self.blob("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes())
    }

    pub(crate) fn list(&mut self, descriptor: Value) {
        self.index.push(descriptor);
        self.write("index.json", json!({ "schemaVersion": 2, "manifests": self.index }).to_string().as_bytes());
    }

    /// The same as a tarball.
    pub(crate) fn tarball(&self) -> Vec<u8> {
        let mut tar = Tar::default().folder("blobs/").folder("blobs/sha256/");
        let mut blobs: Vec<_> =
            std::fs::read_dir(self.path().join("blobs/sha256")).unwrap().map(|e| e.unwrap().path()).collect();
        blobs.sort();
        for blob in blobs {
            let name = format!("blobs/sha256/{}", blob.file_name().unwrap().to_str().unwrap());
            tar = tar.file(&name, std::fs::read(blob).unwrap());
        }
        for name in ["index.json", "oci-layout"] {
            tar = tar.file(name, std::fs::read(self.path().join(name)).unwrap());
        }
        tar.end()
    }
}

pub(crate) fn config(layers: &[Vec<u8>], architecture: &str) -> Value {
    let ids: Vec<Digest> = layers.iter().map(|layer| Digest::sha256(layer)).collect();
    json!({ "architecture": architecture, "os": "linux", "rootfs": { "type": "layers", "diff_ids": ids } })
}

/// What `docker save` wrote before version 25: layers by paths, the second a link to the first if they are the same.
pub(crate) fn docker_save(layers: &[Vec<u8>], tags: &[&str]) -> Vec<u8> {
    let config = config(layers, "amd64").to_string();
    let id = Digest::sha256(config.as_bytes()).hex();
    let mut tar = Tar::default();
    let mut places = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let place = format!("{number:064}/layer.tar");
        let same = layers.iter().position(|other| other == layer).unwrap();
        tar = tar.folder(&format!("{number:064}/"));
        tar = match same < number {
            true => tar.link(&place, &format!("../{same:064}/layer.tar")),
            false => tar.file(&place, layer),
        };
        places.push(place);
    }
    let manifest = json!([{ "Config": format!("{id}.json"), "RepoTags": tags, "Layers": places }]);
    tar.file(&format!("{id}.json"), config).file("manifest.json", manifest.to_string()).end()
}

/// A layer of Alpine with one package.
pub(crate) fn alpine() -> Vec<u8> {
    Tar::default().file("etc/os-release", ALPINE).file("lib/apk/db/installed", APK).end()
}

pub(crate) fn generate(path: &Path) -> Sbom {
    let bom = sbom::generate_image(path, &ImageOptions::default()).unwrap();
    assert_sound(&bom);
    bom
}

/// The BOM of an image of these layers.
pub(crate) fn bom_of(layers: &[Vec<u8>]) -> Sbom {
    generate(Layout::of(layers).path())
}

pub(crate) fn refusal(path: &Path) -> sealwright::Error {
    sbom::generate_image(path, &ImageOptions::default()).unwrap_err()
}

pub(crate) fn code_of(layers: &[Vec<u8>]) -> &'static str {
    refusal(Layout::of(layers).path()).code()
}

/// It is valid, and each edge leads to a component.
pub(crate) fn assert_sound(bom: &Sbom) {
    let bytes = bom.to_json().unwrap();
    assert_eq!(sbom::validate(&bytes).unwrap(), []);
    assert!(sbom::read(&bytes).unwrap().is_usable());
}

pub(crate) fn purls(bom: &Sbom) -> Vec<&str> {
    bom.components.iter().filter_map(|c| c.purl.as_deref()).collect()
}

/// What the component of this name needs, by name.
pub(crate) fn needs(bom: &Sbom, name: &str) -> Vec<String> {
    let component = bom.components.iter().find(|c| c.name == name).unwrap();
    let edges = bom.dependencies.iter().find(|d| Some(&d.component) == component.bom_ref.as_ref()).unwrap();
    let of =
        |bom_ref: &String| bom.components.iter().find(|c| c.bom_ref.as_ref() == Some(bom_ref)).unwrap().name.clone();
    edges.depends_on.iter().map(of).collect()
}

/// The values of a property of the component of this name.
pub(crate) fn property<'a>(bom: &'a Sbom, name: &str, property: &str) -> Vec<&'a str> {
    let component = bom.components.iter().find(|c| c.name == name).unwrap();
    component.properties.iter().filter(|p| p.name == property).map(|p| p.value.as_str()).collect()
}
