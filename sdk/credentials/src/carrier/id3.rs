use std::ops::Range;

use super::four;

const HEADER: usize = 10;
/// Tag flags that change the layout of frames: all except a footer's.
const FOOTER: u8 = 0x10;
const MEDIA_TYPES: [&[u8]; 2] = [b"application/c2pa", b"application/x-c2pa-manifest-store"];

/// Flag of a tag without false frame syncs, whose frames must be changed before they are inserted.
const UNSYNCHRONIZED: u8 = 0x80;
/// Flag of a tag with a header between its header and its frames.
const EXTENDED: u8 = 0x40;

/// Returns the GEOB frames with a manifest store in the ID3v2 tag of an MP3, or the whole tag if it
/// contains nothing else.
pub fn credentials(content: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let Some((version, tag_end)) = tag(content) else { return found };
    let mut has_others = false;
    let mut place = HEADER;
    while let (Some(name), Some(length)) = (four(content, place), four(content, place + 4)) {
        if place >= tag_end || name[0] == 0 {
            break; // after the tag, or padding
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
    if !found.is_empty() && !has_others && place == tag_end {
        let footer = if content[5] & FOOTER == 0 { 0 } else { HEADER };
        return std::iter::once(0..(tag_end + footer).min(content.len())).collect();
    }
    found
}

/// Inserts a manifest store as the first frame of the tag of an MP3, or of a new tag; returns the
/// file and the range of the store, or `None` if the tag cannot be extended.
pub fn insert(content: &[u8], store: &[u8]) -> Option<(Vec<u8>, Range<usize>)> {
    let frame_start = [&[0][..], MEDIA_TYPES[0], b"\0c2pa\0c2pa manifest store\0"].concat();
    let frame_length = frame_start.len() + store.len();
    let ([version, revision, flags], body_length, rest) = match tag(content) {
        Some((version, end)) => {
            ([version, content[4], content[5]], end - HEADER, content.get(HEADER..)?)
        }
        None if content.starts_with(b"ID3") => return None,
        None => ([4, 0, 0], 0, content),
    };
    let tag_length = to_syncsafe(body_length + HEADER + frame_length)?;
    let length = match version {
        4 => to_syncsafe(frame_length)?,
        _ => u32::try_from(frame_length).ok()?.to_be_bytes(),
    };
    let mut tagged = [&b"ID3"[..], &[version, revision, flags], &tag_length].concat();
    tagged.extend([&b"GEOB"[..], &length, &[0, 0], &frame_start].concat());
    let place = tagged.len()..tagged.len() + store.len();
    tagged.extend_from_slice(store);
    tagged.extend_from_slice(rest);
    Some((tagged, place))
}

/// Returns why nothing can be added to the tag of an MP3; `None` if frames can be.
pub fn fault(content: &[u8]) -> Option<&'static str> {
    let [b'I', b'D', b'3', version, _, flags, ..] = *content else { return None };
    match version {
        _ if tag(content).is_some() => None,
        2 => Some("is of version 2.2"),
        3..=4 if flags & UNSYNCHRONIZED != 0 => Some("is unsynchronized"),
        3..=4 if flags & EXTENDED != 0 => Some("has an extended header"),
        _ => Some("is damaged, or of an unknown version"),
    }
}

/// Updates the length of the tag, if one is left.
pub fn shorten(content: &mut [u8], removed: usize) {
    let Some((_, tag_end)) = tag(content) else { return };
    // It decreased, so it still fits.
    if let Some(length) = to_syncsafe((tag_end - HEADER).saturating_sub(removed)) {
        content[6..10].copy_from_slice(&length);
    }
}

/// Returns the version and the end of a tag, without its footer.
fn tag(content: &[u8]) -> Option<(u8, usize)> {
    let [b'I', b'D', b'3', version @ 3..=4, _, flags, ..] = *content else { return None };
    let length = syncsafe(four(content, 6)?)? as usize;
    (flags & !FOOTER == 0).then_some((version, HEADER + length))
}

/// Encoding (1), media type, zero.
fn is_store(frame: &[u8]) -> bool {
    let Some((_, rest)) = frame.split_first() else { return false };
    let media_type = rest.split(|byte| *byte == 0).next().unwrap_or_default();
    MEDIA_TYPES.contains(&media_type)
}

/// Encodes 28 bits in four bytes of seven bits.
fn syncsafe(bytes: [u8; 4]) -> Option<u32> {
    let fits = bytes.iter().all(|byte| *byte < 0x80);
    fits.then(|| bytes.iter().fold(0, |length, byte| length << 7 | u32::from(*byte)))
}

fn to_syncsafe(length: usize) -> Option<[u8; 4]> {
    let fits = length < 1 << 28;
    fits.then(|| [21, 14, 7, 0].map(|shift| (length >> shift & 0x7F) as u8))
}
