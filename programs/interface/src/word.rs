//! Words of the programs' enums: the texts that JSON, command lines and documents use.

use strum::VariantArray;

use crate::licensing::{Derivatives, Unit, Use, WorkKind, WorkStatus};

/// Lists the values of enums.
macro_rules! values {
    ($($word:ident),*) => {$(
        impl $word {
            /// All values, in the order of the programs' bytes.
            pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;
        }
    )*};
}

/// Maps the bytes that programs store to values of enums.
macro_rules! bytes {
    ($($word:ident),*) => {$(
        impl $word {
            /// Returns the value that programs store as `byte`.
            pub fn from_byte(byte: u8) -> Option<Self> {
                Self::ALL.get(usize::from(byte)).copied()
            }
        }
    )*};
}

values!(Derivatives, Unit, Use, WorkKind, WorkStatus);
bytes!(Derivatives, Unit, Use);

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
    fn values_follow_program_byte_order() {
        for (byte, value) in (0..).zip(Use::ALL) {
            assert_eq!((*value as u8, Use::from_byte(byte)), (byte, Some(*value)));
        }
        for (byte, value) in (0..).zip(Unit::ALL) {
            assert_eq!((*value as u8, Unit::from_byte(byte)), (byte, Some(*value)));
        }
        for (byte, value) in (0..).zip(Derivatives::ALL) {
            assert_eq!((*value as u8, Derivatives::from_byte(byte)), (byte, Some(*value)));
        }
        assert_eq!(Use::from_byte(6), None);
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
