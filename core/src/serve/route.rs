//! What can be asked for, and the right it takes.

use hyper::Method;

use super::config::Right;
use crate::digest::Digest;
use crate::ledger::is_about_checkpoint;
use crate::merkle::{BundleId, TILE_WIDTH, TileId};

/// A request that is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Whether the process answers.
    Health,
    /// Whether it can append.
    Ready,
    Metrics,
    Config,
    /// The keys of an encrypted ledger, under a key that is elsewhere.
    Keyring,
    /// The note by which the key of the log was replaced for the nth time.
    Rotation(usize),
    Checkpoint,
    /// What witnesses and time-stamp authorities said of a checkpoint, by its name.
    Witnessed(String),
    Tile(TileId),
    Entries(BundleId),
    Body(u64),
    /// The mark that a body lies in an archive.
    Archived(u64),
    Attachment(Digest),
    Attach(Digest),
    TrustPolicy,
    Receipt(u64),
    Search,
    Submit,
}

/// Why a request has no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoute {
    NotFound,
    WrongMethod,
}

impl Route {
    /// Reads a request line. A path has one spelling; nothing in it is decoded, and none is looked for on disk.
    pub(super) fn of(method: &Method, path: &str) -> Result<Self, NoRoute> {
        let path = path.strip_prefix('/').ok_or(NoRoute::NotFound)?;
        let (allowed, route) = match path {
            "healthz" => (Method::GET, Self::Health),
            "readyz" => (Method::GET, Self::Ready),
            "metrics" => (Method::GET, Self::Metrics),
            "ledger.json" => (Method::GET, Self::Config),
            "keyring.json" => (Method::GET, Self::Keyring),
            "checkpoint" => (Method::GET, Self::Checkpoint),
            "v1/trust-policy" => (Method::GET, Self::TrustPolicy),
            "v1/search" => (Method::POST, Self::Search),
            "v1/records" => (Method::POST, Self::Submit),
            _ => return Self::numbered(method, path),
        };
        if *method == allowed { Ok(route) } else { Err(NoRoute::WrongMethod) }
    }

    fn numbered(method: &Method, path: &str) -> Result<Self, NoRoute> {
        if let Some(hex) = path.strip_prefix("attachments/") {
            let digest = Digest::from_hex(crate::digest::Algorithm::Sha256, hex).map_err(|_| NoRoute::NotFound)?;
            return match *method {
                Method::GET => Ok(Self::Attachment(digest)),
                Method::PUT => Ok(Self::Attach(digest)),
                _ => Err(NoRoute::WrongMethod),
            };
        }
        let route = if path.starts_with("tile/entries/") {
            path.parse().ok().map(Self::Entries)
        } else if path.starts_with("tile/") {
            path.parse().ok().map(Self::Tile)
        } else if let Some(number) = path.strip_prefix("bodies/") {
            index(number).map(Self::Body)
        } else if let Some(number) = path.strip_prefix("archived/") {
            index(number).map(Self::Archived)
        } else if path.starts_with("checkpoints/") {
            // only names that the ledger makes itself are any
            is_about_checkpoint(path).then(|| Self::Witnessed(path.to_owned()))
        } else if let Some(number) = path.strip_prefix("rotations/") {
            number.parse().ok().filter(|n: &usize| *n > 0 && n.to_string() == number).map(Self::Rotation)
        } else if let Some(number) = path.strip_prefix("v1/receipts/") {
            number.parse().ok().filter(|n: &u64| n.to_string() == number).map(Self::Receipt)
        } else {
            None
        };
        let route = route.ok_or(NoRoute::NotFound)?;
        if *method == Method::GET { Ok(route) } else { Err(NoRoute::WrongMethod) }
    }

    /// The right it takes, none if anybody may ask.
    pub(super) fn right(&self) -> Option<Right> {
        match self {
            Self::Health | Self::Ready => None,
            Self::Metrics => Some(Right::Metrics),
            Self::Config
            | Self::Rotation(_)
            | Self::Checkpoint
            | Self::Witnessed(_)
            | Self::Tile(_)
            | Self::Entries(_)
            | Self::Archived(_)
            | Self::TrustPolicy => Some(Right::ReadLog),
            // the records of the trust policy need no more than that, which the handler looks at
            Self::Body(_) => Some(Right::ReadLog),
            Self::Attachment(_) | Self::Receipt(_) | Self::Keyring => Some(Right::ReadRecords),
            Self::Search => Some(Right::Search),
            Self::Submit => Some(Right::Append),
            Self::Attach(_) => Some(Right::Attach),
        }
    }

    /// A name for logs and metrics, which tells nothing of what was asked for.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Ready => "ready",
            Self::Metrics => "metrics",
            Self::Config => "config",
            Self::Keyring => "keyring",
            Self::Rotation(_) => "rotation",
            Self::Checkpoint => "checkpoint",
            Self::Witnessed(_) => "witnessed",
            Self::Tile(_) => "tile",
            Self::Entries(_) => "entries",
            Self::Body(_) => "body",
            Self::Archived(_) => "archived",
            Self::Attachment(_) => "attachment",
            Self::Attach(_) => "attach",
            Self::TrustPolicy => "trust-policy",
            Self::Receipt(_) => "receipt",
            Self::Search => "search",
            Self::Submit => "submit",
        }
    }
}

/// The index of an entry in a name, where it is numbered like a full bundle.
fn index(number: &str) -> Option<u64> {
    let bundle = format!("tile/entries/{number}").parse::<BundleId>().ok()?;
    (bundle.width() == TILE_WIDTH).then(|| bundle.index())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling_and_leads_nowhere_else() {
        let hex = "a".repeat(64);
        for good in [
            "/checkpoint",
            "/tile/0/000",
            "/tile/0/x001/234.p/7",
            "/tile/entries/000.p/3",
            "/bodies/000",
            "/bodies/x012/345",
            "/archived/x012/345",
            "/checkpoints/000",
            "/checkpoints/x012/345.tsr",
            "/checkpoints/012.new.tsr",
            "/rotations/1",
            "/v1/receipts/7",
            &format!("/attachments/{hex}"),
        ] {
            assert!(Route::of(&Method::GET, good).is_ok(), "{good}");
            assert!(Route::of(&Method::DELETE, good).is_err(), "{good}");
        }
        for bad in [
            "",
            "checkpoint",
            "//checkpoint",
            "/checkpoint/",
            "/Checkpoint",
            "/tile/0/0",
            "/tile/0/000.p/0",
            "/tile/0/000.p/256",
            "/tile/0/../../log.pem",
            "/tile/0/000/../000",
            "/bodies/000.p/1",
            "/bodies/0",
            "/archived/0",
            "/checkpoints/0",
            "/checkpoints/012.old.tsr",
            "/checkpoints/../ledger.json",
            "/checkpoints/x012/../345",
            "/rotations/0",
            "/rotations/01",
            "/rotations/../ledger.json",
            "/bodies/../ledger.json",
            "/bodies/%2e%2e/x",
            "/v1/receipts/07",
            "/v1/receipts/-1",
            "/attachments/xyz",
            &format!("/attachments/{}", hex.to_uppercase()),
            &format!("/attachments/{hex}/"),
            "/lock",
            "/index.sqlite",
        ] {
            assert_eq!(Route::of(&Method::GET, bad), Err(NoRoute::NotFound), "{bad}");
        }
        assert_eq!(Route::of(&Method::GET, "/v1/records"), Err(NoRoute::WrongMethod));
        assert_eq!(Route::of(&Method::POST, "/checkpoint"), Err(NoRoute::WrongMethod));
    }
}
