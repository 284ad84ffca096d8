use std::io::{self, Read, Seek};

const SIGNATURE: usize = 8;
/// Length and name of a chunk.
const HEAD: usize = 8;
const CHECKSUM: u64 = 4;
/// Chunks that are no pixels and matter to a picture: its transparency, and its orientation.
const KEPT: [&[u8; 4]; 2] = [b"tRNS", b"eXIf"];

/// Returns a PNG without the chunks that do not matter to its pixels. A profile or a text of some kilobytes inflates to
/// gigabytes, so decoders are given none.
///
/// # Errors
/// Those of the source.
pub fn essential_png(mut source: impl Read + Seek) -> io::Result<Vec<u8>> {
    let mut essential = Vec::new();
    source.by_ref().take(SIGNATURE as u64).read_to_end(&mut essential)?;
    loop {
        let begin = essential.len();
        source.by_ref().take(HEAD as u64).read_to_end(&mut essential)?;
        let Some((length, name)) = essential[begin..].split_first_chunk::<4>() else { break };
        let is_end = name == b"IEND";
        let is_critical = name.first().is_some_and(u8::is_ascii_uppercase);
        let is_kept = is_critical || KEPT.iter().any(|kept| name == &kept[..]);
        let rest = u64::from(u32::from_be_bytes(*length)) + CHECKSUM;
        if is_kept {
            source.by_ref().take(rest).read_to_end(&mut essential)?;
        } else {
            essential.truncate(begin);
            source.seek_relative(rest as i64)?; // at most 2^32 + 3
        }
        if is_end {
            break;
        }
    }
    Ok(essential)
}
