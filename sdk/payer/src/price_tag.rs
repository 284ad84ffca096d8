use motif_interface::{channel::License, licensing::Use};
use motif_wire::{Address, Amount, PriceTag};
use solana_pubkey::Pubkey;

use crate::{Machine, purchase::PaidUnits};

/// License that pays for what a price tag offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Index of the license.
    pub license: u16,
    /// Number of units of the answer, or of each part of a stream.
    pub units: PaidUnits,
    /// Maximum cost of the answer, or of each part, at the license's own price, base units, fees included.
    pub most_cost: Amount,
}

/// Error returned when a channel cannot pay for what a price tag offers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceTagError {
    /// Error returned when the price tag requires another channel, or sells nothing.
    #[error("the price tag does not fit the channel: {0}")]
    Mismatch(String),
    /// Error returned when the channel has no license of the work and use that is valid and has units
    /// left.
    #[error(
        "the channel has no usable license of {work} for `{licensed_use}`; accept its terms first"
    )]
    NotLicensed {
        /// Work.
        work: Address,
        /// Use.
        licensed_use: Use,
    },
}

impl Machine {
    /// Returns the license that pays for what a price tag offers at `now`: the newest that has units left
    /// and is valid until the end of the hold.
    ///
    /// # Errors
    /// [`PriceTagError`].
    pub fn choose(&self, tag: &PriceTag, now: i64) -> Result<Chosen, PriceTagError> {
        let (channel, quote) = (self.channel(), &tag.quote);
        let fits = |name: &str, given: String, own: String| {
            let text = format!("its {name} is {given}: expected {own}");
            if given == own { Ok(()) } else { Err(PriceTagError::Mismatch(text)) }
        };
        fits("operator", tag.operator.to_string(), channel.operator.to_string())?;
        fits("cluster", tag.cluster.to_string(), hex::encode(channel.cluster))?;
        fits("currency", quote.currency.to_string(), channel.mint.to_string())?;
        let units = match tag.fixed_units {
            Some(units) => PaidUnits::Exactly(units),
            None => PaidUnits::AtMost(tag.most_units),
        };
        if units.max() == 0 {
            return Err(PriceTagError::Mismatch("it sells no units".to_owned()));
        }
        let (work, licensed_use) = (quote.work, quote.licensed_use);
        let last = now.saturating_add(i64::from(tag.hold_seconds));
        let found = newest_license(self.licenses(), &work.0, licensed_use, last);
        let found = found.filter(|(_, license)| license.unit == quote.unit as u8);
        let none = PriceTagError::NotLicensed { work, licensed_use };
        let (index, license) = found.ok_or(none)?;
        let most_cost = Amount(self.most_cost(&license, units.max()));
        Ok(Chosen { license: index, units, most_cost })
    }

    /// Returns the maximum cost of units of a license, base units, fees included.
    pub fn most_cost(&self, license: &License, units: u32) -> u64 {
        let price = license.price.saturating_mul(units.into());
        // Fees are floors of totals, so one payment costs at most its share, rounded up.
        let bps = u128::from(self.channel().operator_fee_bps);
        let fee = (u128::from(price) * bps).div_ceil(10_000);
        price.saturating_add(u64::try_from(fee).unwrap_or(u64::MAX))
    }
}

/// Returns the newest of a channel's licenses for a work and use that has units left and is valid until unix
/// second `last`, with its index.
pub fn newest_license(
    licenses: &[License],
    work: &Pubkey,
    licensed_use: Use,
    last: i64,
) -> Option<(u16, License)> {
    let usable = (0_u16..).zip(licenses).filter(|(_, license)| {
        let is_same = license.work == *work && license.licensed_use == licensed_use as u8;
        is_same && license.expires_at >= last && license.units_left > 0
    });
    usable.last().map(|(index, license)| (index, *license))
}
