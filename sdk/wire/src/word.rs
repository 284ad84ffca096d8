use std::{fmt, str::FromStr};

use motif_interface::licensing::{Derivatives, Unit, Use, WorkKind, WorkStatus};
use serde::{Deserialize, Serialize};

use super::NotWritten;

/// Generates an enum of a program's values with their names.
macro_rules! words {
    ($(#[$doc:meta])* $word:ident for $value:ident, $expected:literal: $($variant:ident = $text:literal),*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum $word {
            $(
                #[doc = concat!("`", $text, "`")]
                #[serde(rename = $text)]
                $variant,
            )*
        }

        impl From<$value> for $word {
            fn from(value: $value) -> Self {
                match value {
                    $($value::$variant => Self::$variant,)*
                }
            }
        }

        impl From<$word> for $value {
            fn from(word: $word) -> Self {
                match word {
                    $($word::$variant => Self::$variant,)*
                }
            }
        }

        impl $word {
            /// All values, in the order of the programs' bytes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the value that a program stores as `byte`.
            pub fn of_byte(byte: u8) -> Option<Self> {
                Self::ALL.get(usize::from(byte)).copied()
            }
        }

        impl fmt::Display for $word {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(match self {
                    $(Self::$variant => $text,)*
                })
            }
        }

        impl FromStr for $word {
            type Err = NotWritten;

            fn from_str(text: &str) -> Result<Self, NotWritten> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(NotWritten($expected)),
                }
            }
        }
    };
}

words! {
    /// Kind of a work's content.
    KindWord for WorkKind, "image, recording, voice, text, video, dataset or style-model":
    Image = "image",
    Recording = "recording",
    Voice = "voice",
    Text = "text",
    Video = "video",
    Dataset = "dataset",
    StyleModel = "style-model"
}

words! {
    /// Status of a work.
    StatusWord for WorkStatus, "active, withdrawn or disputed":
    Active = "active",
    Withdrawn = "withdrawn",
    Disputed = "disputed"
}

words! {
    /// Use of a work by a licensee.
    UseWord for Use, "generate, style-transfer, voice-convert, train, fine-tune or play":
    Generate = "generate",
    StyleTransfer = "style-transfer",
    VoiceConvert = "voice-convert",
    Train = "train",
    FineTune = "fine-tune",
    Play = "play"
}

words! {
    /// Unit of a use.
    UnitWord for Unit, "generation, second, thousand-tokens or training-run":
    Generation = "generation",
    Second = "second",
    ThousandTokens = "thousand-tokens",
    TrainingRun = "training-run"
}

words! {
    /// Permission to register derivatives of a work.
    DerivativesWord for Derivatives, "forbidden, approval or allowed":
    Forbidden = "forbidden",
    WithApproval = "approval",
    Allowed = "allowed"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_program_byte_order() {
        for (byte, word) in (0..).zip(UseWord::ALL) {
            assert_eq!((Use::from(*word) as u8, UseWord::of_byte(byte)), (byte, Some(*word)));
        }
        for (byte, word) in (0..).zip(UnitWord::ALL) {
            assert_eq!((Unit::from(*word) as u8, UnitWord::of_byte(byte)), (byte, Some(*word)));
        }
        for (byte, word) in (0..).zip(DerivativesWord::ALL) {
            let value = Derivatives::from(*word) as u8;
            assert_eq!((value, DerivativesWord::of_byte(byte)), (byte, Some(*word)));
        }
        assert_eq!(UseWord::of_byte(6), None);
    }

    #[test]
    fn words_match_their_json() {
        for word in KindWord::ALL {
            assert_eq!(serde_json::to_string(word).unwrap(), format!("\"{word}\""));
            assert_eq!(word.to_string().parse(), Ok(*word));
        }
    }
}
