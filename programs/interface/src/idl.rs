//! Errors in the programs' IDL.

use anchor_lang::idl::{serde_json, types::IdlErrorCode};
use strum::VariantArray;

use crate::{licensing::LicensingError, payments::PaymentsError};

/// An error enum of a program.
pub trait ErrorCode: Copy + VariantArray + ToString {
    /// Returns the code that clients receive.
    fn code(self) -> u32;
    /// Returns the variant's name.
    fn name(self) -> &'static str;
}

macro_rules! error_codes {
    ($($error:ident),*) => {$(
        impl ErrorCode for $error {
            fn code(self) -> u32 {
                self.code()
            }

            fn name(self) -> &'static str {
                self.name()
            }
        }
    )*};
}

error_codes!(LicensingError, PaymentsError);

/// Prints the section of an error enum as Anchor's IDL builder reads it. `#[error_code]` does this
/// for enums in the program's own crate.
pub fn print_errors<E: ErrorCode>() {
    let code = |error: &E| IdlErrorCode {
        code: error.code(),
        name: error.name().to_owned(),
        msg: Some(error.to_string()),
    };
    let errors: Vec<_> = E::VARIANTS.iter().map(code).collect();
    let json = serde_json::to_string_pretty(&errors).unwrap_or_default();
    println!("--- IDL begin errors ---\n{json}\n--- IDL end errors ---");
}
