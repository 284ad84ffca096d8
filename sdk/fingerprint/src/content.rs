use motif_interface::licensing::Fingerprint;

use super::{
    AudioError, ImageError, TextError, audio::decode_audio, image::decode_image, none,
    text::read_text,
};

/// The longest content that is decoded, bytes. Its digest can be taken of any length.
pub const MAX_CONTENT_BYTES: usize = 64 * 1_024 * 1_024;

/// What content is, by its own bytes and not by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A picture.
    Image,
    /// A recording.
    Audio,
    /// Text in UTF-8.
    Text,
    /// Nothing that is compared.
    Other,
}

/// What was perceived in content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Perceived {
    /// What it is.
    pub media: Media,
    /// As what it is served, where that is known.
    pub media_type: &'static str,
    /// What a work of this content is registered with.
    pub fingerprint: Fingerprint,
    /// What to look for to find works like it.
    pub probes: Vec<Fingerprint>,
}

/// Why content cannot be perceived.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// Longer than anything that is decoded.
    #[error("{0} bytes are too many to decode; at most {MAX_CONTENT_BYTES}")]
    TooLong(usize),
    /// It begins as an image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// It begins as a recording.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The decoder came upon something that it does not expect.
    #[error("the decoder cannot make sense of it")]
    Undecodable,
    /// It is text, and too much of it.
    #[error(transparent)]
    Text(#[from] TextError),
}

impl Media {
    /// Tells by the first bytes; text is whatever else is readable as such.
    pub fn of(bytes: &[u8]) -> (Self, &'static str) {
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        let at = |place: usize, magic: &[u8]| {
            bytes.get(place..).is_some_and(|rest| rest.starts_with(magic))
        };
        match bytes {
            _ if starts(b"\x89PNG\r\n\x1A\n") => (Self::Image, "image/png"),
            _ if starts(b"\xFF\xD8\xFF") => (Self::Image, "image/jpeg"),
            _ if starts(b"GIF87a") || starts(b"GIF89a") => (Self::Image, "image/gif"),
            _ if starts(b"RIFF") && at(8, b"WEBP") => (Self::Image, "image/webp"),
            _ if starts(b"RIFF") && at(8, b"WAVE") => (Self::Audio, "audio/wav"),
            _ if starts(b"fLaC") => (Self::Audio, "audio/flac"),
            _ if starts(b"OggS") => (Self::Audio, "audio/ogg"),
            _ if starts(b"ID3") => (Self::Audio, "audio/mpeg"),
            _ if at(4, b"ftypM4A") => (Self::Audio, "audio/mp4"),
            // MPEG audio's frame sync, layer III.
            [0xFF, second, ..] if second & 0xE6 == 0xE2 => (Self::Audio, "audio/mpeg"),
            _ if !bytes.is_empty() && !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok() => {
                (Self::Text, "text/plain")
            }
            _ => (Self::Other, "application/octet-stream"),
        }
    }
}

impl Perceived {
    fn other(media: Media, media_type: &'static str) -> Self {
        Self { media, media_type, fingerprint: none(), probes: Vec::new() }
    }

    fn with(media: Media, media_type: &'static str, fingerprint: Fingerprint) -> Self {
        let probes = if fingerprint == none() { Vec::new() } else { vec![fingerprint] };
        Self { media, media_type, fingerprint, probes }
    }
}

/// What content is, and its fingerprint, within fixed limits. Content from strangers belongs into
/// a [`super::DecodingWorker`]: the limits here are the decoders' own.
///
/// # Errors
/// [`ContentError`].
pub fn perceive(bytes: &[u8]) -> Result<Perceived, ContentError> {
    if bytes.len() > MAX_CONTENT_BYTES {
        return Err(ContentError::TooLong(bytes.len()));
    }
    let (media, media_type) = Media::of(bytes);
    // Decoders keep nothing that a panic could leave half done.
    let decoding = std::panic::AssertUnwindSafe(|| decoded(bytes, media, media_type));
    std::panic::catch_unwind(decoding).unwrap_or(Err(ContentError::Undecodable))
}

fn decoded(
    bytes: &[u8],
    media: Media,
    media_type: &'static str,
) -> Result<Perceived, ContentError> {
    Ok(match media {
        Media::Image => {
            let image = decode_image(bytes)?;
            let (fingerprint, probes) = (image.fingerprint, image.probes);
            Perceived { media, media_type, fingerprint, probes }
        }
        Media::Audio => match decode_audio(bytes) {
            Ok(audio) => {
                let (fingerprint, probes) = (audio.fingerprint, audio.probes);
                Perceived { media, media_type, fingerprint, probes }
            }
            // A container that is known with something in it that is not.
            Err(AudioError::UnknownFormat) => Perceived::other(media, media_type),
            Err(error) => return Err(error.into()),
        },
        Media::Text => match read_text(bytes) {
            Ok(fingerprint) => Perceived::with(media, media_type, fingerprint.unwrap_or(none())),
            Err(TextError::NotText) => Perceived::other(Media::Other, "application/octet-stream"),
            Err(error) => return Err(error.into()),
        },
        Media::Other => Perceived::other(media, media_type),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_type_follows_first_bytes() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1A\n"[..], "image/png"),
            (b"\xFF\xD8\xFF\xE0", "image/jpeg"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
            (b"\xFF\xFB\x90\x00", "audio/mpeg"),
            (b"ID3\x04", "audio/mpeg"),
            (b"OggS\0", "audio/ogg"),
            (b"words", "text/plain"),
            (b"weights\0", "application/octet-stream"),
            (b"", "application/octet-stream"),
        ] {
            assert_eq!(Media::of(bytes).1, expected, "{bytes:?}");
        }
    }

    #[test]
    fn unknown_content_has_no_fingerprint() {
        let perceived = perceive(b"weights\0\x01").unwrap();
        assert_eq!((perceived.media, perceived.fingerprint), (Media::Other, none()));
        assert!(perceived.probes.is_empty());
    }

    #[test]
    fn truncated_image_is_rejected() {
        let torn = perceive(b"\x89PNG\r\n\x1A\n and then nothing");
        assert!(matches!(torn, Err(ContentError::Image(ImageError::Unreadable(_)))));
    }
}
