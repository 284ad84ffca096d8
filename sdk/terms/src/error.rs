use super::{Preset, amount::AmountError};
use motif_interface::licensing::{Unit, Use};

/// Errors of a document of terms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Error returned when a file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// Name.
        path: String,
        /// Reason from the system.
        reason: String,
    },
    /// Error returned when the text is not TOML.
    #[error("line {line} is not TOML: {reason}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Reason from the parser.
        reason: String,
    },
    /// Error returned for an unknown key.
    #[error("line {line}: unknown key `{key}`{within}; did you mean `{nearest}`?")]
    UnknownKey {
        /// Line, from 1.
        line: usize,
        /// Key as written.
        key: String,
        /// Section, such as ` in [caps]`; empty at the top level.
        within: &'static str,
        /// Most similar valid key.
        nearest: &'static str,
    },
    /// Error returned for an invalid value.
    #[error("line {line}, `{text}`: {reason}")]
    Value {
        /// Line, from 1.
        line: usize,
        /// Line as written.
        text: String,
        /// Expected value.
        reason: String,
    },
    /// Error returned when an amount does not fit the currency.
    #[error("`{key}`: {reason}")]
    Amount {
        /// Key of the amount.
        key: String,
        /// Cause.
        #[source]
        reason: AmountError,
    },
    /// Error returned when the terms have no uses.
    #[error(
        "terms need a use; add for example [[use]] with use = \"generate\", unit = \"generation\", price = 1000"
    )]
    NoUses,
    /// Error returned when a use has no price.
    #[error(
        "`{licensed_use}` has no price{of}; add to its [[use]] for example price = \"0.001\", or price = 0"
    )]
    NoPrice {
        /// Name.
        licensed_use: Use,
        /// Note on the preset, or empty.
        of: String,
    },
    /// Error returned when a use has no unit.
    #[error("`{licensed_use}` has no unit; add to its [[use]] for example unit = \"{usual}\"")]
    NoUnit {
        /// Name.
        licensed_use: Use,
        /// Usual unit.
        usual: Unit,
    },
    /// Error returned when two keys exclude each other.
    #[error("`{one}` and `{other}` exclude each other: keep one of them")]
    Both {
        /// One key.
        one: &'static str,
        /// Other key.
        other: &'static str,
    },
    /// Error returned when the notice exceeds `u32` seconds.
    #[error("`notice_days`: {0} is too large: at most 366 days are allowed")]
    NoticeTooLong(u32),
    /// Error returned when the legal text was not read.
    #[error("`legal_text`: {0} was not read: open the document as a file")]
    LegalTextUnread(String),
    /// Error returned for a URI with a character that is invisible or changes how the text around it
    /// is displayed.
    #[error("`{key}` has the hidden character {}; expected none", .hidden.escape_unicode())]
    HiddenCharacter {
        /// Key of the URI.
        key: &'static str,
        /// First hidden character.
        hidden: char,
    },
    /// Error returned when the licensing program would reject the offer.
    #[error("{message} ({name})")]
    Refused {
        /// Name of the program's error.
        name: String,
        /// Message of the program's error.
        message: String,
    },
}

impl DocumentError {
    pub(super) fn unpriced(licensed_use: Use, preset: Option<Preset>) -> Self {
        let left = |preset| format!(", and preset `{preset}` sets none");
        Self::NoPrice { licensed_use, of: preset.map_or_else(String::new, left) }
    }

    pub(super) fn amount(key: impl Into<String>, reason: AmountError) -> Self {
        Self::Amount { key: key.into(), reason }
    }
}
