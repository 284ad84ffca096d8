//! Checks of a Core Audio file before it is parsed: the parser allocates what sizes declare.

use std::io::{self, Read, Seek};

use super::source::{array_at, read_at};

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
    let (mut at, mut numbers): (u64, u64) = (8, 0);
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
                let number = |bytes: Option<[u8; 4]>| bytes.map_or(0, u32::from_be_bytes);
                let packet = number(array_at(source, body + 16)?);
                let frames = number(array_at(source, body + 20)?);
                numbers = u64::from(packet == 0) + u64::from(frames == 0);
                packet <= MAX_PACKET_BYTES
            }
            // The parser reads what the count says, and the next chunk after that.
            b"chan" => {
                let count = array_at(source, body + 8)?.map(u32::from_be_bytes);
                count.is_none_or(|count| length == 12 + 20 * u64::from(count))
            }
            b"kuki" => length <= MAX_COOKIE_BYTES.min(rest),
            b"pakt" => {
                let count = array_at(source, body)?.map_or(0, u64::from_be_bytes);
                length <= MAX_TABLE_BYTES.min(rest)
                    && length >= 24
                    && count <= length
                    && has_numbers(source, body + 24, length - 24, count.saturating_mul(numbers))?
            }
            _ => true,
        };
        let Some(next) = body.checked_add(length).filter(|_| is_true) else { return Ok(is_true) };
        at = next;
    }
    Ok(false)
}

/// Whether a range has exactly `count` numbers of seven bits a byte, of which the last byte has no flag.
fn has_numbers(
    source: &mut (impl Read + Seek),
    at: u64,
    length: u64,
    count: u64,
) -> io::Result<bool> {
    let mut bytes = vec![0; length as usize]; // at most 8 MiB
    let read = read_at(source, at, &mut bytes)?;
    let ends = bytes[..read].iter().filter(|byte| **byte < 0x80).count() as u64;
    Ok(ends == count && bytes[..read].last().is_none_or(|byte| *byte < 0x80))
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
        let table = |count: u64, length: i64| {
            chunk(b"pakt", length, &[&count.to_be_bytes()[..], &[0; 16], &[0x81, 1, 2]].concat())
        };
        let samples = chunk(b"data", -1, b"samples");
        assert!(is_true(&[description(4), chunk(b"kuki", 2, b"ab"), samples.clone()]));
        assert!(!is_true(&[description(u32::MAX), samples]));
        assert!(!is_true(&[chunk(b"kuki", 1 << 40, b"ab")]));
        assert!(!is_true(&[chunk(b"kuki", 3, b"ab")]));
        let compressed = || {
            chunk(b"desc", 32, &[&[0; 16][..], &[0; 4], &4_096_u32.to_be_bytes(), &[0; 8]].concat())
        };
        assert!(is_true(&[compressed(), table(2, 27)]));
        for table in [table(3, 27), table(1, 27), table(u64::MAX, 27), table(2, 1 << 40)] {
            assert!(!is_true(&[compressed(), table]));
        }
        let layout = |count: u32| chunk(b"chan", 12, &[&[0; 8][..], &count.to_be_bytes()].concat());
        assert!(is_true(&[layout(0)]) && !is_true(&[layout(1)]));
        assert!(is_true(&[chunk(b"free", i64::MAX, b"")]));
    }
}
