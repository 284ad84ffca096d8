use serde::{Deserialize, Serialize};

use super::{
    audio::{is_wave, mp3_padding},
    charset::decode,
    media::Media,
};

/// Format of content, detected from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Png,
    Jpeg,
    Gif,
    WebP,
    Wave,
    Aiff,
    Caf,
    Flac,
    Ogg,
    Mp3,
    Mp4,
    /// Sound in an MP4 with pictures.
    Video,
    Text,
    Html,
    Pdf,
    Docx,
    Odt,
    Epub,
    /// Known format without a reader.
    Unread(UnreadFormat),
    /// Content without a fingerprint scheme.
    Other,
}

/// Formats of pictures, recordings and texts that are known by name only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are those of the formats")]
pub enum UnreadFormat {
    Heic,
    Avif,
    JpegXl,
    Jpeg2000,
    Tiff,
    Bmp,
    Photoshop,
    AacStream,
    Ac3,
    Amr,
    Dsd,
    MonkeysAudio,
    WavPack,
    Musepack,
    WindowsMedia,
    Matroska,
    Midi,
    Word,
    Mobi,
}

/// Media types of formats that are read.
const TYPES: [(Format, &str); 18] = [
    (Format::Png, "image/png"),
    (Format::Jpeg, "image/jpeg"),
    (Format::Gif, "image/gif"),
    (Format::WebP, "image/webp"),
    (Format::Wave, "audio/wav"),
    (Format::Aiff, "audio/aiff"),
    (Format::Caf, "audio/x-caf"),
    (Format::Flac, "audio/flac"),
    (Format::Ogg, "audio/ogg"),
    (Format::Mp3, "audio/mpeg"),
    (Format::Mp4, "audio/mp4"),
    (Format::Video, "video/mp4"),
    (Format::Text, "text/plain"),
    (Format::Html, "text/html"),
    (Format::Pdf, "application/pdf"),
    (Format::Docx, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (Format::Odt, "application/vnd.oasis.opendocument.text"),
    (Format::Epub, "application/epub+zip"),
];

/// Formats without a reader: name, media type and kind.
const UNREAD: [(UnreadFormat, &str, &str, Media); 19] = [
    (UnreadFormat::Heic, "HEIC", "image/heic", Media::Image),
    (UnreadFormat::Avif, "AVIF", "image/avif", Media::Image),
    (UnreadFormat::JpegXl, "JPEG XL", "image/jxl", Media::Image),
    (UnreadFormat::Jpeg2000, "JPEG 2000", "image/jp2", Media::Image),
    (UnreadFormat::Tiff, "TIFF or camera raw", "image/tiff", Media::Image),
    (UnreadFormat::Bmp, "BMP", "image/bmp", Media::Image),
    (UnreadFormat::Photoshop, "Photoshop", "image/vnd.adobe.photoshop", Media::Image),
    (UnreadFormat::AacStream, "AAC without a container", "audio/aac", Media::Audio),
    (UnreadFormat::Ac3, "AC-3", "audio/ac3", Media::Audio),
    (UnreadFormat::Amr, "AMR", "audio/amr", Media::Audio),
    (UnreadFormat::Dsd, "DSD", "audio/dsd", Media::Audio),
    (UnreadFormat::MonkeysAudio, "Monkey's Audio", "audio/x-ape", Media::Audio),
    (UnreadFormat::WavPack, "WavPack", "audio/x-wavpack", Media::Audio),
    (UnreadFormat::Musepack, "Musepack", "audio/x-musepack", Media::Audio),
    (UnreadFormat::WindowsMedia, "Windows Media", "audio/x-ms-wma", Media::Audio),
    (UnreadFormat::Matroska, "Matroska or WebM", "audio/x-matroska", Media::Audio),
    (UnreadFormat::Midi, "MIDI", "audio/midi", Media::Audio),
    (UnreadFormat::Word, "Word 97", "application/msword", Media::Text),
    (UnreadFormat::Mobi, "Mobipocket", "application/x-mobipocket-ebook", Media::Text),
];

/// Signatures of formats without a reader, at the start of a file.
const SIGNATURES: [(&[u8], UnreadFormat); 22] = [
    (b"\0\0\0\x0CJXL \r\n\x87\n", UnreadFormat::JpegXl),
    (b"\xFF\x0A", UnreadFormat::JpegXl),
    (b"\0\0\0\x0CjP  \r\n\x87\n", UnreadFormat::Jpeg2000),
    (b"\xFF\x4F\xFF\x51", UnreadFormat::Jpeg2000),
    (b"II*\0", UnreadFormat::Tiff),
    (b"MM\0*", UnreadFormat::Tiff),
    (b"II+\0", UnreadFormat::Tiff),
    (b"MM\0+", UnreadFormat::Tiff),
    (b"8BPS\0", UnreadFormat::Photoshop),
    (b"\x0B\x77", UnreadFormat::Ac3),
    (b"#!AMR", UnreadFormat::Amr),
    (b"DSD ", UnreadFormat::Dsd),
    (b"FRM8", UnreadFormat::Dsd),
    (b"MAC ", UnreadFormat::MonkeysAudio),
    (b"wvpk", UnreadFormat::WavPack),
    (b"MP+", UnreadFormat::Musepack),
    (b"MPCK", UnreadFormat::Musepack),
    (b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", UnreadFormat::WindowsMedia),
    (b"\x1A\x45\xDF\xA3", UnreadFormat::Matroska),
    (b"MThd\0\0\0\x06", UnreadFormat::Midi),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", UnreadFormat::Word),
    (b"BM", UnreadFormat::Bmp),
];

/// Number of last bytes in which the names of a ZIP's files are looked for.
const ZIP_TAIL_BYTES: usize = 64 * 1_024;

impl Format {
    /// Detects the format from its signature; other content that decodes as UTF-8, UTF-16 or UTF-32 is
    /// text.
    pub fn detect(bytes: &[u8]) -> Self {
        if let Some(format) = Self::from_signature(bytes) {
            return format;
        }
        match decode(bytes) {
            Some(text) if is_html(text.as_bytes()) => Self::Html,
            Some(_) => Self::Text,
            // Short signatures, which text can begin with.
            None => unread(bytes).map_or(Self::Other, Self::Unread),
        }
    }

    /// Detects formats that the first bytes tell apart from text.
    pub fn from_signature(bytes: &[u8]) -> Option<Self> {
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        let at = |place: usize, magic: &[u8]| {
            bytes.get(place..).is_some_and(|rest| rest.starts_with(magic))
        };
        Some(match bytes {
            _ if starts(b"\x89PNG\r\n\x1A\n") => Self::Png,
            _ if starts(b"\xFF\xD8\xFF") => Self::Jpeg,
            _ if starts(b"GIF87a") || starts(b"GIF89a") => Self::Gif,
            _ if starts(b"RIFF") && at(8, b"WEBP") => Self::WebP,
            _ if is_wave(bytes) => Self::Wave,
            _ if starts(b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) => Self::Aiff,
            _ if starts(b"caff\0\x01") => Self::Caf,
            _ if starts(b"fLaC") => Self::Flac,
            _ if starts(b"OggS") => Self::Ogg,
            _ if starts(b"ID3") => Self::Mp3,
            _ if at(4, b"ftyp") => from_brands(bytes),
            // MPEG audio's frame sync, layer III.
            [0xFF, second, ..] if second & 0xE6 == 0xE2 => Self::Mp3,
            // The sync of ADTS.
            [0xFF, second, ..] if second & 0xF6 == 0xF0 => Self::Unread(UnreadFormat::AacStream),
            [0, ..] if mp3_padding(bytes).is_some() => Self::Mp3,
            _ if starts(b"%PDF-") => Self::Pdf,
            _ if starts(b"PK\x03\x04") => from_zip(bytes),
            _ => return None,
        })
    }

    /// Returns the format of a media type; [`Format::Other`] if there is none.
    pub fn from_media_type(media_type: &str) -> Self {
        let read = TYPES.iter().find(|(_, known)| *known == media_type).map(|(format, _)| *format);
        let unread = || UNREAD.iter().find(|(_, _, known, _)| *known == media_type);
        read.or_else(|| unread().map(|(format, ..)| Self::Unread(*format))).unwrap_or(Self::Other)
    }

    /// Returns the kind of content.
    pub fn media(self) -> Media {
        match self {
            Self::Png | Self::Jpeg | Self::Gif | Self::WebP => Media::Image,
            Self::Wave
            | Self::Aiff
            | Self::Caf
            | Self::Flac
            | Self::Ogg
            | Self::Mp3
            | Self::Mp4
            | Self::Video => Media::Audio,
            Self::Text | Self::Html | Self::Pdf | Self::Docx | Self::Odt | Self::Epub => {
                Media::Text
            }
            Self::Unread(format) => format.row().3,
            Self::Other => Media::Other,
        }
    }

    /// Returns the media type; `application/octet-stream` if unknown.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Unread(format) => format.row().2,
            format => {
                let row = TYPES.iter().find(|(known, _)| *known == format);
                row.map_or("application/octet-stream", |(_, media_type)| media_type)
            }
        }
    }
}

