//! Committing a batch, putting it in place, and what is done with those that others left.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};

use super::objects::{AT_ONCE, Kept, Objects, Over, Put, pause};
use super::pending::{self, FIRST_LINE, PENDING, Pending};
use super::upload::INCOMING;
use super::{Current, hash_of, kept};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::storage::{Batch, Outcome, Repair, RepairKind};
use crate::ledger::store::CHECKPOINT;
use crate::limits;

/// A batch as it is written.
#[derive(Clone, Debug)]
pub(super) struct Batched {
    name: String,
    bytes: Bytes,
    before: Option<Bytes>,
    checkpoint: Bytes,
    pub(super) pending: std::sync::Arc<Pending>,
}

impl Batched {
    pub(super) fn of(batch: &Batch<'_>) -> Result<Self> {
        let bytes = Pending::write(batch)?;
        Ok(Self {
            name: pending::name(batch.checkpoint),
            // what is put in place is what was written, not another copy
            pending: std::sync::Arc::new(Pending::parse(&bytes)?),
            bytes,
            before: batch.before.map(Bytes::copy_from_slice),
            checkpoint: Bytes::copy_from_slice(batch.checkpoint),
        })
    }
}

/// What was found when everything was put in place.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) current: Current,
    /// Batches made for the present checkpoint, dead or not.
    pub(super) undecided: Vec<String>,
    pub(super) repairs: Vec<Repair>,
}

/// Writes a batch and replaces the checkpoint `current`. After an error nobody knows whether it was, and it may still be.
pub(super) async fn commit(objects: &Objects, batch: &Batched, current: Current) -> Result<Outcome> {
    // the name tells the content, so it may be there from the same attempt before
    objects.put(&batch.name, batch.bytes.clone(), Over::Anything, Kept::Freely).await?;
    let mut current = current;
    let mut tries = 0;
    loop {
        let over = match &current {
            None => Over::Nothing,
            Some((_, Some(tag))) => Over::This(tag.clone()),
            Some((_, None)) => return Err(unconditional(objects, "it gives no ETag")),
        };
        let put = objects.put(CHECKPOINT, batch.checkpoint.clone(), over, Kept::Freely).await;
        if matches!(put, Ok(Put::Written(_))) {
            return Ok(Outcome::Committed);
        }
        // refused, or the answer was lost: what is there now tells which
        current = objects.get(CHECKPOINT, limits::CHECKPOINT_BYTES).await?;
        let found = current.as_ref().map(|(note, _)| note);
        if found == Some(&batch.checkpoint) {
            return Ok(Outcome::Committed);
        }
        if found != batch.before.as_ref() {
            // it can't be committed any more
            let _ = objects.remove(vec![batch.name.clone()]).await;
            return Ok(Outcome::Overtaken);
        }
        if tries >= objects.inner.retries {
            let refused = || unconditional(objects, "it refuses to replace the checkpoint it gave");
            return Err(put.err().unwrap_or_else(refused));
        }
        tries += 1;
        tokio::time::sleep(pause(tries)).await;
    }
}

