//! A ledger's objects, read from its service. The ledger above verifies them as it verifies those of a folder.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::service::RemoteService;
use super::transport::Transport;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::Index;
use crate::ledger::service::{Service, memory_index};
use crate::ledger::storage::{Content, IndexAt, Queue, Repair, Right, Storage};
use crate::limits;

#[derive(Debug)]
pub(super) struct RemoteStorage {
    transport: Arc<Transport>,
    service: RemoteService,
    /// Tiles, which never change: many proofs share them.
    tiles: Mutex<HashMap<String, Arc<[u8]>>>,
}

impl RemoteStorage {
    pub(super) fn new(transport: Transport) -> Self {
        let transport = Arc::new(transport);
        Self { service: RemoteService::new(Arc::clone(&transport)), transport, tiles: Mutex::default() }
    }

    pub(super) fn service(&self) -> &RemoteService {
        &self.service
    }

    fn not_here(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Unsupported,
            format!("`{}` is an address, and {what}; do it where the ledger lies", self.transport.address()),
        )
    }
}

impl Storage for RemoteStorage {
    fn place(&self) -> String {
        self.transport.address().to_owned()
    }

    fn create(&self) -> Result<bool> {
        Err(self.not_here("no ledger is made through one"))
    }

    fn destroy(&self) {}

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        if !name.starts_with("tile/") {
            return self.transport.get(name, limit);
        }
        if let Some(kept) = self.tiles.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(kept.to_vec());
        }
        let bytes = self.transport.get(name, limit)?;
        let mut tiles = self.tiles.lock().unwrap_or_else(PoisonError::into_inner);
        if tiles.len() >= limits::REMOTE_TILES {
            tiles.clear();
        }
        tiles.insert(name.to_owned(), bytes.as_slice().into());
        Ok(bytes)
    }

    fn stream(&self, name: &str) -> Result<Content> {
        let (size, chunks) = self.transport.stream(name)?;
        Ok(Content {
            bytes: Box::new(Chunked { transport: Arc::clone(&self.transport), chunks, held: Vec::new(), at: 0 }),
            size,
        })
    }

    fn size(&self, name: &str) -> Result<Option<u64>> {
        match self.stream(name) {
            Ok(content) => Ok(Some(content.size)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn list(&self, _: &str, _: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        Err(self.not_here("it lists no files"))
    }

    fn acquire(&self, _: Duration) -> Result<Box<dyn Right + '_>> {
        Err(self.not_here("its files are not written or audited through it"))
    }

    fn recover(&self, _: Duration) -> Result<bool> {
        Ok(false)
    }

    fn repairs(&self) -> Vec<Repair> {
        Vec::new()
    }

    fn index(&self, _: IndexAt) -> Result<Box<dyn Index>> {
        memory_index()
    }

    fn queue(&self) -> Option<Box<dyn Queue + '_>> {
        None
    }

    fn has_index(&self) -> bool {
        false
    }

    fn remove_index(&self) -> Result<()> {
        Err(self.not_here("its index is made anew by its service"))
    }

    fn service(&self) -> Option<&dyn Service> {
        Some(&self.service)
    }
}

/// An answer read bit by bit.
struct Chunked {
    transport: Arc<Transport>,
    chunks: reqwest::Response,
    held: Vec<u8>,
    at: usize,
}

impl Read for Chunked {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.at >= self.held.len() {
            match self.transport.next(&mut self.chunks)? {
                Some(chunk) => (self.held, self.at) = (chunk, 0),
                None => return Ok(0),
            }
        }
        let left = self.held.get(self.at..).unwrap_or_default();
        let take = left.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(left) {
            *to = *from;
        }
        self.at += take;
        Ok(take)
    }
}