impl UnreadFormat {
    /// Returns the name of the format.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Returns the kind of content.
    pub fn media(self) -> Media {
        self.row().3
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, Media) {
        // The rows are in the order of the variants, as a test asserts.
        &UNREAD[self as usize]
    }
}

fn unread(bytes: &[u8]) -> Option<UnreadFormat> {
    let is_mobi = bytes.get(60..).is_some_and(|rest| rest.starts_with(b"BOOKMOBI"));
    let known = SIGNATURES.iter().find(|(magic, _)| bytes.starts_with(magic));
    known.map(|(_, format)| *format).or_else(|| is_mobi.then_some(UnreadFormat::Mobi))
}

/// Returns the format of an ISO media file by the brands in its first box.
fn from_brands(bytes: &[u8]) -> Format {
    let length = bytes[..4].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    let brands = bytes.get(8..length.min(bytes.len())).unwrap_or_default();
    let has = |brand: &[u8; 4]| {
        let (major, others) = brands.split_at_checked(8).unwrap_or((brands, &[]));
        major.starts_with(brand) || others.as_chunks::<4>().0.contains(brand)
    };
    match () {
        () if has(b"avif") || has(b"avis") => Format::Unread(UnreadFormat::Avif),
        () if [b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"].into_iter().any(has) => {
            Format::Unread(UnreadFormat::Heic)
        }
        () => Format::Mp4,
    }
}

