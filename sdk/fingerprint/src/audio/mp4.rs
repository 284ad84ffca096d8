//! Checks of an MP4 before it is parsed.
//!
//! The parser allocates as many entries as a table declares before it reads one: four bytes in a
//! file of three kilobytes can request 34 GB.

use std::io::{self, Read, Seek};

use super::source::read_at;

/// Container boxes that lead to tables, each in the one before (ISO/IEC 14496-12, section 6.2.3).
/// The parser does not descend further.
const CONTAINERS: [&[u8; 4]; 5] = [b"moov", b"trak", b"mdia", b"minf", b"stbl"];

/// Maximum number of boxes that are checked.
const MAX_BOXES: usize = 1 << 20;
/// Maximum size of all tables together: those of a recording of days.
const MAX_TABLE_BYTES: u64 = 64 * 1_024 * 1_024;
/// Maximum size of a sample, which is read whole: that of a picture of a video.
const MAX_SAMPLE_BYTES: u32 = 64 * 1_024 * 1_024;
const WINDOW_BYTES: usize = 4_096;

/// What the boxes of an MP4 say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Whether a track has pictures.
    pub has_pictures: bool,
}

/// Reads the boxes in the `size` bytes of a source; returns `None` if a table declares more entries than
/// the source has bytes for, or tables or boxes are too many.
///
/// # Errors
/// Those of the source.
pub fn survey(source: &mut (impl Read + Seek), size: u64) -> io::Result<Option<Survey>> {
    let mut survey = Survey { has_pictures: false };
    let mut reader = Reader {
        window: Window { source, bytes: Vec::new(), at: 0 },
        size,
        survey: &mut survey,
        boxes_left: MAX_BOXES,
        table_bytes_left: MAX_TABLE_BYTES,
    };
    let is_true = reader.boxes(0, size, 0)?;
    Ok(is_true.then_some(survey))
}

struct Reader<'a, S> {
    window: Window<'a, S>,
    size: u64,
    survey: &'a mut Survey,
    boxes_left: usize,
    table_bytes_left: u64,
}

/// Bytes of a source that were read last.
struct Window<'a, S> {
    source: &'a mut S,
    bytes: Vec<u8>,
    at: u64,
}

struct BoxHeader {
    kind: [u8; 4],
    body: u64,
    next: u64,
}

impl<S: Read + Seek> Reader<'_, S> {
    /// Whether all tables between two offsets have enough bytes for the entries that they declare. A box
    /// may exceed its container, as in the parser.
    fn boxes(&mut self, mut at: u64, end: u64, depth: usize) -> io::Result<bool> {
        while at < end {
            let Some(found) = self.header(at, end)? else { return Ok(true) };
            let Some(fewer) = self.boxes_left.checked_sub(1) else { return Ok(false) };
            self.boxes_left = fewer;
            let is_true = if CONTAINERS.contains(&&found.kind) && depth < CONTAINERS.len() {
                self.boxes(found.body, found.next.min(self.size), depth + 1)?
            } else {
                self.is_true(&found)?
            };
            if !is_true {
                return Ok(false);
            }
            at = found.next;
        }
        Ok(true)
    }

    fn header(&mut self, at: u64, end: u64) -> io::Result<Option<BoxHeader>> {
        let Some([a, b, c, d, kind @ ..]) = self.window.array::<8>(at)? else { return Ok(None) };
        let (length, header) = match u32::from_be_bytes([a, b, c, d]) {
            0 => (end - at, 8),
            1 => match self.window.array(at + 8)? {
                Some(length) => (u64::from_be_bytes(length), 16),
                None => return Ok(None),
            },
            length => (u64::from(length), 8),
        };
        let next = at.checked_add(length).filter(|_| length >= header);
        Ok(next.map(|next| BoxHeader { kind, body: at + header, next }))
    }

    /// Whether a box has enough bytes for the entries that it declares.
    fn is_true(&mut self, found: &BoxHeader) -> io::Result<bool> {
        let mut number = |at: u64| -> io::Result<Option<u32>> {
            Ok(self.window.array(found.body + at)?.map(u32::from_be_bytes))
        };
        let (count_at, entry_bytes) = match &found.kind {
            b"hdlr" => {
                self.survey.has_pictures |= number(8)? == Some(u32::from_be_bytes(*b"vide"));
                return Ok(true);
            }
            b"stts" | b"co64" => (4, 8),
            b"stsc" => (4, 12),
            b"stco" => (4, 4),
            b"stsz" => match number(4)? {
                Some(0) => (8, 4),
                // A uniform sample size has no table.
                size => return Ok(size.is_none_or(|size| size <= MAX_SAMPLE_BYTES)),
            },
            _ => return Ok(true),
        };
        let Some(count) = number(count_at)? else { return Ok(true) };
        let table = u64::from(count) * entry_bytes;
        let room = self.size.saturating_sub(found.body + count_at + 4); // the count is in it
        let Some(left) = self.table_bytes_left.checked_sub(table) else { return Ok(false) };
        self.table_bytes_left = left;
        if found.kind == *b"stsz" && table <= room {
            for sample in 0..u64::from(count) {
                let size = self.window.array(found.body + 12 + 4 * sample)?;
                if size.is_some_and(|size| u32::from_be_bytes(size) > MAX_SAMPLE_BYTES) {
                    return Ok(false);
                }
            }
        }
        Ok(table <= room)
    }
}

