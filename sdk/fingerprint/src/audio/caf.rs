//! Checks of a Core Audio file before it is parsed: the parser allocates what sizes declare.

use std::io::{self, Read, Seek};

use super::source::array_at;

/// Maximum size of a packet of samples; larger packets are compressed and have a table.
const MAX_PACKET_BYTES: u32 = 4_096;
/// Maximum size of a codec's parameters.
const MAX_COOKIE_BYTES: u64 = 64 * 1_024;
/// Maximum size of the table of packets, which takes up to 24 times as much memory: that of a recording of
/// days.
const MAX_TABLE_BYTES: u64 = 8 * 1_024 * 1_024;
const MAX_CHUNKS: usize = 1 << 16;

/// Whether the sizes in the `size` bytes of a source are true and within limits.
///
/// # Errors
/// Those of the source.
pub fn has_true_sizes(source: &mut (impl Read + Seek), size: u64) -> io::Result<bool> {
    let mut at: u64 = 8;
    for _ in 0..MAX_CHUNKS {
        let (Some(name), Some(length)) = (array_at::<4>(source, at)?, array_at(source, at + 4)?)
        else {
            return Ok(true);
        };
        let body = at + 12;
        // The length of the samples can be unknown: they are last.
        let Ok(length) = u64::try_from(i64::from_be_bytes(length)) else { return Ok(true) };
        let rest = size.saturating_sub(body);
        let is_true = match &name {
            b"desc" => {
                let packet = array_at(source, body + 16)?.map(u32::from_be_bytes);
                packet.is_none_or(|packet| packet <= MAX_PACKET_BYTES)
            }
            b"kuki" => length <= MAX_COOKIE_BYTES.min(rest),
            b"pakt" => {
                let count = array_at(source, body)?.map(u64::from_be_bytes);
                // A packet has at least a byte.
                length <= MAX_TABLE_BYTES.min(rest) && count.is_none_or(|count| count <= length)
            }
            _ => true,
        };
        let Some(next) = body.checked_add(length).filter(|_| is_true) else { return Ok(is_true) };
        at = next;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn chunk(name: &[u8; 4], length: i64, body: &[u8]) -> Vec<u8> {
        [&name[..], &length.to_be_bytes(), body].concat()
    }

    fn is_true(chunks: &[Vec<u8>]) -> bool {
        let file = [&b"caff\0\x01\0\0"[..], &chunks.concat()].concat();
        has_true_sizes(&mut Cursor::new(&file), file.len() as u64).unwrap()
    }

    #[test]
    fn oversized_chunks_are_rejected() {
        let description = |packet: u32| {
            chunk(b"desc", 32, &[&[0; 16][..], &packet.to_be_bytes(), &[0; 12]].concat())
        };
        let table = |count: u64, length: i64| chunk(b"pakt", length, &count.to_be_bytes());
        let samples = chunk(b"data", -1, b"samples");
        assert!(is_true(&[description(4), chunk(b"kuki", 2, b"ab"), samples.clone()]));
        assert!(!is_true(&[description(u32::MAX), samples]));
        assert!(!is_true(&[chunk(b"kuki", 1 << 40, b"ab")]));
        assert!(!is_true(&[chunk(b"kuki", 3, b"ab")]));
        assert!(is_true(&[table(8, 8)]));
        assert!(!is_true(&[table(9, 8)]));
        assert!(!is_true(&[table(1, 1 << 40)]));
        assert!(is_true(&[chunk(b"free", i64::MAX, b"")]));
    }
}
