//! Titles and metadata of works.

use licensing::LicensingError;
use solana_pubkey::Pubkey;

use super::{Ledger, Refused, Rules};

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm.
const BIDIRECTIONAL: [char; 12] = [
    '\u{61C}', '\u{200E}', '\u{200F}', '\u{202A}', '\u{202B}', '\u{202C}', '\u{202D}', '\u{202E}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];
/// Separators of lines and paragraphs.
const SEPARATORS: [char; 2] = ['\u{2028}', '\u{2029}'];

/// Checks a title, at most 64 bytes without characters that change how text around it is displayed,
/// and the length of a location.
pub(super) fn check_metadata(title: &str, uri: &str, rules: &mut Rules) {
    rules.require(title.len() <= 64, LicensingError::TitleTooLong);
    let plain = |one: char| {
        !one.is_control() && !BIDIRECTIONAL.contains(&one) && !SEPARATORS.contains(&one)
    };
    rules.require(title.chars().all(plain), LicensingError::InvalidTitle);
    rules.require(uri.len() <= 200, LicensingError::UriTooLong);
}

impl Ledger {
    /// Changes title and metadata of a work.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn update_metadata(
        &mut self,
        caller: Pubkey,
        work: Pubkey,
        title: &str,
        metadata: &(String, [u8; 32]),
    ) -> Result<(), Refused> {
        let of = self.work_mut(&work)?;
        let mut rules = Rules::default();
        of.require_owner(&caller, &mut rules);
        of.require_undisputed(&mut rules, LicensingError::WorkDisputed);
        check_metadata(title, &metadata.0, &mut rules);
        rules.check()?;
        of.title = title.to_owned();
        of.metadata = metadata.clone();
        Ok(())
    }
}
