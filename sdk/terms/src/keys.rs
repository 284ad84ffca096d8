//! Keys of a document, and suggestions for misspelled ones.

use toml::de::{DeTable, DeValue};

use super::{DocumentError, suggestion::nearest};

pub(super) const TOP: [&str; 21] = [
    "preset",
    "currency",
    "commercial",
    "attribution",
    "sublicensing",
    "approval_required",
    "derivatives",
    "derivative_share",
    "share_alike",
    "upfront_fee",
    "free_units",
    "valid_from",
    "expires_at",
    "notice_days",
    "notice_seconds",
    "legal_text",
    "legal_digest",
    "legal_uri",
    "operators",
    "caps",
    "use",
];
pub(super) const CAPS: [&str; 4] = ["total_units", "daily_units", "licensee_units", "revenue"];
pub(super) const USE: [&str; 3] = ["use", "unit", "price"];

/// Rejects invalid TOML and unknown keys.
pub(super) fn check(text: &str) -> Result<(), DocumentError> {
    let syntax = |error: toml::de::Error| DocumentError::Syntax {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        reason: error.message().to_owned(),
    };
    let table = DeTable::parse(text).map_err(syntax)?;
    let table = table.get_ref();
    check_table(text, table, "", &TOP)?;
    for (key, value) in table {
        let key: &str = key.get_ref();
        match (key, value.get_ref()) {
            ("caps", DeValue::Table(caps)) => check_table(text, caps, " in [caps]", &CAPS)?,
            ("use", DeValue::Array(uses)) => {
                for priced in uses.iter() {
                    if let DeValue::Table(priced) = priced.get_ref() {
                        check_table(text, priced, " in [[use]]", &USE)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Returns the line of a byte, from 1.
pub(super) fn line_of(text: &str, position: usize) -> usize {
    text.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1
}

fn check_table(
    text: &str,
    table: &DeTable<'_>,
    within: &'static str,
    known: &[&'static str],
) -> Result<(), DocumentError> {
    let stranger = table.keys().find(|key| !known.iter().any(|known| key.get_ref() == known));
    let Some(key) = stranger else { return Ok(()) };
    let line = line_of(text, key.span().start);
    let key = key.get_ref().to_string();
    let nearest = nearest(&key, known);
    Err(DocumentError::UnknownKey { line, key, within, nearest })
}
