use std::ops::Range;

use super::four;

/// Offset of the first chunk, after `RIFF`, length and form.
const FIRST_CHUNK: usize = 12;

/// Returns the `C2PA` chunks of a RIFF file.
pub fn credentials(content: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let Some(length) = four(content, 4) else { return found };
    let form_end = (u32::from_le_bytes(length) as usize).saturating_add(8).min(content.len());
    let mut place = FIRST_CHUNK;
    while let (Some(name), Some(length)) = (four(content, place), four(content, place + 4)) {
        let length = u32::from_le_bytes(length) as usize;
        let end = place.saturating_add(8).saturating_add(length);
        if end > form_end {
            break;
        }
        let end = (end + length % 2).min(form_end); // a byte of padding
        if &name == b"C2PA" {
            found.push(place..end);
        }
        place = end;
    }
    found
}

/// Updates the length of the form.
pub fn shorten(content: &mut [u8], removed: usize) {
    let Some(length) = four(content, 4) else { return };
    let length = (u32::from_le_bytes(length) as usize).saturating_sub(removed);
    // It decreased, so it still fits 32 bits.
    content[4..8].copy_from_slice(&(length as u32).to_le_bytes());
}
