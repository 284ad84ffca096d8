use std::ops::Range;

use super::four;

const HEADER: usize = 10;
/// Flags of a tag whose frames stand plainly one after the other: none but a footer's.
const FOOTER: u8 = 0x10;
const MEDIA_TYPES: [&[u8]; 2] = [b"application/c2pa", b"application/x-c2pa-manifest-store"];

/// The GEOB frames with a manifest store of an ID3v2 tag at the start of an MP3; the whole tag,
/// where it has nothing else.
pub fn credentials(content: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let Some((version, tag_end)) = tag(content) else { return found };
    let mut has_others = false;
    let mut place = HEADER;
    while let (Some(name), Some(length)) = (four(content, place), four(content, place + 4)) {
        if name[0] == 0 {
            break; // padding
        }
        let length = if version == 4 { syncsafe(length) } else { Some(u32::from_be_bytes(length)) };
        let Some(length) = length else { break };
        let end = place.saturating_add(HEADER).saturating_add(length as usize);
        let Some(frame) = content.get(place + HEADER..end.min(tag_end)) else { break };
        if end > tag_end {
            break;
        }
        if &name == b"GEOB" && is_store(frame) {
            found.push(place..end);
        } else {
            has_others = true;
        }
        place = end;
    }
    if !found.is_empty() && !has_others {
        let footer = if content[5] & FOOTER == 0 { 0 } else { HEADER };
        return vec![0..(tag_end + footer).min(content.len())];
    }
    found
}

/// States the length of the tag anew, where one is left.
pub fn shorten(content: &mut [u8], removed: usize) {
    let Some((_, tag_end)) = tag(content) else { return };
    let length = (tag_end - HEADER).saturating_sub(removed);
    for (byte, shift) in content[6..10].iter_mut().zip([21, 14, 7, 0]) {
        *byte = (length >> shift & 0x7F) as u8;
    }
}

/// The version and the end of a tag, its footer not counted.
fn tag(content: &[u8]) -> Option<(u8, usize)> {
    let [b'I', b'D', b'3', version @ 3..=4, _, flags, ..] = *content else { return None };
    let length = syncsafe(four(content, 6)?)? as usize;
    (flags & !FOOTER == 0).then_some((version, HEADER + length))
}

/// An encoding (1), a media type, a zero.
fn is_store(frame: &[u8]) -> bool {
    let Some((_, rest)) = frame.split_first() else { return false };
    let media_type = rest.split(|byte| *byte == 0).next().unwrap_or_default();
    MEDIA_TYPES.contains(&media_type)
}

/// Four times seven bits.
fn syncsafe(bytes: [u8; 4]) -> Option<u32> {
    let fits = bytes.iter().all(|byte| *byte < 0x80);
    fits.then(|| bytes.iter().fold(0, |length, byte| length << 7 | u32::from(*byte)))
}
