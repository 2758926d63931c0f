//! How an entry lies on the disk: CRC-32, seq, epoch, body. All integers little-endian.
//!
//! ```text
//! 0      4        12       20
//! | crc  | seq    | epoch  | body ... |
//! ```
//! The CRC covers everything after it. Decoding never panics, whatever the bytes.

use crate::types::{MAX_BODY, Number};

/// Bytes before the body.
pub const HEADER: usize = 20;

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Fewer bytes than a header.
    #[error("record of {0} bytes is shorter than its header")]
    Short(usize),
    /// More bytes than the largest record.
    #[error("record of {0} bytes is longer than any record")]
    Long(usize),
    /// The bytes changed since they were written.
    #[error("record has CRC {found:08x}, its bytes give {computed:08x}")]
    Crc {
        /// As stored.
        found: u32,
        /// As computed.
        computed: u32,
    },
}

/// Appends the record of an entry to `out`.
pub fn encode_into(out: &mut Vec<u8>, number: Number, body: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&number.seq.to_le_bytes());
    out.extend_from_slice(&number.epoch.to_le_bytes());
    out.extend_from_slice(body);
    let crc = crc32fast::hash(&out[start + 4..]).to_le_bytes();
    out[start..start + 4].copy_from_slice(&crc);
}

/// Reads a record: its number and its body.
///
/// # Errors
/// [`Malformed`] when the bytes are not one whole, unchanged record.
pub fn decode(bytes: &[u8]) -> Result<(Number, &[u8]), Malformed> {
    if bytes.len() > HEADER + MAX_BODY {
        return Err(Malformed::Long(bytes.len()));
    }
    let short = Malformed::Short(bytes.len());
    let (crc, rest) = bytes.split_first_chunk::<4>().ok_or(short)?;
    let (seq, tail) = rest.split_first_chunk::<8>().ok_or(short)?;
    let (epoch, body) = tail.split_first_chunk::<8>().ok_or(short)?;
    let found = u32::from_le_bytes(*crc);
    let computed = crc32fast::hash(rest);
    if found != computed {
        return Err(Malformed::Crc { found, computed });
    }
    let number = Number { epoch: u64::from_le_bytes(*epoch), seq: u64::from_le_bytes(*seq) };
    Ok((number, body))
}
