//! What a gateway tells creators and payers: server-sent events and the bodies of webhooks.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{Address, Amount, Digest};

/// Kind of an event.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum EventKind {
    /// A payer signed for generations with a work. One event for those of an interval.
    Paid,
    /// A statement settled: its prices are credited to a work on chain.
    Settled,
    /// A recipient was paid.
    Claimed,
    /// A channel accepted a license of a work.
    Accepted,
    /// A dispute over a work was opened or decided.
    Disputed,
    /// Little of a channel's deposit is left, or the channel ends soon.
    ChannelLow,
    /// A person's consent to a work ends soon.
    ConsentEnding,
    /// A proposed split waits for a recipient's consent.
    SplitWaiting,
    /// Asked for, to try a webhook.
    Test,
}

impl EventKind {
    /// All kinds. Their order is the order of bits in a store: append only.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the kind's bit.
    pub fn bit(self) -> i64 {
        1 << self as u8
    }
}

/// State of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DisputeState {
    /// Opened: the work's earnings wait for the verdict.
    Opened,
    /// The owner keeps the work.
    Rejected,
    /// The claimant owns the work.
    Upheld,
}

/// Something that happened. Which fields are present depends on `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Digest of what happened: told again, it has the same id.
    pub id: Digest,
    /// Unix second in which it happened, or in which the gateway read it on chain.
    pub at: i64,
    /// Kind.
    pub kind: EventKind,
    /// Work.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub work: Option<Address>,
    /// Channel.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub channel: Option<Address>,
    /// Number of the channel's statement.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub statement: Option<u64>,
    /// Prices without fees of `paid` and `settled`, payment of `claimed`, what is left of `channel-low`;
    /// base units.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub amount: Option<Amount>,
    /// Mint of the amount.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub currency: Option<Address>,
    /// Number of generations.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub generations: Option<u64>,
    /// Payer of `paid`, `settled`, `accepted` and `channel-low`; recipient of `claimed` and
    /// `split-waiting`; claimant of `disputed`; consenting person of `consent-ending`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person: Option<Address>,
    /// Index of the accepted license in the channel.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub license: Option<u32>,
    /// State of the dispute.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dispute: Option<DisputeState>,
    /// Last unix second of the channel, consent, proposal, or of a verdict.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ends_at: Option<i64>,
}

impl Event {
    /// Creates an event without details.
    pub fn new(id: [u8; 32], at: i64, kind: EventKind) -> Self {
        Self {
            id: Digest(id),
            at,
            kind,
            work: None,
            channel: None,
            statement: None,
            amount: None,
            currency: None,
            generations: None,
            person: None,
            license: None,
            dispute: None,
            ends_at: None,
        }
    }

    /// Returns the event as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() // of a struct without maps
    }

    /// Reads an event.
    ///
    /// # Errors
    /// [`serde_json::Error`].
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_has_present_fields_only() {
        let event = Event { amount: Some(Amount(7)), ..Event::new([1; 32], 5, EventKind::Paid) };
        let text = event.to_json();
        let id = "01".repeat(32);
        assert_eq!(text, format!(r#"{{"id":"{id}","at":5,"kind":"paid","amount":"7"}}"#));
        assert_eq!(Event::from_json(&text).unwrap(), event);
    }

    #[test]
    fn kinds_have_stable_bits_and_names() {
        let mut bits = 0;
        for kind in EventKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(*kind));
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{kind}\""));
            bits += kind.bit();
        }
        assert_eq!((bits, EventKind::Test.bit()), (511, 256));
    }
}
