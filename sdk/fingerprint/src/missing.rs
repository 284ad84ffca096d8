use std::fmt;

use serde::{Deserialize, Serialize};

use super::{format::UnreadFormat, media::Media};

/// Reason why content has no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// No picture, recording or text of a known format.
    UnknownFormat,
    /// Known format without a reader.
    Unread(UnreadFormat),
    /// Known container of a recording with an unknown codec.
    UnknownCodec,
    /// Picture without contrast.
    PlainPicture,
    /// Recording with fewer than twelve distinct sounds.
    Silence,
    /// Text with too few distinct passages.
    ShortText,
    /// Document whose pages have no text, such as a scan.
    NoText,
    /// Document that cannot be read without a password.
    Encrypted,
    /// Document in a build without their readers, such as the WebAssembly module.
    LeftOut,
}

/// What a fingerprint does not cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Caveat {
    /// The recording is longer than the twenty minutes that were decoded.
    FirstTwentyMinutes,
    /// The encoding of the text was guessed from its bytes.
    GuessedEncoding,
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unread(format) => return write!(formatter, "{} is not decoded", format.name()),
            Self::UnknownFormat => "The format is unknown",
            Self::UnknownCodec => "The codec of the recording is unknown",
            Self::PlainPicture => "The picture is plain",
            Self::Silence => "The recording has too few different sounds",
            Self::ShortText => "The text is too short",
            Self::NoText => "The document has pictures of text, or no text",
            Self::Encrypted => "The document is encrypted",
            Self::LeftOut => "This build reads no documents",
        })
    }
}

impl Missing {
    /// Returns what would give the work a fingerprint.
    pub fn help(self) -> &'static str {
        match self {
            Self::UnknownFormat => {
                "Pictures are read as PNG, JPEG, GIF or WebP; recordings as WAV, AIFF, CAF, FLAC, MP3, MP4 \
                 or Ogg; texts as plain text, HTML, PDF, DOCX, ODT or EPUB"
            }
            Self::Unread(format) => match format.media() {
                Media::Image => "Register a copy in PNG, or in JPEG at a high quality",
                Media::Audio if format == UnreadFormat::Midi => {
                    "Notes have no sound of their own: register a recording of them"
                }
                Media::Audio => "Register a copy in FLAC, WAV or MP4",
                Media::Text | Media::Other => "Register a copy in DOCX, EPUB, PDF or plain text",
            },
            Self::UnknownCodec => "Register a copy in FLAC or WAV",
            Self::PlainPicture => "Register a picture with visible detail",
            Self::Silence => "Register a recording of at least some seconds with music or speech",
            Self::ShortText => {
                "Register a longer text, of about ten words or more, such as a collection"
            }
            Self::NoText => "Register the text itself, or the document after text recognition",
            Self::Encrypted => "Register a copy without a password",
            Self::LeftOut => "Use the command line or a gateway, or the document's plain text",
        }
    }
}

impl fmt::Display for Caveat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::FirstTwentyMinutes => {
                "it covers the first twenty minutes: register a long recording in parts"
            }
            Self::GuessedEncoding => {
                "the encoding of the text was guessed: UTF-8 is read without guessing"
            }
        })
    }
}
