use motif_wire::{UnitWord, UseWord};

use super::{Preset, amount::AmountError};

/// What is wrong with a document of terms, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// Which.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// No TOML.
    #[error("line {line} is no TOML: {reason}")]
    Syntax {
        /// From 1.
        line: usize,
        /// The parser's words.
        reason: String,
    },
    /// A key that means nothing.
    #[error("line {line}: there is no `{key}`{within}; did you mean `{nearest}`?")]
    UnknownKey {
        /// From 1.
        line: usize,
        /// As written.
        key: String,
        /// ` in [caps]`, or nothing at the top.
        within: &'static str,
        /// The key that reads most like it.
        nearest: &'static str,
    },
    /// A value that its key does not take.
    #[error("line {line}, `{text}`: {reason}")]
    Value {
        /// From 1.
        line: usize,
        /// The line as written.
        text: String,
        /// What it takes.
        reason: String,
    },
    /// An amount that is none of this currency.
    #[error("`{key}`: {reason}")]
    Amount {
        /// Whose.
        key: String,
        /// Why.
        #[source]
        reason: AmountError,
    },
    /// Terms that offer nothing.
    #[error(
        "terms need a use; add for example [[use]] with use = \"generate\", unit = \"generation\", price = 1000"
    )]
    NoUses,
    /// A use that nobody priced.
    #[error(
        "`{licensed_use}` has no price{of}; add to its [[use]] for example price = \"0.001\", or price = 0"
    )]
    NoPrice {
        /// Which.
        licensed_use: UseWord,
        /// `, and preset X leaves it to you`.
        of: String,
    },
    /// A use that nobody says how to count.
    #[error("`{licensed_use}` has no unit; add to its [[use]] for example unit = \"{usual}\"")]
    NoUnit {
        /// Which.
        licensed_use: UseWord,
        /// What it is usually counted in.
        usual: UnitWord,
    },
    /// Two keys that say the same thing.
    #[error("`{one}` and `{other}` say the same thing; keep one of them")]
    Both {
        /// A key.
        one: &'static str,
        /// Another.
        other: &'static str,
    },
    /// A notice longer than can be counted.
    #[error("`notice_days`: {0} days are too long; at most 366")]
    NoticeTooLong(u32),
    /// The legal text's digest is still to be made.
    #[error("`legal_text`: {0} has not been read; open the document as a file")]
    LegalTextUnread(String),
    /// The licensing program would refuse it.
    #[error("{message} ({name})")]
    Refused {
        /// The program's error.
        name: String,
        /// Its words.
        message: String,
    },
}

impl DocumentError {
    pub(super) fn unpriced(licensed_use: UseWord, preset: Option<Preset>) -> Self {
        let left = |preset| format!(", which preset `{preset}` leaves to you");
        Self::NoPrice { licensed_use, of: preset.map_or_else(String::new, left) }
    }

    pub(super) fn amount(key: impl Into<String>, reason: AmountError) -> Self {
        Self::Amount { key: key.into(), reason }
    }
}
