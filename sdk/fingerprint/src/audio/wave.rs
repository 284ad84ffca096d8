//! Chunks of a WAVE file in each of its forms: RIFF, RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088), and Sony's
//! Wave64. The decoder reads RIFF only, with sizes that agree with each other.

use std::io::{self, Read, Seek};

use super::source::{array_at, read_at};

/// Length of a chunk that is not known, or is in the `ds64` chunk.
const UNKNOWN: u32 = u32::MAX;
const MAX_FORMAT_BYTES: u64 = 4_096;
const MAX_CHUNKS: usize = 1 << 16;
const RIFF_GUID: [u8; 16] = *b"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\x00\x00";
/// End of the other identifiers of Wave64, after the four characters of RIFF.
const GUID_END: [u8; 12] = *b"\xF3\xAC\xD3\x11\x8C\xD1\x00\xC0\x4F\x8E\xDB\x8A";
const MPEG_LAYER_3: [u8; 2] = [0x55, 0];

/// Samples of a WAVE file, and how they are coded.
#[derive(Debug, PartialEq, Eq)]
pub struct Wave {
    /// Body of the `fmt ` chunk.
    format: Vec<u8>,
    /// Offset of the samples.
    pub start: u64,
    /// Number of their bytes that the source has.
    pub length: u64,
}

/// Layout of chunks.
enum Form {
    Riff,
    /// With the length of the data in a `ds64` chunk.
    Rf64,
    Wave64,
}

struct Chunk {
    name: [u8; 4],
    start: u64,
    length: u64,
}

/// Whether the first bytes are those of a WAVE file.
pub fn is_wave(head: &[u8]) -> bool {
    form(head).is_some()
}

fn form(head: &[u8]) -> Option<Form> {
    let has = |at: usize, name: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(name));
    match head.get(..4)? {
        b"RIFF" if has(8, b"WAVE") => Some(Form::Riff),
        b"RF64" | b"BW64" if has(8, b"WAVE") => Some(Form::Rf64),
        b"riff" if has(0, &RIFF_GUID) && has(24, b"wave") && has(28, &GUID_END) => {
            Some(Form::Wave64)
        }
        _ => None,
    }
}

impl Wave {
    /// Finds format and samples in the `size` bytes of a source; returns `None` if one is missing.
    ///
    /// # Errors
    /// Those of the source.
    pub fn read(source: &mut (impl Read + Seek), size: u64) -> io::Result<Option<Self>> {
        let mut head = [0; 40];
        let read = read_at(source, 0, &mut head)?;
        let Some(form) = form(&head[..read]) else { return Ok(None) };
        let mut at = if matches!(form, Form::Wave64) { 40 } else { 12 };
        let (mut format, mut long_data) = (None, None);
        for _ in 0..MAX_CHUNKS {
            let Some(chunk) = form.chunk(source, at)? else { break };
            match &chunk.name {
                b"ds64" if matches!(form, Form::Rf64) => {
                    // Lengths of file and data.
                    long_data = array_at(source, chunk.start + 8)?.map(u64::from_le_bytes);
                }
                b"fmt " if chunk.length <= MAX_FORMAT_BYTES => {
                    let mut bytes = vec![0; chunk.length as usize]; // at most 4,096
                    let read = read_at(source, chunk.start, &mut bytes)?;
                    format = (read == bytes.len()).then_some(bytes);
                }
                b"data" => {
                    let rest = size.saturating_sub(chunk.start);
                    let length = match chunk.length {
                        length if length == u64::from(UNKNOWN) => long_data.unwrap_or(rest),
                        // A writer that could not seek back.
                        0 => rest,
                        length => length,
                    };
                    let (start, length) = (chunk.start, length.min(rest));
                    return Ok(format.map(|format| Self { format, start, length }));
                }
                _ => {}
            }
            let Some(next) = form.after(&chunk) else { break };
            at = next;
        }
        Ok(None)
    }

    #[cfg(test)]
    pub fn for_test(format: &[u8], length: u64) -> Self {
        Self { format: format.to_vec(), start: 0, length }
    }

    /// Whether the samples are an MP3.
    pub fn is_mp3(&self) -> bool {
        self.format.starts_with(&MPEG_LAYER_3)
    }

    /// Returns the header of a RIFF file with the samples, and the number of samples' bytes that it
    /// declares: at most 4 GiB.
    pub fn header(&self) -> (Vec<u8>, u64) {
        let padding = self.format.len() % 2;
        let fixed = 12 + 8 + self.format.len() + padding + 8;
        let most = u64::from(u32::MAX - 1) - fixed as u64; // the format has at most 4,096 bytes
        let length = self.length.min(most) as u32;
        let mut header = b"RIFF".to_vec();
        header.extend((fixed as u32 - 8 + length).to_le_bytes());
        header.extend(b"WAVEfmt ");
        header.extend((self.format.len() as u32).to_le_bytes());
        header.extend(&self.format);
        header.resize(header.len() + padding, 0);
        header.extend(b"data");
        header.extend(length.to_le_bytes());
        (header, u64::from(length))
    }
}

