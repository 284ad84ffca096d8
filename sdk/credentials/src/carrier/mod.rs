//! File formats that carry credentials, and removal of credentials.

mod id3;
mod jpeg;
mod png;
mod riff;

use std::ops::Range;

use motif_fingerprint::Media;

/// File format that carries credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// JPEG: in APP11 segments.
    Jpeg,
    /// PNG: in a `caBX` chunk.
    Png,
    /// WebP: in a `C2PA` chunk.
    WebP,
    /// WAV: in a `C2PA` chunk.
    Wav,
    /// MP3: in a GEOB frame of an ID3v2 tag.
    Mp3,
}

impl Carrier {
    /// Detects the format from the first bytes; returns `None` for formats without credentials.
    pub fn detect(content: &[u8]) -> Option<Self> {
        match Media::detect(content).1 {
            "image/jpeg" => Some(Self::Jpeg),
            "image/png" => Some(Self::Png),
            "image/webp" => Some(Self::WebP),
            // RF64 and Wave64 have other chunks.
            "audio/wav" if content.starts_with(b"RIFF") => Some(Self::Wav),
            "audio/mpeg" => Some(Self::Mp3),
            _ => None,
        }
    }

    /// Returns the media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Wav => "audio/wav",
            Self::Mp3 => "audio/mpeg",
        }
    }

    /// Returns why nothing can be added to the tag of an MP3, as in "the tag is ...".
    pub(super) fn tag_fault(self, content: &[u8]) -> Option<&'static str> {
        (self == Self::Mp3).then(|| id3::fault(content)).flatten()
    }

    /// Inserts a manifest store into an MP3; returns the file and the range of the store, or `None`
    /// if its tag cannot be extended. c2pa does this for other formats.
    pub(super) fn insert(self, content: &[u8], store: &[u8]) -> Option<(Vec<u8>, Range<usize>)> {
        (self == Self::Mp3).then(|| id3::insert(content, store)).flatten()
    }

    /// Returns content without its credentials, byte by byte as before signing; `None` if it has
    /// none.
    ///
    /// Reads only lengths and names of chunks, so it is safe on untrusted content. Corrupt content
    /// is processed as far as it can be read.
    pub fn bare(self, content: &[u8]) -> Option<Vec<u8>> {
        let taken = match self {
            Self::Jpeg => jpeg::credentials(content),
            Self::Png => png::credentials(content),
            Self::WebP | Self::Wav => riff::credentials(content),
            Self::Mp3 => id3::credentials(content),
        };
        if taken.is_empty() {
            return None;
        }
        let mut bare = without(content, &taken);
        let removed = content.len() - bare.len();
        match self {
            Self::Jpeg | Self::Png => {}
            Self::WebP | Self::Wav => riff::shorten(&mut bare, removed),
            Self::Mp3 if taken[0].start == 0 => {} // the whole tag
            Self::Mp3 => id3::shorten(&mut bare, removed),
        }
        Some(bare)
    }
}

/// Returns the content without `parts`, which are in ascending order and do not overlap.
fn without(content: &[u8], parts: &[Range<usize>]) -> Vec<u8> {
    let mut rest = Vec::with_capacity(content.len());
    let mut from = 0;
    for part in parts {
        rest.extend_from_slice(&content[from..part.start]);
        from = part.end;
    }
    rest.extend_from_slice(&content[from..]);
    rest
}

/// Returns four bytes at `place`, if they exist.
fn four(content: &[u8], place: usize) -> Option<[u8; 4]> {
    content.get(place..place.checked_add(4)?)?.try_into().ok()
}
