//! `layout verify`, by files.

#[path = "../layout/supply_chain.rs"]
#[allow(dead_code, reason = "shared with the tests of the library")]
mod supply_chain;

use serde_json::json;
use supply_chain::{Chain, Form, NOW};

use crate::place::Place;

#[test]
fn a_layout_is_verified_from_files_and_one_with_an_inspection_refused() {
    let place = Place::new();
    let mut chain = Chain::new(Form::Metablock);
    place.write("owner.json", chain.owner.listed.to_string());
    std::fs::create_dir(place.path("links")).unwrap();
    place.write("app.tgz", "app");
    for (name, content) in &chain.links {
        let by = [&chain.writer, &chain.packer].into_iter().find(|p| name.contains(&p.id[..8])).unwrap();
        std::fs::write(place.path("links").join(name), by.sign(content, chain.form)).unwrap();
    }
    let line = format!("layout verify app.tgz --layout root.layout --key owner.json --links links --at {NOW}");
    std::fs::write(place.path("root.layout"), chain.signed_layout()).unwrap();
    let shown = place.pass(&line);
    assert!(shown.contains("write") && shown.contains("pack") && shown.contains(&chain.packer.id), "{shown}");
    assert_eq!(place.json(0, &line)["steps"][1]["name"], "pack");
    chain.layout["inspect"] = json!([{ "name": "look", "run": ["touch", "planted"] }]);
    std::fs::write(place.path("root.layout"), chain.signed_layout()).unwrap();
    assert_eq!(place.json(1, &line)["error"]["code"], "INSPECTION_REFUSED");
    assert!(!place.path("planted").exists());
}
