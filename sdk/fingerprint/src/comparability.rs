use std::fmt;

use super::{
    ContentError, Perceived, Scheme,
    media::Media,
    missing::{Caveat, Missing},
};

/// How a work with some content is found.
///
/// ```
/// use motif_fingerprint::{Comparability, Media, perceive};
/// use motif_interface::licensing::WorkKind;
///
/// let perceived = perceive(b"To be, or not to be");
/// let comparability = Comparability::new(Media::from_work_kind(WorkKind::Text), &perceived);
/// assert_eq!(comparability.scheme(), None);
/// assert!(comparability.to_string().contains("The text is too short"));
/// ```
///
/// The text of its [`Display`](fmt::Display) is one to three
/// sentences for the person who registers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparability {
    /// Found by its exact bytes, and by similar content.
    Alike {
        /// Scheme of its fingerprint.
        scheme: Scheme,
        /// What the fingerprint does not cover.
        caveat: Option<Caveat>,
    },
    /// Found by its exact bytes only, because the content has no fingerprint.
    Exact(Missing),
    /// Found by its exact bytes only, because the content is of another kind than the work.
    OtherMedia {
        /// Kind of the work.
        expected: Media,
        /// Kind of the content.
        found: Media,
        /// Media type of the content.
        media_type: &'static str,
    },
    /// Found by its exact bytes only, because works of this kind have no fingerprint.
    NoScheme,
    /// Found by its exact bytes only, because the content cannot be decoded.
    Undecodable(String),
}

impl Comparability {
    /// Returns how a work is found whose kind has content of `expected`, if of any.
    pub fn new(expected: Option<Media>, perceived: &Result<Perceived, ContentError>) -> Self {
        let Some(expected) = expected else { return Self::NoScheme };
        let perceived = match perceived {
            Ok(perceived) => perceived,
            Err(error) => return Self::Undecodable(error.to_string()),
        };
        let Perceived { media: found, media_type, missing, caveat, .. } = *perceived;
        if found != expected && found != Media::Other {
            return Self::OtherMedia { expected, found, media_type };
        }
        match (Scheme::from_number(perceived.fingerprint.scheme), missing) {
            (Some(scheme), _) => Self::Alike { scheme, caveat },
            (None, missing) => Self::Exact(missing.unwrap_or(Missing::UnknownFormat)),
        }
    }

    /// Returns the scheme of the fingerprint; `None` if similar content is not found.
    pub fn scheme(&self) -> Option<Scheme> {
        match self {
            Self::Alike { scheme, .. } => Some(*scheme),
            _ => None,
        }
    }
}

impl fmt::Display for Comparability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const EXACT: &str = "no fingerprint: found by its exact bytes only";
        match self {
            Self::Alike { scheme, caveat } => {
                write!(formatter, "fingerprint of scheme {}: {}", *scheme as u16, scheme.worth())?;
                caveat.map_or(Ok(()), |caveat| write!(formatter, "; {caveat}"))
            }
            Self::Exact(missing) => write!(formatter, "{EXACT}. {missing}. {}", missing.help()),
            Self::OtherMedia { expected, found, media_type } => write!(
                formatter,
                "{EXACT}. The content is {} ({media_type}), not {}. Register the kind that it is",
                found.phrase(),
                expected.phrase()
            ),
            Self::NoScheme => write!(formatter, "{EXACT}, as all works of this kind"),
            Self::Undecodable(reason) => {
                write!(formatter, "{EXACT}. It cannot be decoded: {reason}. ")?;
                formatter.write_str("Register an intact file, or a smaller copy of it")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{format::UnreadFormat, perceive};

    fn told(expected: Media, content: &[u8]) -> String {
        Comparability::new(Some(expected), &perceive(content)).to_string()
    }

    #[test]
    fn scheme_and_worth_are_told() {
        let text = "It was a bright cold day in April, and the clocks were striking thirteen. ";
        let perceived = perceive(text.repeat(3).as_bytes());
        let comparability = Comparability::new(Some(Media::Text), &perceived);
        assert_eq!(comparability.scheme(), Some(Scheme::TextShingles));
        assert!(comparability.to_string().starts_with("fingerprint of scheme 4: "));
    }

    #[test]
    fn missing_fingerprint_is_explained() {
        for (expected, content, reason) in [
            (Media::Image, &b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], "HEIC is not decoded"),
            (Media::Audio, b"wvpk\x1A\0\0\0", "WavPack is not decoded"),
            (Media::Audio, b"weights\0\x01", "The format is unknown"),
            (Media::Text, b"To be, or not to be", "too short"),
            (
                Media::Text,
                b"\x89PNG\r\n\x1A\n and then nothing",
                "It cannot be decoded: corrupt image",
            ),
            (Media::Audio, b"To be, or not to be", "is a text (text/plain), not a recording"),
        ] {
            let told = told(expected, content);
            assert!(told.contains("exact bytes only") && told.contains(reason), "{told}");
        }
        let dataset = Comparability::new(None, &perceive(b"weights\0"));
        assert_eq!(dataset, Comparability::NoScheme);
    }

    #[test]
    fn reasons_survive_json() {
        for missing in [Missing::Silence, Missing::Unread(UnreadFormat::MonkeysAudio)] {
            let json = serde_json::to_string(&missing).unwrap();
            assert_eq!(serde_json::from_str::<Missing>(&json).unwrap(), missing, "{json}");
        }
    }
}
