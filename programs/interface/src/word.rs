//! Words of the programs' enums: the texts that JSON, command lines and documents use.

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

#[cfg(test)]
mod tests {
    use crate::licensing::{Derivatives, Unit, Use, WorkKind, WorkStatus};

    #[test]
    fn words_are_kebab_case() {
        assert_eq!(Use::StyleTransfer.to_string(), "style-transfer");
        assert_eq!("thousand-tokens".parse(), Ok(Unit::ThousandTokens));
        assert_eq!("approval".parse(), Ok(Derivatives::WithApproval));
        assert_eq!("style-model".parse(), Ok(WorkKind::StyleModel));
    }

    #[test]
    fn unknown_word_lists_expected_ones() {
        let error = "Active".parse::<WorkStatus>().unwrap_err();
        assert_eq!(error.to_string(), "expected active, withdrawn or disputed");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn json_word_is_the_displayed_one() {
        use strum::VariantArray;

        for derivatives in Derivatives::VARIANTS {
            let json = serde_json::to_string(derivatives).unwrap();
            assert_eq!(json, format!("\"{derivatives}\""));
        }
        for kind in WorkKind::VARIANTS {
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{kind}\""));
        }
    }
}
