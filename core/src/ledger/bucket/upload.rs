//! Attachments on their way into a bucket: of any length, and named only when they were read to their end.

use std::io::Read as _;

use crate::random;
use bytes::Bytes;
use futures_util::stream::TryStreamExt as _;
use object_store::{MultipartUpload, PutPayload};

use super::engine::Engine;
use super::objects::{Kept, Objects, Over, Put};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::storage::Upload;

/// Where a long one lies until its name is known.
pub(super) const INCOMING: &str = "incoming";
/// What is held in memory, and the size of a part.
const PART: usize = 16 * 1024 * 1024;
/// Parts of the first size; those after it are larger, so that 10,000 hold more than any service takes.
const SMALL_PARTS: usize = 2000;
const LARGE_PART: usize = 8 * PART;

/// Keeps `upload` under the name it has at its end.
pub(super) fn keep(engine: &Engine, objects: &Objects, upload: &mut dyn Upload) -> Result<()> {
    let first = chunk(upload, PART)?;
    if first.len() < PART {
        let (name, objects) = (upload.name(), objects.clone());
        return engine.wait(async move { keep_whole(&objects, &name, first.into()).await });
    }
    let mut nonce = [0; 16];
    random::fill(&mut nonce)?;
    let incoming = format!("{INCOMING}/{}", hex::encode(nonce));
    let kept = keep_in_parts(engine, objects, &incoming, first, upload);
    let objects = objects.clone();
    // what stays now is cleared by whoever writes next
    let _ = engine.wait(async move { objects.remove(vec![incoming]).await });
    kept
}

async fn keep_whole(objects: &Objects, name: &str, bytes: Bytes) -> Result<()> {
    if objects.put(name, bytes.clone(), Over::Nothing, Kept::Retained).await? != Put::Refused {
        return Ok(());
    }
    match objects.get(name, bytes.len() as u64).await {
        Ok(Some((found, _))) if found == bytes => Ok(()),
        // the name tells the content, so what is not it is damaged
        Ok(Some((_, Some(tag)))) => objects.put(name, bytes, Over::This(tag), Kept::Retained).await.map(|_| ()),
        Err(e) if e.kind() != ErrorKind::LimitExceeded => Err(e),
        _ => objects.put(name, bytes, Over::Anything, Kept::Retained).await.map(|_| ()),
    }
}

/// Keeps a long one: written once beside its place, and once more when the name is known. A bucket renames nothing, and
/// copies at most 5 GiB.
fn keep_in_parts(
    engine: &Engine,
    objects: &Objects,
    incoming: &str,
    first: Vec<u8>,
    upload: &mut dyn Upload,
) -> Result<()> {
    let (own, name) = (objects.clone(), incoming.to_owned());
    let mut parts = engine.wait(async move { own.begin(&name).await })?;
    let mut next = first;
    let mut count = 0;
    while !next.is_empty() {
        let own = objects.clone();
        let written = engine.wait(async move {
            let written = parts.put_part(PutPayload::from(next)).await;
            match written {
                Ok(()) => Ok(parts),
                Err(e) => {
                    let _ = parts.abort().await;
                    Err(own.failed("write", "an attachment", e))
                }
            }
        });
        parts = written?;
        count += 1;
        next = match chunk(upload, if count < SMALL_PARTS { PART } else { LARGE_PART }) {
            Ok(next) => next,
            Err(e) => {
                let _ = engine.wait(async move { Ok(parts.abort().await) });
                return Err(e);
            }
        };
    }
    let (own, name, incoming) = (objects.clone(), upload.name(), incoming.to_owned());
    engine.wait(async move {
        complete(&own, &incoming, parts).await?;
        let lost = || Error::new(ErrorKind::ServiceUnavailable, "an attachment was lost on its way; try again");
        let (mut from, _) = own.stream(&incoming).await?.ok_or_else(lost)?;
        let mut to = own.begin(&name).await?;
        let mut part = Vec::new();
        let mut count = 0;
        loop {
            let chunk = match from.try_next().await {
                Ok(chunk) => chunk,
                Err(e) => {
                    let _ = to.abort().await;
                    return Err(own.failed("read", &incoming, e));
                }
            };
            let last = chunk.is_none();
            part.extend_from_slice(&chunk.unwrap_or_default());
            if part.len() >= (if count < SMALL_PARTS { PART } else { LARGE_PART }) || (last && !part.is_empty()) {
                count += 1;
                if let Err(e) = to.put_part(PutPayload::from(std::mem::take(&mut part))).await {
                    let _ = to.abort().await;
                    return Err(own.failed("write", &name, e));
                }
            }
            if last {
                break;
            }
        }
        complete(&own, &name, to).await?;
        own.retain(&name, 0).await
    })
}

async fn complete(objects: &Objects, name: &str, mut parts: Box<dyn MultipartUpload>) -> Result<()> {
    if let Err(e) = parts.complete().await {
        let _ = parts.abort().await;
        return Err(objects.failed("write", name, e));
    }
    Ok(())
}

/// The next bytes of an upload: fewer than `length` only at its end.
fn chunk(upload: &mut dyn Upload, length: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    upload
        .take(length as u64)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::new(ErrorKind::Io, format!("the attachment could not be read: {e}")).caused_by(e))?;
    Ok(bytes)
}