/// Returns the format of a ZIP by its first file, which is the media type in the formats of books and
/// OpenDocument, or by the names in its directory.
fn from_zip(bytes: &[u8]) -> Format {
    const FIRST: &[u8] = b"mimetype";
    let media_type = bytes.get(30..).and_then(|rest| rest.strip_prefix(FIRST)).unwrap_or_default();
    let tail = &bytes[bytes.len().saturating_sub(ZIP_TAIL_BYTES)..];
    let has = |name: &[u8]| tail.windows(name.len()).any(|window| window == name);
    match () {
        () if media_type.starts_with(b"application/epub+zip") => Format::Epub,
        () if media_type.starts_with(b"application/vnd.oasis.opendocument.text") => Format::Odt,
        () if has(b"word/document.xml") => Format::Docx,
        () if has(b"META-INF/container.xml") => Format::Epub,
        () => Format::Other,
    }
}

/// Whether a text is HTML: after white space and comments it begins with its document type or element.
pub fn is_html(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start();
    let starts = |start: &[u8]| {
        text.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start))
    };
    // XML is HTML only if its element says so.
    let has_element = || {
        let head = &text[..text.len().min(1_024)];
        head.windows(5).any(|window| window.eq_ignore_ascii_case(b"<html"))
    };
    starts(b"<!doctype html")
        || starts(b"<html")
        || (starts(b"<?xml") || starts(b"<!--")) && has_element()
}

