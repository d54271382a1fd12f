//! Every parser of outside bytes. The first byte says which, the rest is its input; `SEALWRIGHT_FUZZ=<name>` holds
//! the run to one of them.
#![no_main]

#[path = "../../tests/hostile/parsers.rs"]
mod parsers;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, input)) = bytes.split_first() else { return };
    let chosen = std::env::var("SEALWRIGHT_FUZZ").ok();
    let number = usize::from(*which) % parsers::PARSERS.len();
    let parser = match &chosen {
        Some(name) => parsers::PARSERS.iter().find(|(n, _)| n == name),
        None => parsers::PARSERS.get(number),
    };
    if let Some((_, parse)) = parser {
        let _ = parse(input);
    }
});
