use std::fmt;

use strum::VariantNames;

/// Error returned when a text is not among an enum's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    /// All words of the enum.
    pub expected: &'static [&'static str],
}

impl UnknownWord {
    pub(crate) fn expected<T: VariantNames>(_: &str) -> Self {
        Self { expected: T::VARIANTS }
    }
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((last, others)) = self.expected.split_last() else { return Ok(()) };
        write!(formatter, "expected {} or {last}", others.join(", "))
    }
}

impl std::error::Error for UnknownWord {}
