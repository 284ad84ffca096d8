use std::io::{Read, Seek, SeekFrom};

use motif_interface::licensing::Fingerprint;

use super::{
    AudioError, DecodedAudio, FingerprintedText, ImageError, TextError,
    audio::{decode_audio, read_audio},
    charset::decode,
    format::Format,
    image::{Decoded, decode_image, read_image},
    markup::{self, Markup},
    media::{MAX_CONTENT_BYTES, Media},
    missing::{Caveat, Missing},
    none,
    text::fingerprint_text,
};

/// Number of first bytes from which formats are detected that are read from a source.
const HEAD_BYTES: usize = 64 * 1_024;

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
    /// Reason why there is no fingerprint.
    pub missing: Option<Missing>,
    /// What the fingerprint does not cover.
    pub caveat: Option<Caveat>,
}

/// Errors of [`perceive`].
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// Error returned when the content exceeds [`MAX_CONTENT_BYTES`], and is not of a format that is read
    /// from a source.
    #[error("content of {0} bytes is too large to decode: at most {MAX_CONTENT_BYTES} are allowed")]
    TooLong(usize),
    /// Error returned when a source cannot be read.
    #[error("the content cannot be read: {0}")]
    Source(#[from] std::io::Error),
    /// Error returned when an image cannot be decoded.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Error returned when a recording cannot be decoded.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// Error returned when a document cannot be read.
    #[cfg(feature = "documents")]
    #[error(transparent)]
    Document(#[from] super::DocumentError),
    /// Error returned when the decoder panics.
    #[error("the decoder failed on the content")]
    Undecodable,
    /// Error returned when a text is too long.
    #[error(transparent)]
    Text(#[from] TextError),
}

impl Perceived {
    fn missing(format: Format, missing: Missing) -> Self {
        Self::new(format, none(), Vec::new(), missing)
    }

    fn new(
        format: Format,
        fingerprint: Fingerprint,
        probes: Vec<Fingerprint>,
        missing: Missing,
    ) -> Self {
        let (media, media_type) = (format.media(), format.media_type());
        let missing = (fingerprint == none()).then_some(missing);
        Self { media, media_type, fingerprint, probes, missing, caveat: None }
    }

    fn image(format: Format, Decoded { fingerprint, probes, .. }: Decoded) -> Self {
        Self::new(format, fingerprint, probes, Missing::PlainPicture)
    }

    fn audio(format: Format, audio: Result<DecodedAudio, AudioError>) -> Result<Self, AudioError> {
        let audio = match audio {
            Ok(audio) => audio,
            // A known container with an unknown codec.
            Err(AudioError::UnknownFormat) => {
                return Ok(Self::missing(format, Missing::UnknownCodec));
            }
            Err(error) => return Err(error),
        };
        let format = if audio.has_pictures { Format::Video } else { format };
        let caveat = audio.is_cut.then_some(Caveat::FirstTwentyMinutes);
        let perceived = Self::new(format, audio.fingerprint, audio.probes, Missing::Silence);
        Ok(Self { caveat, ..perceived })
    }

    fn text(format: Format, text: FingerprintedText) -> Self {
        let fingerprint = text.fingerprint.unwrap_or_else(none);
        Self::new(format, fingerprint, text.probes, Missing::ShortText)
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
    contained(|| decoded(bytes))
}

/// As [`perceive`], for a source of any length, such as a file. Recordings, JPEG and PNG of any length are read
/// in bounded memory; other content exceeds no more than [`MAX_CONTENT_BYTES`].
///
/// # Errors
/// [`ContentError`].
pub fn perceive_source(
    mut source: impl Read + Seek + Send + Sync + 'static,
) -> Result<Perceived, ContentError> {
    let size = source.seek(SeekFrom::End(0))?;
    source.rewind()?;
    let mut head = Vec::new();
    source.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    let format = Format::from_signature(&head);
    match format.map(|format| (format, format.media())) {
        Some((format @ (Format::Jpeg | Format::Png), _)) => {
            contained(|| Ok(Perceived::image(format, read_image(source)?)))
        }
        Some((Format::Unread(_), _)) => contained(|| decoded(&head)),
        Some((format, Media::Audio)) => {
            contained(|| Ok(Perceived::audio(format, read_audio(source))?))
        }
        _ if size > MAX_CONTENT_BYTES as u64 => match Format::detect(&head) {
            Format::Unread(_) => contained(|| decoded(&head)),
            _ => Err(ContentError::TooLong(usize::try_from(size).unwrap_or(usize::MAX))),
        },
        _ => {
            source.rewind()?;
            let mut bytes = Vec::new();
            source.take(MAX_CONTENT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
            perceive(&bytes)
        }
    }
}

/// Decoders have no state that a panic could leave inconsistent.
fn contained(
    decode: impl FnOnce() -> Result<Perceived, ContentError>,
) -> Result<Perceived, ContentError> {
    let decode = std::panic::AssertUnwindSafe(decode);
    std::panic::catch_unwind(decode).unwrap_or(Err(ContentError::Undecodable))
}

fn decoded(bytes: &[u8]) -> Result<Perceived, ContentError> {
    let format = Format::detect(bytes);
    match (format, format.media()) {
        (Format::Unread(unread), _) => Ok(Perceived::missing(format, Missing::Unread(unread))),
        (_, Media::Image) => Ok(Perceived::image(format, decode_image(bytes)?)),
        (_, Media::Audio) => Ok(Perceived::audio(format, decode_audio(bytes))?),
        (Format::Text | Format::Html, _) => match decode(bytes) {
            Some(text) => text_of(format, &text),
            None => Ok(Perceived::missing(Format::Other, Missing::UnknownFormat)),
        },
        (_, Media::Text) => document(format, bytes),
        (_, Media::Other) => legacy_text(bytes),
    }
}

/// Fingerprints a text, or a page's text. Works that were registered from a page before pages were read have a
/// fingerprint of the page with its tags.
fn text_of(format: Format, text: &str) -> Result<Perceived, ContentError> {
    let read = match fingerprint_text(text) {
        Ok(read) => read,
        Err(TextError::NotText) => {
            return Ok(Perceived::missing(Format::Other, Missing::UnknownFormat));
        }
        Err(error) => return Err(error.into()),
    };
    if format != Format::Html {
        return Ok(Perceived::text(format, read));
    }
    let is_xml = text.trim_start_matches('\u{FEFF}').trim_start().starts_with("<?xml");
    let markup = if is_xml { Markup::Xhtml } else { Markup::Html };
    let mut page = fingerprint_text(&markup::text(text, markup))?;
    page.probes.extend(read.probes);
    Ok(Perceived::text(format, page))
}

#[cfg(feature = "documents")]
fn document(format: Format, bytes: &[u8]) -> Result<Perceived, ContentError> {
    use super::{DocumentError, documents};
    let text = match documents::text(format, bytes) {
        Ok(text) => text.unwrap_or_default(),
        Err(DocumentError::Encrypted) => return Ok(Perceived::missing(format, Missing::Encrypted)),
        Err(error) => return Err(error.into()),
    };
    if text.trim().is_empty() {
        return Ok(Perceived::missing(format, Missing::NoText));
    }
    Ok(Perceived::text(format, fingerprint_text(&text)?))
}

#[cfg(not(feature = "documents"))]
fn document(format: Format, _: &[u8]) -> Result<Perceived, ContentError> {
    Ok(Perceived::missing(format, Missing::LeftOut))
}

#[cfg(feature = "documents")]
fn legacy_text(bytes: &[u8]) -> Result<Perceived, ContentError> {
    let Some(text) = super::documents::decode_legacy(bytes) else {
        return Ok(Perceived::missing(Format::Other, Missing::UnknownFormat));
    };
    let is_page = super::format::is_html(text.as_bytes());
    let format = if is_page { Format::Html } else { Format::Text };
    let perceived = text_of(format, &text)?;
    let caveat = perceived.missing.is_none().then_some(Caveat::GuessedEncoding);
    Ok(Perceived { caveat, ..perceived })
}

#[cfg(not(feature = "documents"))]
fn legacy_text(_: &[u8]) -> Result<Perceived, ContentError> {
    Ok(Perceived::missing(Format::Other, Missing::UnknownFormat))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_content_has_no_fingerprint() {
        let perceived = perceive(b"weights\0\x01").unwrap();
        assert_eq!((perceived.media, perceived.fingerprint), (Media::Other, none()));
        assert!(perceived.probes.is_empty());
        assert_eq!(perceived.missing, Some(Missing::UnknownFormat));
    }

    #[test]
    fn truncated_image_is_rejected() {
        let torn = perceive(b"\x89PNG\r\n\x1A\n and then nothing");
        assert!(matches!(torn, Err(ContentError::Image(ImageError::Unreadable(_)))));
    }

    #[test]
    fn source_equals_bytes() {
        let text = "It was a bright cold day in April, and the clocks were striking thirteen. ";
        let page =
            format!("<!DOCTYPE html><title>1</title><p>{text}</p><script>nothing()</script>");
        let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec();
        for content in [text.as_bytes().to_vec(), page.into_bytes(), heic, b"weights\0".to_vec()] {
            let source = std::io::Cursor::new(content.clone());
            assert_eq!(perceive_source(source).unwrap(), perceive(&content).unwrap());
        }
    }

    #[test]
    fn page_is_found_by_text_and_by_tags() {
        let text = "It was a bright cold day in April, and the clocks were striking thirteen. ";
        let page = format!("<html><body class='novel'><p>{text}</p></body></html>");
        let perceived = perceive(page.as_bytes()).unwrap();
        assert_eq!(perceived.media_type, "text/html");
        assert_eq!(perceived.fingerprint, perceive(text.as_bytes()).unwrap().fingerprint);
        let tags = crate::read_text(page.as_bytes()).unwrap().unwrap();
        assert!(perceived.probes.contains(&tags));
    }

    #[test]
    #[cfg(feature = "documents")]
    fn documents_share_the_text_fingerprint() {
        let plain = perceive(include_bytes!("../../../tests/fixtures/media/page.txt")).unwrap();
        for (file, media_type) in [
            (&include_bytes!("../../../tests/fixtures/media/page.html")[..], "text/html"),
            (include_bytes!("../../../tests/fixtures/media/page.pdf"), "application/pdf"),
            (include_bytes!("../../../tests/fixtures/media/book.epub"), "application/epub+zip"),
            (
                include_bytes!("../../../tests/fixtures/media/page.odt"),
                "application/vnd.oasis.opendocument.text",
            ),
            (
                include_bytes!("../../../tests/fixtures/media/page.docx"),
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            ),
        ] {
            let perceived = perceive(file).unwrap();
            assert_eq!((perceived.media, perceived.media_type), (Media::Text, media_type));
            assert_eq!(perceived.fingerprint, plain.fingerprint, "{media_type}");
        }
    }

    #[test]
    #[cfg(feature = "documents")]
    fn legacy_encodings_are_read_with_a_caveat() {
        let russian = "Был холодный ясный апрельский день, и часы пробили тринадцать. Уткнув \
            подбородок в грудь, чтобы спастись от злого ветра, Уинстон Смит торопливо шмыгнул.";
        let greek = "Ήταν μια κρύα, φωτεινή μέρα του Απρίλη και τα ρολόγια χτυπούσαν δεκατρείς.";
        let chinese =
            "四月间，天气寒冷晴朗，钟敲了十三下。温斯顿快步穿过玻璃门，寒风还是卷了进来。";
        let japanese = "四月の晴れた寒い日で、時計がどれも十三時を打っていた。ウィンストンは風を避けて歩いた。";
        let french = "C'était une journée d'avril froide et claire. Les horloges sonnaient treize \
            heures. Winston Smith, le menton rentré dans le cou, s'efforçait d'éviter le vent.";
        for (label, text) in [
            ("windows-1251", russian),
            ("koi8-r", russian),
            ("windows-1253", greek),
            ("gb18030", chinese),
            ("shift_jis", japanese),
            ("euc-jp", japanese),
            ("windows-1252", french),
        ] {
            let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
            let (bytes, _, has_losses) = encoding.encode(text);
            assert!(!has_losses && std::str::from_utf8(&bytes).is_err(), "{label}");
            let perceived = perceive(&bytes).unwrap();
            assert_eq!(perceived.caveat, Some(Caveat::GuessedEncoding), "{label}");
            let unicode = perceive(text.as_bytes()).unwrap();
            assert_eq!(perceived.fingerprint, unicode.fingerprint, "{label}");
            assert_eq!(unicode.caveat, None);
        }
    }

    #[test]
    fn binary_content_is_no_legacy_text() {
        let mut state = 1_u64;
        for length in [40, 400, 4_000] {
            let bytes: Vec<u8> = std::iter::repeat_with(|| {
                state = crate::minhash::mixed(state);
                state as u8
            })
            .take(length)
            .collect();
            let perceived = perceive(&bytes).unwrap();
            assert_eq!((perceived.media, perceived.fingerprint), (Media::Other, none()));
        }
    }

    #[test]
    fn sources_beyond_the_limit_are_refused() {
        let long = std::io::Cursor::new(vec![1; MAX_CONTENT_BYTES + 1]);
        assert!(matches!(perceive_source(long), Err(ContentError::TooLong(67_108_865))));
    }
}