/// Puts all of a committed batch in place, and removes what it made superfluous.
pub(super) async fn place(objects: &Objects, batch: &Pending) -> Result<()> {
    let placed: Vec<Result<()>> = stream::iter(batch.objects.clone())
        .map(|(name, bytes)| {
            let objects = objects.clone();
            async move {
                if objects.put(&name, bytes.clone(), Over::Nothing, kept(&name)).await? != Put::Refused {
                    return Ok(());
                }
                // put there before, by us or by whoever else found the batch; nothing else ever writes what is not committed
                match objects.get(&name, bytes.len() as u64).await {
                    Ok(Some((found, _))) if found == bytes => Ok(()),
                    Err(e) if e.kind() != ErrorKind::LimitExceeded => Err(e),
                    _ => Err(Error::new(
                        ErrorKind::LedgerTampered,
                        format!(
                            "`{name}` in the bucket is not what was committed; find out who wrote it, and remove it"
                        ),
                    )),
                }
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    placed.into_iter().collect::<Result<Vec<()>>>()?;
    // best effort, as anywhere: the next sweep finds them
    let _ = objects.remove(batch.stale.clone()).await;
    Ok(())
}

/// The batch of the present checkpoint, as long as it is not in place.
pub(super) async fn unplaced(objects: &Objects) -> Result<Option<Pending>> {
    let Some((checkpoint, _)) = objects.get(CHECKPOINT, limits::CHECKPOINT_BYTES).await? else { return Ok(None) };
    let found = objects.get(&pending::name(&checkpoint), limits::LEDGER_PENDING_BYTES).await?;
    found.map(|(bytes, _)| Pending::parse(&bytes)).transpose()
}

/// Puts in place what the checkpoint commits to, and clears what can't be committed any more.
pub(super) async fn settle(objects: &Objects) -> Result<Settled> {
    // in this order: a batch that is listed was made for a checkpoint that is not younger than the one read after it
    let listed = objects.names(PENDING).await?;
    let current = objects.get(CHECKPOINT, limits::CHECKPOINT_BYTES).await?;
    let mut repairs = Vec::new();
    // its own batch is asked for by name: a list may be behind
    let own = current.as_ref().map(|(checkpoint, _)| pending::name(checkpoint));
    if let Some(own) = &own
        && let Some((bytes, _)) = objects.get(own, limits::LEDGER_PENDING_BYTES).await?
    {
        place(objects, &Pending::parse(&bytes)?).await?;
        objects.remove(vec![own.clone()]).await?;
        repairs.push(Repair::new(RepairKind::Completed, "an append that was committed was put in place"));
    }
    let now = hash_of(current.as_ref());
    let (mut undecided, mut dead) = (Vec::new(), Vec::new());
    for name in listed.into_iter().filter(|name| Some(name) != own.as_ref()) {
        let beginning = match objects.beginning(&name, FIRST_LINE).await {
            // of nothing there is no beginning
            Err(_) if objects.size(&name).await? == Some(0) => Some(Bytes::new()),
            beginning => beginning?,
        };
        match beginning.map(|bytes| pending::made_for(&bytes)) {
            None => {}
            Some(Some(before)) if before == now => undecided.push(name),
            Some(_) => dead.push(name),
        }
    }
    if !dead.is_empty() {
        let what = format!("appends that were cut short before they were committed were dropped: {}", dead.len());
        repairs.push(Repair::new(RepairKind::Dropped, what));
    }
    let incoming = objects.names(INCOMING).await?;
    if !incoming.is_empty() {
        let what = format!("attachments that were cut short were removed: {}", incoming.len());
        repairs.push(Repair::new(RepairKind::Cleared, what));
    }
    objects.remove(dead.into_iter().chain(incoming).collect()).await?;
    Ok(Settled { current, undecided, repairs })
}

impl Objects {
    /// Sees whether the service refuses what a condition forbids. One that passes over conditions would let two sequencers
    /// both commit.
    pub(super) async fn check_conditions(&self) -> Result<()> {
        let name = format!("{INCOMING}/conditions");
        let write = async |over| self.put(&name, Bytes::from_static(b"conditions"), over, Kept::Freely).await;
        let Put::Written(tag) = write(Over::Anything).await? else {
            return Err(unconditional(self, "it refuses what has no condition"));
        };
        let twice = write(Over::Nothing).await? == Put::Refused;
        let other = write(Over::This("\"00000000000000000000000000000000\"".to_owned())).await? == Put::Refused;
        let same = match tag {
            Some(tag) => write(Over::This(tag)).await? != Put::Refused,
            None => false,
        };
        self.remove(vec![name.clone()]).await?;
        match (twice, other, same) {
            (true, true, true) => Ok(()),
            (false, ..) => Err(unconditional(self, "it passes over `If-None-Match`")),
            (_, false, _) => Err(unconditional(self, "it passes over `If-Match`")),
            _ => Err(unconditional(self, "it refuses `If-Match` with the ETag it gave")),
        }
    }
}

fn unconditional(objects: &Objects, why: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("the service of `{}` can't hold a ledger: {why}; use one with conditional writes", objects.inner.place),
    )
}