impl<S: Read + Seek> Window<'_, S> {
    /// Returns bytes at an offset; `None` if the source ends before.
    fn array<const N: usize>(&mut self, at: u64) -> io::Result<Option<[u8; N]>> {
        if let Some(bytes) = self.known(at) {
            return Ok(Some(bytes));
        }
        self.bytes.resize(WINDOW_BYTES, 0);
        let read = read_at(self.source, at, &mut self.bytes)?;
        self.bytes.truncate(read);
        self.at = at;
        Ok(self.known(at))
    }

    fn known<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        let from = usize::try_from(at.checked_sub(self.at)?).ok()?;
        self.bytes.get(from..from.checked_add(N)?)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn has_room_for_its_tables(content: &[u8]) -> bool {
        survey(&mut Cursor::new(content), content.len() as u64).unwrap().is_some()
    }

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
    fn oversized_sample_is_rejected() {
        for (size, is_true) in [(MAX_SAMPLE_BYTES, true), (MAX_SAMPLE_BYTES + 1, false)] {
            let uniform = [[0; 4], size.to_be_bytes(), [0; 4]].concat();
            let listed = [[0; 4], [0; 4], 2_u32.to_be_bytes(), [0; 4], size.to_be_bytes()].concat();
            for body in [uniform, listed] {
                assert_eq!(has_room_for_its_tables(&mp4(&boxed(b"stsz", &body))), is_true);
            }
        }
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
    }

    #[test]
    fn deeply_nested_boxes_are_ignored() {
        let deep = (0..100_000).flat_map(|_| [&0_u32.to_be_bytes()[..], b"moov"].concat());
        assert!(has_room_for_its_tables(&mp4(&deep.collect::<Vec<_>>())));
        let many = boxed(b"free", b"").repeat(MAX_BOXES);
        assert!(!has_room_for_its_tables(&mp4(&many)));
    }

    #[test]
    fn tables_are_bounded_in_all() {
        let count = u32::try_from(MAX_TABLE_BYTES / 4).unwrap();
        let table = |count: u32| {
            let mut sizes = boxed(b"stco", &[&[0; 4][..], &count.to_be_bytes()].concat());
            sizes.resize(sizes.len() + 4 * count as usize, 0);
            sizes[..4].copy_from_slice(&(16 + 4 * count).to_be_bytes());
            sizes
        };
        assert!(has_room_for_its_tables(&mp4(&table(count))));
        let two = [table(count / 2), table(count / 2 + 1)].concat();
        assert!(!has_room_for_its_tables(&mp4(&two)));
    }

    #[test]
    fn track_with_pictures_is_found() {
        for (handler, has_pictures) in [(b"vide", true), (b"soun", false)] {
            let body = [&[0; 8][..], handler, &[0; 12]].concat();
            let boxes = boxed(b"hdlr", &body);
            let moov =
                [b"mdia", b"trak", b"moov"].iter().fold(boxes, |inner, kind| boxed(kind, &inner));
            let content = mp4(&moov);
            let survey = survey(&mut Cursor::new(&content), content.len() as u64).unwrap();
            assert_eq!(survey, Some(Survey { has_pictures }));
        }
    }
}
