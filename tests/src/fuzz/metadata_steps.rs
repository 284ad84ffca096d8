//! Calls of the licensing program about titles and metadata.

use motif_sdk::licensing as sdk;
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

use super::{Episode, Step};
use crate::world::Call;

/// Characters of titles, of one to four bytes; the joiner is none that changes a direction.
const LETTERS: [char; 8] = ['t', ' ', '\'', '\u{A0}', 'é', '家', '\u{200D}', '👩'];
/// Characters that titles cannot have: controls, separators, and marks of the bidirectional
/// algorithm.
const REFUSED: [char; 12] = [
    '\0', '\n', '\x1B', '\x7F', '\u{85}', '\u{61C}', '\u{200E}', '\u{200F}', '\u{2028}',
    '\u{202E}', '\u{2066}', '\u{2069}',
];

/// Draws a title, sometimes a refused one.
pub(super) fn title(random: &mut StdRng) -> String {
    let most = match random.random_range(0..6) {
        0 => 64,
        1 => 65,
        _ => random.random_range(0..=70),
    };
    let mut title = String::new();
    while title.len() < most {
        let letter = LETTERS.choose(random).copied().expect("letters");
        title.push(if title.len() + letter.len_utf8() > most { 't' } else { letter });
    }
    if random.random_ratio(1, 10) {
        let at = title.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
        let at = at.choose(random).copied().unwrap_or(0);
        title.insert(at, REFUSED.choose(random).copied().expect("refused ones"));
    }
    title
}

/// Draws location and digest of metadata, sometimes refused ones.
pub(super) fn metadata(random: &mut StdRng) -> (String, [u8; 32]) {
    let bytes = match random.random_range(0..12) {
        0 => 201,
        1 => 200,
        _ => random.random_range(0..=120),
    };
    ("u".repeat(bytes), random.random())
}

impl Episode {
    pub(super) fn update_metadata(&mut self) -> Option<Step> {
        let work = self.work()?;
        let owner = self.owner_of(&work);
        let (title, metadata) = (title(&mut self.random), metadata(&mut self.random));
        let new = sdk::UpdateMetadataArgs {
            title: title.clone(),
            metadata_uri: metadata.0.clone(),
            metadata_digest: metadata.1,
        };
        let instruction = sdk::update_metadata(&owner.key(), &work, new);
        let (caller, call) = (owner.key(), Call::new([instruction], &[&owner]));
        Some(Step::new("update_metadata", call, move |ledger| {
            ledger.update_metadata(caller, work, &title, &metadata)
        }))
    }
}
