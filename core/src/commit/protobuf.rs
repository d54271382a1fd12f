//! A `TransparencyLogEntry` in the binary form of Protocol Buffers (sigstore/protobuf-specs, sigstore_rekor.proto), in
//! which gitsign puts it into a signature.

use crate::bundle::{InclusionProof, LogEntry};
use crate::limits;
use crate::merkle::Hash;

/// Reads an entry; `None` if it is none.
pub(super) fn log_entry(bytes: &[u8]) -> Option<LogEntry> {
    let entry = Message::parse(bytes)?;
    let kind = entry.message(3)?.unwrap_or_default();
    Some(LogEntry {
        log_index: entry.number(1)?,
        log_id: entry.message(2)?.unwrap_or_default().bytes(1)?.to_vec(),
        kind: kind.text(1)?,
        version: kind.text(2)?,
        integrated_time: Some(i64::try_from(entry.number(4)?).ok()?).filter(|t| *t != 0),
        inclusion_promise: match entry.message(5)? {
            Some(promise) => Some(promise.bytes(1)?.to_vec()),
            None => None,
        },
        inclusion_proof: match entry.message(6)? {
            Some(proof) => Some(inclusion_proof(&proof)?),
            None => None,
        },
        canonicalized_body: entry.bytes(7)?.to_vec(),
    })
}

fn inclusion_proof(proof: &Message<'_>) -> Option<InclusionProof> {
    let hashes: Option<Vec<Hash>> = proof.all(4).map(|h| <[u8; 32]>::try_from(h?).ok().map(Hash::from)).collect();
    let hashes = hashes.filter(|h| h.len() <= limits::PROOF_HASHES)?;
    Some(InclusionProof {
        log_index: proof.number(1)?,
        root_hash: proof.bytes(2)?.to_vec(),
        tree_size: proof.number(3)?,
        hashes,
        checkpoint: match proof.message(5)? {
            Some(checkpoint) => Some(checkpoint.text(1)?),
            None => None,
        },
    })
}

/// Fields by their numbers, as they stand.
#[derive(Default)]
struct Message<'a>(Vec<(u64, Value<'a>)>);

#[derive(Clone, Copy)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Message<'a> {
    fn parse(mut bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes)?;
            let value = match tag & 7 {
                0 => Value::Number(varint(&mut bytes)?),
                2 => {
                    let length = usize::try_from(varint(&mut bytes)?).ok()?;
                    let (value, rest) = bytes.split_at_checked(length)?;
                    bytes = rest;
                    Value::Bytes(value)
                }
                _ => return None,
            };
            fields.push((tag >> 3, value));
        }
        Some(Self(fields))
    }

    /// The only field of this number, or none of them.
    fn only(&self, number: u64) -> Option<Option<Value<'a>>> {
        let mut all = self.0.iter().filter(|(n, _)| *n == number).map(|(_, value)| *value);
        let first = all.next();
        all.next().is_none().then_some(first)
    }

    fn number(&self, number: u64) -> Option<u64> {
        match self.only(number)? {
            None => Some(0),
            Some(Value::Number(value)) => Some(value),
            Some(Value::Bytes(_)) => None,
        }
    }

    fn bytes(&self, number: u64) -> Option<&'a [u8]> {
        match self.only(number)? {
            None => Some(&[]),
            Some(Value::Bytes(value)) => Some(value),
            Some(Value::Number(_)) => None,
        }
    }

    fn text(&self, number: u64) -> Option<String> {
        String::from_utf8(self.bytes(number)?.to_vec()).ok()
    }

    fn message(&self, number: u64) -> Option<Option<Self>> {
        match self.only(number)? {
            None => Some(None),
            Some(Value::Bytes(value)) => Self::parse(value).map(Some),
            Some(Value::Number(_)) => None,
        }
    }

    fn all(&self, number: u64) -> impl Iterator<Item = Option<&'a [u8]>> + '_ {
        self.0.iter().filter(move |(n, _)| *n == number).map(|(_, value)| match value {
            Value::Bytes(value) => Some(*value),
            Value::Number(_) => None,
        })
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for place in 0..10 {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(first & 0x7f);
        let shifted = part << (7 * place);
        if shifted >> (7 * place) != part {
            return None;
        }
        value |= shifted;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_with_its_proof() {
        let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat();
        let proof = [
            vec![1 << 3, 5],
            field(2, &[7; 32]),
            vec![3 << 3, 0x80, 1],
            field(4, &[8; 32]),
            field(4, &[9; 32]),
            field(5, &field(1, b"log\n")),
        ];
        let entry = [
            vec![1 << 3, 0xac, 2],
            field(2, &field(1, b"id")),
            field(3, &[field(1, b"hashedrekord"), field(2, b"0.0.1")].concat()),
            vec![4 << 3, 9],
            field(5, &field(1, b"promise")),
            field(6, &proof.concat()),
        ]
        .concat();
        let read = log_entry(&entry).unwrap();
        assert_eq!((read.log_index, read.log_id.as_slice(), read.integrated_time), (300, b"id".as_slice(), Some(9)));
        assert_eq!((read.kind.as_str(), read.version.as_str()), ("hashedrekord", "0.0.1"));
        let proof = read.inclusion_proof.unwrap();
        assert_eq!((proof.log_index, proof.tree_size, proof.hashes.len()), (5, 128, 2));
        assert_eq!(proof.checkpoint.as_deref(), Some("log\n"));
        for cut in 0..entry.len() {
            let _ = log_entry(&entry[..cut]);
        }
        // a field twice, a negative time, a number of 11 bytes, another wire type
        assert!(log_entry(&[entry.as_slice(), &[1 << 3, 1]].concat()).is_none());
        assert!(log_entry(&[4 << 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).is_none());
        assert!(log_entry(&[1 << 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).is_none());
        assert!(log_entry(&[1 << 3 | 5, 0, 0, 0, 0]).is_none());
    }
}
