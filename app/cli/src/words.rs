//! What the command line says in words that the gateway's interface has no need of.

use motif_sdk::{
    gateway::wire::{UnitWord, UseWord},
    licensing::{Purpose, UsePrice, Verdict},
};

/// The word a use stored as this byte is written as.
pub fn use_of_byte(byte: u8) -> String {
    UseWord::from_byte(byte).map_or("unknown".to_owned(), |word| word.to_string())
}

/// The word a unit stored as this byte is written as.
pub fn unit_of_byte(byte: u8) -> String {
    UnitWord::from_byte(byte).map_or("unknown".to_owned(), |word| word.to_string())
}

/// The word for what an approval lets its grantee do.
pub fn purpose(value: Purpose) -> &'static str {
    match value {
        Purpose::License => "license",
        Purpose::Derivative => "derivative",
    }
}

/// Reads the word for what an approval lets its grantee do.
///
/// # Errors
/// The words there are, for clap.
pub fn parse_purpose(text: &str) -> Result<Purpose, String> {
    match text {
        "license" => Ok(Purpose::License),
        "derivative" => Ok(Purpose::Derivative),
        _ => Err("expected license or derivative".to_owned()),
    }
}

/// The word for what an arbiter says about a claim.
pub fn verdict(value: Verdict) -> &'static str {
    match value {
        Verdict::Rejected => "rejected",
        Verdict::Upheld => "upheld",
    }
}

/// Reads the word for what an arbiter says about a claim.
///
/// # Errors
/// The words there are, for clap.
pub fn parse_verdict(text: &str) -> Result<Verdict, String> {
    match text {
        "rejected" => Ok(Verdict::Rejected),
        "upheld" => Ok(Verdict::Upheld),
        _ => Err("expected rejected or upheld".to_owned()),
    }
}

/// Reads `generate=1000/generation`: a use, its price in base units, and the unit it is for.
///
/// # Errors
/// What is wrong with it, for clap.
pub fn parse_use_price(text: &str) -> Result<UsePrice, String> {
    let wrong = || format!("`{text}` is no priced use; write for example generate=1000/generation");
    let (licensed_use, rest) = text.split_once('=').ok_or_else(wrong)?;
    let (price, unit) = rest.split_once('/').ok_or_else(wrong)?;
    let licensed_use: UseWord = licensed_use.parse().map_err(|error| format!("{error}"))?;
    let unit: UnitWord = unit.parse().map_err(|error| format!("{error}"))?;
    Ok(UsePrice {
        licensed_use: licensed_use.into(),
        price: price.parse().map_err(|_| wrong())?,
        unit: unit.into(),
    })
}

#[cfg(test)]
mod tests {
    use motif_sdk::licensing::{Unit, Use};

    use super::*;

    #[test]
    fn a_priced_use_is_read_as_it_is_written() {
        let train = parse_use_price("fine-tune=5000000/training-run");
        let (licensed_use, unit, price) = (Use::FineTune, Unit::TrainingRun, 5_000_000);
        assert_eq!(train, Ok(UsePrice { licensed_use, unit, price }));
        for wrong in
            ["generate", "generate=1000", "generate=/second", "fly=1/second", "play=1/mile"]
        {
            assert!(parse_use_price(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn words_for_purposes_and_verdicts_are_read_back() {
        for value in [Purpose::License, Purpose::Derivative] {
            assert_eq!(parse_purpose(purpose(value)), Ok(value));
        }
        for value in [Verdict::Rejected, Verdict::Upheld] {
            assert_eq!(parse_verdict(verdict(value)), Ok(value));
        }
        assert!(parse_purpose("anything").is_err() && parse_verdict("maybe").is_err());
    }
}