impl Form {
    fn chunk(&self, source: &mut (impl Read + Seek), at: u64) -> io::Result<Option<Chunk>> {
        if let Self::Wave64 = self {
            let Some(header) = array_at::<24>(source, at)? else { return Ok(None) };
            let [a, b, c, d, guid @ .., _, _, _, _, _, _, _, _] = header;
            let length = u64::from_le_bytes(std::array::from_fn(|byte| header[16 + byte]));
            // A chunk with another identifier is skipped.
            let name = if guid == GUID_END { [a, b, c, d] } else { [0; 4] };
            // The length counts the header.
            let length = length.checked_sub(24);
            return Ok(length.map(|length| Chunk { name, start: at + 24, length }));
        }
        let Some([a, b, c, d, length @ ..]) = array_at::<8>(source, at)? else { return Ok(None) };
        let length = u64::from(u32::from_le_bytes(length));
        Ok(Some(Chunk { name: [a, b, c, d], start: at + 8, length }))
    }

    fn after(&self, chunk: &Chunk) -> Option<u64> {
        let alignment = if matches!(self, Self::Wave64) { 8 } else { 2 };
        chunk.start.checked_add(chunk.length)?.checked_next_multiple_of(alignment)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const FORMAT: &[u8] = b"\x01\0\x01\0\x40\x1F\0\0\x80\x3E\0\0\x02\0\x10\0";

    fn read(bytes: &[u8]) -> Option<Wave> {
        Wave::read(&mut Cursor::new(bytes), bytes.len() as u64).unwrap()
    }

    fn chunk(name: &[u8], length: u32, body: &[u8]) -> Vec<u8> {
        [name, &length.to_le_bytes(), body].concat()
    }

    fn riff(name: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
        [name, &UNKNOWN.to_le_bytes(), b"WAVE", &chunks.concat()].concat()
    }

    fn wave64(name: &[u8], body: &[u8]) -> Vec<u8> {
        let length = (24 + body.len() as u64).to_le_bytes();
        let mut chunk = [name, &GUID_END, &length, body].concat();
        chunk.resize(chunk.len().next_multiple_of(8), 0);
        chunk
    }

    #[test]
    fn every_form_has_the_same_samples() {
        let (format, samples) = (chunk(b"fmt ", 16, FORMAT), b"samples!");
        let ds64 = chunk(b"ds64", 28, &[&[0; 8][..], &8_u64.to_le_bytes(), &[0; 12]].concat());
        let other = chunk(b"LIST", 3, b"odd\0");
        let long = riff(b"RF64", &[ds64, format.clone(), chunk(b"data", UNKNOWN, samples)]);
        let mut sony = [&RIFF_GUID[..], &[0; 8], b"wave", &GUID_END].concat();
        sony.extend([wave64(b"junk", b"12345"), wave64(b"fmt ", FORMAT)].concat());
        sony.extend(wave64(b"data", samples));
        for file in [
            riff(b"RIFF", &[other, format.clone(), chunk(b"data", 8, samples)]),
            riff(b"RIFF", &[format.clone(), chunk(b"data", 0, samples)]),
            riff(b"RIFF", &[format, chunk(b"data", UNKNOWN, samples)]),
            long.clone(),
            [&b"BW64"[..], &long[4..]].concat(),
            sony,
        ] {
            let wave = read(&file).unwrap();
            assert!(is_wave(&file));
            assert_eq!(&file[wave.start as usize..][..wave.length as usize], samples);
            assert_eq!(wave.format, FORMAT);
        }
    }

    #[test]
    fn declared_length_is_bounded_by_source() {
        let file = riff(b"RIFF", &[chunk(b"fmt ", 16, FORMAT), chunk(b"data", 900, b"samples!")]);
        assert_eq!(read(&file).unwrap().length, 8);
    }

    #[test]
    fn incomplete_wave_is_rejected() {
        let format = chunk(b"fmt ", 16, FORMAT);
        for file in [
            riff(b"RIFF", &[]),
            riff(b"RIFF", std::slice::from_ref(&format)),
            riff(b"RIFF", &[chunk(b"data", 8, b"samples!")]),
            riff(b"RIFF", &[chunk(b"fmt ", 1 << 20, FORMAT), chunk(b"data", 8, b"samples!")]),
            riff(b"RIFF", &[chunk(b"LIST", UNKNOWN, b""), format]),
            [&RIFF_GUID[..], &[0; 8], b"wave", &GUID_END, b"data", &GUID_END, &[0; 8]].concat(),
        ] {
            assert_eq!(read(&file), None, "{file:?}");
        }
    }

    #[test]
    fn header_declares_at_most_four_gib() {
        let wave = Wave { format: FORMAT.to_vec(), start: 99, length: 6 << 30 };
        let (header, length) = wave.header();
        assert_eq!((header.len(), length), (44, u64::from(u32::MAX) - 45));
        let mut whole = header;
        whole.extend(b"samples!");
        let again = read(&whole).unwrap();
        assert_eq!((again.start, again.length), (44, 8));
    }
}