impl Media {
    /// Detects kind and media type from the first bytes; other content that decodes as
    /// UTF-8, UTF-16 or UTF-32 is text.
    pub fn detect(bytes: &[u8]) -> (Self, &'static str) {
        let format = Format::detect(bytes);
        (format.media(), format.media_type())
    }

    /// Returns the kind and the static text of a media type that [`crate::perceive`] returns;
    /// `application/octet-stream` for others.
    pub fn from_media_type(media_type: &str) -> (Self, &'static str) {
        let format = Format::from_media_type(media_type);
        (format.media(), format.media_type())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_decides_the_format() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1A\n"[..], "image/png"),
            (b"\xFF\xD8\xFF\xE0", "image/jpeg"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
            (b"RF64\xFF\xFF\xFF\xFFWAVEds64", "audio/wav"),
            (b"FORM\0\0\0\0AIFCCOMM", "audio/aiff"),
            (b"caff\0\x01\0\0desc", "audio/x-caf"),
            (b"\xFF\xFB\x90\x00", "audio/mpeg"),
            (b"ID3\x04", "audio/mpeg"),
            (b"OggS\0", "audio/ogg"),
            (b"words", "text/plain"),
            (b"\xFF\xFEw\0o\0r\0d\0s\0", "text/plain"),
            (b"\n <!DOCTYPE HTML><p>words", "text/html"),
            (b"<?xml version='1.0'?><html xmlns='x'>", "text/html"),
            (b"<?xml version='1.0'?><svg/>", "text/plain"),
            (b"<!-- page --><HTML>", "text/html"),
            (b"BM is how this text begins", "text/plain"),
            (b"BM\x36\0\x0C\0\0\0\0\0", "image/bmp"),
            (b"\xFF\xF1\x50\x80", "audio/aac"),
            (b"%PDF-1.7\n", "application/pdf"),
            (b"weights\0", "application/octet-stream"),
            (b"", "application/octet-stream"),
        ] {
            assert_eq!(Format::detect(bytes).media_type(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn any_brand_of_mp4_is_sound() {
        for brand in ["M4A ", "M4B ", "isom", "mp42", "dash", "qt  ", "iso6"] {
            let file = [b"\0\0\0\x14ftyp", brand.as_bytes(), b"\0\0\0\0iso2"].concat();
            assert_eq!(Format::detect(&file), Format::Mp4, "{brand}");
        }
        for (brands, expected) in [
            ("heic\0\0\0\0mif1heic", UnreadFormat::Heic),
            ("mif1\0\0\0\0mif1heic", UnreadFormat::Heic),
            ("mif1\0\0\0\0mif1avif", UnreadFormat::Avif),
            ("avif\0\0\0\0mif1miaf", UnreadFormat::Avif),
        ] {
            let file = [b"\0\0\0\x18ftyp", brands.as_bytes()].concat();
            assert_eq!(Format::detect(&file), Format::Unread(expected), "{brands}");
        }
        assert_eq!(Format::detect(b"\xFF\xFF\xFF\xFFftyp\0"), Format::Mp4);
    }

    #[test]
    fn media_type_names_its_format() {
        let read = TYPES.iter().map(|(format, _)| *format);
        let unread = UNREAD.iter().map(|(format, ..)| Format::Unread(*format));
        for format in read.chain(unread) {
            assert_eq!(Format::from_media_type(format.media_type()), format);
        }
        for (place, (format, ..)) in UNREAD.iter().enumerate() {
            assert_eq!(*format as usize, place);
        }
        assert_eq!(Format::from_media_type("application/octet-stream"), Format::Other);
    }
}
