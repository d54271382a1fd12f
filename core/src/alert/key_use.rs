//! Uses of keys held against what they signed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Alert, AlertKind, Use, each};
use crate::bundle::Bundle;
use crate::digest::Algorithm;
use crate::error::Result;
use crate::ledger::{Ledger, LedgerRecord, Query};
use crate::predicate::{KeyOperation, KeyOutcome};
use crate::timestamp::Timestamp;

/// Digest of the bytes that are signed, in hex, by the id of a key: where it stands, and when.
type Signed = BTreeMap<String, BTreeMap<String, (u64, Timestamp)>>;

/// What does not match between two instants. A use may precede its record, so that all records up to the present count
/// for it, and all uses for a record.
pub(super) fn unmatched(
    ledger: &Ledger,
    uses: &[Use],
    from: Timestamp,
    to: Timestamp,
    unread: &mut BTreeSet<u64>,
) -> Result<Vec<Alert>> {
    let keys = watched(ledger)?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::everything();
    query.since = Some(from);
    let mut signed = Signed::new();
    each(ledger, query, unread, |record| {
        let at = record.logged_at()?;
        for (key, digest) in signatures(&record)? {
            signed.entry(key).or_default().entry(digest).or_insert((record.index, at));
        }
        Ok(())
    })?;
    let mut alerts = Vec::new();
    for (key, resource) in &keys {
        let used: Vec<&Use> = uses.iter().filter(|used| is_signing(used, resource)).collect();
        let records = signed.remove(key).unwrap_or_default();
        for used in used.iter().filter(|used| used.is_within(from, to)) {
            let access = &used.access;
            // of uses that are summed up nobody can tell what was signed
            let Some(digest) = digest(used) else { continue };
            if !records.contains_key(&digest) {
                alerts.push(Alert {
                    at: access.at,
                    kind: AlertKind::UseWithoutSignature,
                    about: resource.clone(),
                    message: format!(
                        "`{}` signed `{digest}` with it, and the ledger has no such record",
                        access.actor.id
                    ),
                    records: BTreeSet::from([used.index]),
                });
            }
        }
        let told: BTreeSet<String> = used.iter().filter_map(|used| digest(used)).collect();
        if !used.is_empty() && told.is_empty() {
            // a service that never says what was signed can't be asked
            continue;
        }
        for (digest, (index, at)) in records.into_iter().filter(|(digest, (_, at))| !told.contains(digest) && *at < to)
        {
            alerts.push(Alert {
                at,
                kind: AlertKind::SignatureWithoutUse,
                about: resource.clone(),
                message: format!("entry {index} is signed by it over `{digest}`, and no such use of it was logged"),
                records: BTreeSet::from([index]),
            });
        }
    }
    Ok(alerts)
}

/// Keys of the trust policy that name the resource under which their uses are logged, by id.
fn watched(ledger: &Ledger) -> Result<BTreeMap<String, String>> {
    let keys = ledger.trust_policy()?.predicate().signers.iter().filter_map(|signer| {
        let key = signer.key.as_ref()?;
        Some((key.digest.as_ref()?.get(Algorithm::Sha256)?.hex(), key.uri.clone()?))
    });
    Ok(keys.collect())
}

fn is_signing(used: &Use, resource: &str) -> bool {
    let access = &used.access;
    access.resource == resource && access.operation == KeyOperation::Sign && access.outcome == KeyOutcome::Succeeded
}

fn digest(used: &Use) -> Option<String> {
    used.access.signed_digest.as_ref()?.get(Algorithm::Sha256).map(|digest| digest.hex())
}

/// The key and what it signed, of each signature of a record.
fn signatures(record: &LedgerRecord) -> Result<Vec<(String, String)>> {
    let envelope = Bundle::parse(record.verified.record())?.into_envelope()?;
    let digest = envelope.pae_digest(Algorithm::Sha256)?.hex();
    Ok(record.verified.signers().iter().map(|signer| (signer.key_id.clone(), digest.clone())).collect())
}
