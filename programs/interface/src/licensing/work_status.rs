use strum::VariantArray;

use crate::{UnknownWord, codec::*};

/// Kind of a work. Stored as one byte, in this order: append only.
#[derive(
    BorshSerialize,
    BorshDeserialize,
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
    strum::VariantNames,
)]
#[strum(
    serialize_all = "kebab-case",
    parse_err_ty = UnknownWord,
    parse_err_fn = UnknownWord::expected::<WorkKind>
)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WorkKind {
    /// A picture.
    Image,
    /// A sound recording.
    Recording,
    /// A person's voice.
    Voice,
    /// A text.
    Text,
    /// A video.
    Video,
    /// A collection of contents.
    Dataset,
    /// A model adapted to a style.
    StyleModel,
}

impl WorkKind {
    /// Returns the kind stored as `byte`, or `None` if there is none.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::VARIANTS.get(usize::from(byte)).copied()
    }
}

/// Status of a work. Stored as one byte, in this order: append only.
#[derive(
    BorshSerialize,
    BorshDeserialize,
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
    strum::VariantNames,
)]
#[strum(
    serialize_all = "kebab-case",
    parse_err_ty = UnknownWord,
    parse_err_fn = UnknownWord::expected::<WorkStatus>
)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WorkStatus {
    /// Takes new licenses and derivatives.
    Active,
    /// Permanently closed to new licenses; existing ones run out.
    Withdrawn,
    /// Closed to new licenses until its dispute ends.
    Disputed,
}

impl WorkStatus {
    /// Returns the status stored as `byte`, or `None` if there is none.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::VARIANTS.get(usize::from(byte)).copied()
    }
}
