//! Checks of an MP4 before it is parsed.
//!
//! The parser allocates as many entries as a table declares before it reads one: four bytes in a
//! file of three kilobytes can request 34 GB.

/// Container boxes that lead to tables, each in the one before (ISO/IEC 14496-12, section 6.2.3).
/// The parser does not descend further.
const CONTAINERS: [&[u8; 4]; 5] = [b"moov", b"trak", b"mdia", b"minf", b"stbl"];

/// Maximum number of boxes that are checked.
const MAX_BOXES: usize = 1 << 20;

/// Whether all tables have enough bytes for the entries that they declare. The MP4 may begin at any
/// offset, as in the parser. Content without one is no MP4.
pub fn has_room_for_its_tables(content: &[u8]) -> bool {
    let begins = content.windows(8).position(|bytes| bytes.ends_with(b"ftyp"));
    let whole = |at: usize| Span { content: &content[at..], end: content.len() - at, depth: 0 };
    begins.is_none_or(|at| are_true(whole(at), 0, &mut { MAX_BOXES }))
}

/// Returns the offset of the first box.
#[derive(Clone, Copy)]
struct Span<'a> {
    content: &'a [u8],
    end: usize,
    depth: usize,
}

/// Returns the boxes of a span from `at` on, at most `left`. A box may exceed its container, as in
/// the parser.
fn are_true(span: Span<'_>, mut at: usize, left: &mut usize) -> bool {
    let Span { content, end, depth } = span;
    while at < end {
        let Some((kind, body, next)) = header(content, at, end) else { return true };
        let Some(fewer) = left.checked_sub(1) else { return false };
        *left = fewer;
        let is_true = if CONTAINERS.contains(&kind) && depth < CONTAINERS.len() {
            let inside = Span { content, end: next.min(content.len()), depth: depth + 1 };
            are_true(inside, body, left)
        } else {
            is_true_table(kind, content.get(body..).unwrap_or_default())
        };
        if !is_true {
            return false;
        }
        at = next;
    }
    true
}

/// Returns a box's kind, the start of its contents, and the start of the next box.
fn header(content: &[u8], at: usize, end: usize) -> Option<(&[u8; 4], usize, usize)> {
    let rest = content.get(at..)?;
    let kind = rest.get(4..8)?.try_into().ok()?;
    let (length, header) = match be_u32(rest, 0)? {
        0 => (end - at, 8),
        1 => (usize::try_from(u64::from_be_bytes(rest.get(8..16)?.try_into().ok()?)).ok()?, 16),
        length => (length as usize, 8),
    };
    (length >= header).then_some((kind, at + header, at.checked_add(length)?))
}

/// Whether a box has enough bytes for the entries that it declares.
fn is_true_table(kind: &[u8; 4], body: &[u8]) -> bool {
    let (count_at, entry_bytes) = match kind {
        b"stts" | b"co64" => (4, 8),
        b"stsc" => (4, 12),
        b"stco" => (4, 4),
        // A uniform sample size has no table.
        b"stsz" if be_u32(body, 4) == Some(0) => (8, 4),
        _ => return true,
    };
    let Some(count) = be_u32(body, count_at) else { return true };
    let room = body.len() - count_at - 4; // the count is in it
    u64::from(count) * entry_bytes <= room as u64
}

fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(8 + body.len()).unwrap();
        [&length.to_be_bytes()[..], kind, body].concat()
    }

    /// Returns a table that declares `count` entries and has `bytes`.
    fn tabled(kind: &[u8; 4], count: u32, bytes: usize) -> Vec<u8> {
        let mut body = vec![0; if kind == b"stsz" { 8 } else { 4 }];
        body.extend(count.to_be_bytes());
        body.extend(vec![0; bytes]);
        let moov =
            CONTAINERS.iter().rev().fold(boxed(kind, &body), |inner, kind| boxed(kind, &inner));
        mp4(&moov)
    }

    fn mp4(boxes: &[u8]) -> Vec<u8> {
        [&boxed(b"ftyp", b"M4A \0\0\0\0"), boxes].concat()
    }

    #[test]
    fn table_entries_are_bounded_by_size() {
        for (kind, entry) in [(b"stts", 8), (b"co64", 8), (b"stsc", 12), (b"stco", 4), (b"stsz", 4)]
        {
            assert!(has_room_for_its_tables(&tabled(kind, 5, 5 * entry)), "{kind:?}");
            assert!(!has_room_for_its_tables(&tabled(kind, 5, 5 * entry - 1)), "{kind:?}");
            assert!(!has_room_for_its_tables(&tabled(kind, u32::MAX, 64)), "{kind:?}");
        }
        assert!(has_room_for_its_tables(&tabled(b"mvhd", u32::MAX, 0)), "no table");
    }

    #[test]
    fn uniform_sample_size_needs_no_table() {
        let body = [[0; 4], 7_u32.to_be_bytes(), u32::MAX.to_be_bytes()].concat();
        assert!(has_room_for_its_tables(&mp4(&boxed(b"stbl", &boxed(b"stsz", &body)))));
    }

    #[test]
    fn large_and_open_box_sizes_are_read() {
        let table = tabled(b"stco", u32::MAX, 0).split_off(16);
        let long = [&1_u32.to_be_bytes()[..], b"free", &20_u64.to_be_bytes(), &[0; 4]].concat();
        assert!(!has_room_for_its_tables(&mp4(&[long, table.clone()].concat())));
        let open = [&0_u32.to_be_bytes()[..], b"moov", &table[8..]].concat();
        assert!(!has_room_for_its_tables(&mp4(&open)));
    }

    #[test]
    fn overlong_box_is_read() {
        let mut short = tabled(b"stco", u32::MAX, 0);
        let stbl = short.len() - 24;
        short[stbl..stbl + 4].copy_from_slice(&9_u32.to_be_bytes());
        assert!(!has_room_for_its_tables(&short));
    }

    #[test]
    fn unreadable_boxes_are_left_to_decoder() {
        for content in [&b""[..], b"\0\0\0\x07moov", b"\0\0\0\x01moov\xff\xff\xff\xff", b"\0\0"] {
            assert!(has_room_for_its_tables(&mp4(content)), "{content:?}");
        }
        let far = [&1_u32.to_be_bytes()[..], b"moov", &u64::MAX.to_be_bytes()].concat();
        assert!(has_room_for_its_tables(&mp4(&far)));
        let no_mp4 = tabled(b"stco", u32::MAX, 0).split_off(16);
        assert!(has_room_for_its_tables(&no_mp4));
    }

    #[test]
    fn deeply_nested_boxes_are_ignored() {
        let deep = (0..100_000).flat_map(|_| [&0_u32.to_be_bytes()[..], b"moov"].concat());
        assert!(has_room_for_its_tables(&mp4(&deep.collect::<Vec<_>>())));
        let many = boxed(b"free", b"").repeat(MAX_BOXES);
        assert!(!has_room_for_its_tables(&mp4(&many)));
    }

    #[test]
    fn mp4_is_found_after_other_boxes() {
        assert!(!has_room_for_its_tables(
            &[&b"ID3ID3"[..], &tabled(b"stco", u32::MAX, 0)].concat()
        ));
    }
}
