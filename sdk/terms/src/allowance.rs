//! Uses of a work by models that an offer licenses.

use motif_interface::licensing::{Offer, Use, UsePrice};

/// Uses of a work as input of a model.
pub(super) const INFERENCE: [Use; 3] = [Use::Generate, Use::StyleTransfer, Use::VoiceConvert];
/// Uses of a work to train a model.
pub(super) const TRAINING: [Use; 2] = [Use::Train, Use::FineTune];

/// Returns the prices of those uses that are licensed at `now`; none outside the terms' period.
pub(super) fn licensed(offer: &Offer, uses: &[Use], now: i64) -> Vec<UsePrice> {
    let valid = now >= offer.valid_from && offer.expires_at.is_none_or(|end| now <= end);
    let asked_for = |price: &&UsePrice| valid && uses.contains(&price.licensed_use);
    offer.uses.iter().filter(asked_for).copied().collect()
}
