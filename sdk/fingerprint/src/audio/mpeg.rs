//! Start of an MP3: what players skip before its first frame.

/// Length of the header of an ID3v2 tag, and of its footer.
const TAG_HEADER: u64 = 10;
const HAS_FOOTER: u8 = 0x10;
/// Kilobits per second of MPEG-1 and of MPEG-2, by their index.
const BITRATES: [[u32; 14]; 2] = [
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
const SAMPLE_RATES: [u32; 3] = [44_100, 48_000, 32_000];

/// Returns the length of the ID3v2 tag at the start of `head`; `None` if there is none.
pub fn tag_length(head: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', _, _, flags, length @ ..] = head else { return None };
    let length: [u8; 4] = length.get(..4)?.try_into().ok()?;
    // Seven bits a byte. Some writers set the eighth; players ignore it.
    let length = length.iter().fold(0, |length, byte| length << 7 | u64::from(byte & 0x7F));
    let footer = if flags & HAS_FOOTER == 0 { 0 } else { TAG_HEADER };
    Some(TAG_HEADER + length + footer)
}

/// Returns the number of zero bytes before the first frame of an MP3; `None` if the zeros are followed
/// by something else than two frames in sequence, or a tag.
pub fn padding(bytes: &[u8]) -> Option<usize> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let rest = &bytes[zeros..];
    let has_frames = || frame_length(rest.get(frame_length(rest)?..)?);
    (rest.starts_with(b"ID3") || has_frames().is_some()).then_some(zeros)
}

/// Returns the length of the layer III frame at the start of `bytes` (ISO/IEC 11172-3, 2.4.1.3).
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let [0xFF, second, third, _, ..] = *bytes else { return None };
    if second & 0xE6 != 0xE2 {
        return None;
    }
    let (is_first, halvings) = match second >> 3 & 3 {
        3 => (true, 0),
        2 => (false, 1),
        0 => (false, 2), // MPEG-2.5
        _ => return None,
    };
    let bitrates = &BITRATES[usize::from(!is_first)];
    let bitrate = bitrates.get(usize::from(third >> 4).checked_sub(1)?)?;
    let sample_rate = SAMPLE_RATES.get(usize::from(third >> 2 & 3))? >> halvings;
    let samples = if is_first { 1_152 } else { 576 };
    Some((samples / 8 * bitrate * 1_000 / sample_rate + u32::from(third >> 1 & 1)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns frames of 128 kbit/s at 44.1 kHz.
    fn frames(count: usize) -> Vec<u8> {
        let mut frame = vec![1; 417];
        frame[..4].copy_from_slice(b"\xFF\xFB\x90\x00");
        frame.repeat(count)
    }

    #[test]
    fn zeros_before_frames_are_counted() {
        for zeros in [0, 1, 1_024] {
            let file = [vec![0; zeros], frames(2)].concat();
            assert_eq!(padding(&file), Some(zeros));
            assert_eq!(padding(&[vec![0; zeros], b"ID3\x04".to_vec()].concat()), Some(zeros));
        }
    }

    #[test]
    fn single_sync_is_no_mp3() {
        for rest in [frames(1), frames(2)[..418].to_vec(), b"weights".to_vec(), Vec::new()] {
            assert_eq!(padding(&[vec![0; 64], rest].concat()), None);
        }
    }

    #[test]
    fn tag_length_counts_header_and_footer() {
        assert_eq!(tag_length(b"ID3\x03\0\0\0\0\x02\x01"), Some(10 + 257));
        assert_eq!(tag_length(b"ID3\x04\0\x10\0\0\0\x05"), Some(10 + 5 + 10));
        assert_eq!(tag_length(b"ID3\x04\0"), None);
        assert_eq!(tag_length(b"fLaC......"), None);
    }
}
