use motif_interface::licensing::WorkKind;

/// Maximum size of content that is decoded in memory, bytes. Recordings, JPEG and PNG may be longer if they
/// are read from a source.
pub const MAX_CONTENT_BYTES: usize = 64 * 1_024 * 1_024;

/// Kind of content, detected from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// Image.
    Image,
    /// Audio recording, or the sound of a video.
    Audio,
    /// Text, also of a document.
    Text,
    /// Content without a fingerprint scheme.
    Other,
}

impl Media {
    /// Returns the kind of content that works of a kind have; `None` for works without fingerprints.
    pub fn from_work_kind(kind: WorkKind) -> Option<Self> {
        match kind {
            WorkKind::Image => Some(Self::Image),
            WorkKind::Recording | WorkKind::Voice => Some(Self::Audio),
            WorkKind::Text => Some(Self::Text),
            WorkKind::Video | WorkKind::Dataset | WorkKind::StyleModel => None,
        }
    }

    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::Image => "a picture",
            Self::Audio => "a recording",
            Self::Text => "a text",
            Self::Other => "of an unknown kind",
        }
    }
}
