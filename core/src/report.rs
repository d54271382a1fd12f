//! Reports for people.

/// The catalogue of controls, as packs carry it.
pub const CONTROLS: &str = include_str!("report/controls.json");
