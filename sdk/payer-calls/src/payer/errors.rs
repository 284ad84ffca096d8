use motif_frame::CallError;
use motif_payer::{InvalidJournal, PayerError, PriceTagError};
use motif_wire::Amount;

/// Converts an error of a payer.
pub fn payer_error(error: &PayerError) -> CallError {
    let new = |kind| CallError::new(kind, error);
    match error {
        PayerError::Refused(problem) => new("refused").with("problem", &**problem),
        PayerError::OutcomeUnknown(problem) => new("outcome-unknown").with("problem", &**problem),
        PayerError::Untrusted(_) => new("untrusted"),
        PayerError::OverBudget { total, budget } => {
            new("over-budget").with("total", &Amount(*total)).with("budget", &Amount(*budget))
        }
        PayerError::PriceTooHigh { license, price, max } => new("price-too-high")
            .with("license", license)
            .with("price", &Amount(*price))
            .with("max", &Amount(*max)),
        PayerError::LicenseNotFound(license) => new("license-not-found").with("license", license),
        PayerError::LicenseRefuses { license, reason } => {
            new("license-refuses").with("license", license).with("reason", reason)
        }
        PayerError::StatementFull(_) => new("statement-full"),
        PayerError::Overflow => new("overflow"),
    }
}

/// Converts an error of a state file.
pub fn state_error(error: &InvalidJournal) -> CallError {
    let reason = match error {
        InvalidJournal::Malformed(_) => "malformed",
        InvalidJournal::Damaged => "damaged",
        InvalidJournal::NoSnapshot => "no-snapshot",
        InvalidJournal::NewerVersion(_) => "newer-version",
        InvalidJournal::OtherChannel(..) => "other-channel",
        InvalidJournal::Contradicted(_) => "contradicted",
    };
    CallError::new("state-invalid", error).with("reason", &reason)
}

/// Converts an error of a price tag.
pub fn price_tag_error(error: &PriceTagError) -> CallError {
    match error {
        PriceTagError::Mismatch(_) => CallError::new("price-tag-mismatch", error),
        PriceTagError::NotLicensed { work, licensed_use } => {
            CallError::new("not-licensed", error).with("work", work).with("use", licensed_use)
        }
    }
}
