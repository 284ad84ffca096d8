use motif_interface::licensing::Fingerprint;

use super::{
    AudioError, ImageError, TextError, audio::decode_audio, encoding::decode, image::decode_image,
    none, text::read_text,
};

/// Maximum size of content that is decoded, bytes.
pub const MAX_CONTENT_BYTES: usize = 64 * 1_024 * 1_024;

/// Kind of content, detected from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// Image.
    Image,
    /// Audio recording.
    Audio,
    /// Text in UTF-8, UTF-16 or UTF-32.
    Text,
    /// Content without a fingerprint scheme.
    Other,
}

/// Result of [`perceive`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Perceived {
    /// Kind of content.
    pub media: Media,
    /// Media type; `application/octet-stream` if unknown.
    pub media_type: &'static str,
    /// Fingerprint to register a work of this content with.
    pub fingerprint: Fingerprint,
    /// Fingerprints to search for similar works.
    pub probes: Vec<Fingerprint>,
}

/// Errors of [`perceive`].
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// Error returned when the content exceeds [`MAX_CONTENT_BYTES`].
    #[error("content of {0} bytes is too large to decode: at most {MAX_CONTENT_BYTES} are allowed")]
    TooLong(usize),
    /// Error returned when an image cannot be decoded.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Error returned when a recording cannot be decoded.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// Error returned when the decoder panics.
    #[error("the decoder failed on the content")]
    Undecodable,
    /// Error returned when a text is too long.
    #[error(transparent)]
    Text(#[from] TextError),
}

impl Media {
    /// Detects kind and media type from the first bytes; other content that decodes as
    /// UTF-8, UTF-16 or UTF-32 is text.
    pub fn detect(bytes: &[u8]) -> (Self, &'static str) {
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
            _ if decode(bytes).is_some() => (Self::Text, "text/plain"),
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

/// Detects the kind of content and fingerprints it, within the decoders' limits. Use
/// `motif_credentials::DecodingWorker` for untrusted content.
///
/// # Errors
/// [`ContentError`].
pub fn perceive(bytes: &[u8]) -> Result<Perceived, ContentError> {
    if bytes.len() > MAX_CONTENT_BYTES {
        return Err(ContentError::TooLong(bytes.len()));
    }
    let (media, media_type) = Media::detect(bytes);
    // Decoders have no state that a panic could leave inconsistent.
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
            // A known container with an unknown codec.
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
            assert_eq!(Media::detect(bytes).1, expected, "{bytes:?}");
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
