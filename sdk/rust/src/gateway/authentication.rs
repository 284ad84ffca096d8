use motif_fingerprint::{Confidence, Likeness, recognition::Recognised};
use motif_wire::{AlikeWork, Authentication, AuthenticationRequest, WorkFacts};
use solana_pubkey::Pubkey;

use crate::client::CatalogueEntry;

/// Creates the answer to an authentication request from an index's matches.
///
/// `entries` are those of [`Recognised::works`], in any order; a work without an entry is left
/// out. The media type, credentials and receipts are left empty.
pub fn authentication(
    request: &AuthenticationRequest,
    recognised: &Recognised,
    entries: &[CatalogueEntry],
    works: u64,
    read_at: i64,
) -> Authentication {
    let facts =
        |work: &Pubkey| entries.iter().find(|entry| entry.address == *work).map(WorkFacts::from);
    let exact: Vec<_> =
        recognised.exact.iter().filter_map(|registered| facts(&registered.work)).collect();
    let alike = recognised
        .alike
        .iter()
        .filter_map(|found| Some(alike_work(facts(&found.registered.work)?, found.likeness)));
    Authentication {
        digest: request.digest,
        media_type: None,
        unreadable: None,
        credentials: None,
        conflict: exact.len() > 1,
        first_unknown: matches!(
            &exact[..],
            [first, second, ..] if first.registered_at == second.registered_at
        ),
        exact,
        alike: alike.collect(),
        receipts: Vec::new(),
        truncated: recognised.is_truncated,
        works,
        read_at,
    }
}

/// Returns the error rates of a match's distance; `None` if they were not measured.
pub fn confidence(alike: &AlikeWork) -> Option<Confidence> {
    let (copies_per_mille, strangers_per_billion) =
        alike.copies_per_mille.zip(alike.strangers_per_billion)?;
    Some(Confidence { copies_per_mille, strangers_per_billion })
}

fn alike_work(work: WorkFacts, likeness: Likeness) -> AlikeWork {
    let confidence = likeness.confidence();
    AlikeWork {
        work,
        scheme: likeness.scheme as u16,
        distance: likeness.distance,
        distance_at_most: likeness.max_distance(),
        copies_per_mille: confidence.map(|confidence| confidence.copies_per_mille),
        strangers_per_billion: confidence.map(|confidence| confidence.strangers_per_billion),
    }
}
