use std::ops::Range;

use super::four;

/// Offset of the first chunk, after the signature.
const FIRST_CHUNK: usize = 8;
/// Size of length, name and checksum of a chunk.
const CHUNK_FRAME: usize = 12;

/// Returns the `caBX` chunks of a PNG.
pub fn credentials(content: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut place = FIRST_CHUNK;
    while let (Some(length), Some(name)) = (four(content, place), four(content, place + 4)) {
        let length = u32::from_be_bytes(length) as usize;
        let end = place.saturating_add(CHUNK_FRAME).saturating_add(length);
        if end > content.len() || &name == b"IEND" {
            break;
        }
        if &name == b"caBX" {
            found.push(place..end);
        }
        place = end;
    }
    found
}
