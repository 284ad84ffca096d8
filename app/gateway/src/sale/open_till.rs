use std::collections::HashMap;

use motif_sdk::{
    Pubkey, channel::Currency, client::PublishedTerms, licensing::Work, till::TillShares,
};
use parking_lot::RwLock;

/// Open tills of the paywall's routes, by work and mint.
#[derive(Debug, Default)]
pub struct OpenTills(pub RwLock<HashMap<(Pubkey, Pubkey), OpenTill>>);

/// Till that takes payments.
#[derive(Clone, Debug)]
pub struct OpenTill {
    /// Address.
    pub address: Pubkey,
    /// Shares.
    pub shares: TillShares,
    /// Currency.
    pub currency: Currency,
    /// Decimals of the mint.
    pub decimals: u8,
}

/// A work and its latest terms.
#[derive(Clone, Debug)]
pub struct SaleTerms {
    /// The work.
    pub work: Work,
    /// Its latest terms.
    pub published: PublishedTerms,
}
