//! What an offer lets models do with a work.

use crate::licensing::{Offer, Use, UsePrice};

/// A model is given the work, and makes something.
pub(super) const INFERENCE: [Use; 3] = [Use::Generate, Use::StyleTransfer, Use::VoiceConvert];
/// A model learns from the work.
pub(super) const TRAINING: [Use; 2] = [Use::Train, Use::FineTune];

/// Which of these uses are licensed at `now`. Outside their time terms license nothing.
pub(super) fn licensed(offer: &Offer, uses: &[Use], now: i64) -> Vec<UsePrice> {
    let valid = now >= offer.valid_from && offer.expires_at.is_none_or(|end| now <= end);
    let asked_for = |price: &&UsePrice| valid && uses.contains(&price.licensed_use);
    offer.uses.iter().filter(asked_for).copied().collect()
}
