//! Program events, emitted as logs.
//!
//! Consumers must check that this program wrote the log entry. The accounts are authoritative.

use anchor_lang::{prelude::*, solana_program::log::sol_log_data};
use motif_interface::payments::OperatorKey;

/// Emitted when a channel is opened; `deposited` is in base units, as all amounts here.
/// `self_metered` states that the payer or its voucher key is one of the operator's keys.
#[event]
pub struct ChannelOpened {
    pub channel: Pubkey,
    pub payer: Pubkey,
    pub operator: Pubkey,
    pub mint: Pubkey,
    pub deposited: u64,
    pub self_metered: bool,
}

/// Emitted when a deposit grows; `deposited` is the new total.
#[event]
pub struct ChannelToppedUp {
    pub channel: Pubkey,
    pub amount: u64,
    pub deposited: u64,
}

/// Emitted when terms are accepted; the license is at `index` of the channel. `upfront_fee` was
/// deposited and charged.
#[event]
pub struct LicenseAccepted {
    pub channel: Pubkey,
    pub index: u16,
    pub work: Pubkey,
    pub terms_number: u32,
    pub price: u64,
    pub upfront_fee: u64,
}

/// Emitted when a statement is settled: `prices` are credited to licenses, `fee` to the operator.
#[event]
pub struct StatementSettled {
    pub channel: Pubkey,
    pub statement: u64,
    pub prices: u64,
    pub fee: u64,
    pub cumulative: u64,
}

/// Emitted when licenses' credit moves to earnings.
#[event]
pub struct LicensesCollected {
    pub channel: Pubkey,
    pub amount: u64,
}

/// Emitted when a parent's share moves to the parent's earnings.
#[event]
pub struct SharePulled {
    pub child: Pubkey,
    pub parent: Pubkey,
    pub mint: Pubkey,
    pub amount: u64,
}

/// Emitted when a dispute is applied; earnings beyond `earned_contested`, of which `own_contested`
/// are the work's own, wait for the verdict.
#[event]
pub struct DisputeApplied {
    pub work: Pubkey,
    pub mint: Pubkey,
    pub own_contested: u64,
    pub earned_contested: u64,
}

/// Emitted when a recipient is paid.
#[event]
pub struct EarningsClaimed {
    pub work: Pubkey,
    pub mint: Pubkey,
    pub recipient: Pubkey,
    pub amount: u64,
}

/// Emitted when a close is requested; the channel settles until `closes_at`, unix seconds.
#[event]
pub struct ChannelClosing {
    pub channel: Pubkey,
    pub closes_at: i64,
}

/// Emitted when the uncharged deposit is returned to the payer.
#[event]
pub struct ChannelWithdrawn {
    pub channel: Pubkey,
    pub refunded: u64,
}

/// Emitted when the operator is paid its fees.
#[event]
pub struct FeesClaimed {
    pub channel: Pubkey,
    pub amount: u64,
}

/// Emitted when earnings are updated to their work's current split.
#[event]
pub struct SplitApplied {
    pub work: Pubkey,
    pub mint: Pubkey,
    pub split_version: u32,
}

/// Emitted when a withdrawn work's license gets the expiry `expires_at`, unix seconds.
#[event]
pub struct WithdrawalApplied {
    pub channel: Pubkey,
    pub index: u16,
    pub expires_at: i64,
}

/// Emitted when the unused quota of a license becomes available again.
#[event]
pub struct QuotaReleased {
    pub channel: Pubkey,
    pub index: u16,
    pub units: u64,
    pub revenue: u64,
}

/// Emitted when a rotation starts; `new_key` signs vouchers from `rotates_at`, unix seconds.
#[event]
pub struct VoucherKeyRotationStarted {
    pub channel: Pubkey,
    pub new_key: Pubkey,
    pub rotates_at: i64,
}

/// Emitted when a channel's account is closed.
#[event]
pub struct ChannelDeleted {
    pub channel: Pubkey,
}

/// Emitted when an operator is registered.
#[event]
pub struct OperatorRegistered {
    pub authority: Pubkey,
    pub settle_key: Pubkey,
    pub receipt_key: Pubkey,
    pub url: String,
}

/// Emitted when an operator's conditions change.
#[event]
pub struct OperatorUpdated {
    pub authority: Pubkey,
    pub fee_bps: u16,
    pub min_grace_seconds: u32,
    pub fee_owner: Pubkey,
    pub url: String,
}

/// Emitted when a rotation starts; `new_key` is valid from `valid_from`, unix seconds.
#[event]
pub struct OperatorKeyRotated {
    pub authority: Pubkey,
    pub which: OperatorKey,
    pub new_key: Pubkey,
    pub valid_from: i64,
}

/// Emitted when a till's tokens move: `amount` to works' earnings, `operator` to the operator's fee
/// owner.
#[event]
pub struct TillSwept {
    pub till: Pubkey,
    pub mint: Pubkey,
    pub amount: u64,
    pub operator: u64,
}

/// Logs events of a fixed size as `emit!` does, without a heap buffer, which would cost compute
/// units. For the instructions that are called most.
macro_rules! fixed_size_events {
    ($($event:ident { $($field:ident: $size:literal),* })*) => {$(
        impl $event {
            const SIZE: usize = 8 $(+ $size)*;

            /// Logs the event.
            pub fn log(&self) {
                sol_log_data(&[&self.to_bytes()]);
            }

            #[inline(always)]
            fn to_bytes(&self) -> [u8; Self::SIZE] {
                let mut bytes = [0; Self::SIZE];
                let (field, rest) = bytes.split_at_mut(8);
                field.copy_from_slice(Self::DISCRIMINATOR);
                $(
                    let (field, rest) = rest.split_at_mut($size);
                    field.copy_from_slice(&self.$field.field_bytes());
                )*
                debug_assert!(rest.is_empty());
                bytes
            }
        }
    )*};
}

fixed_size_events! {
    StatementSettled { channel: 32, statement: 8, prices: 8, fee: 8, cumulative: 8 }
    LicensesCollected { channel: 32, amount: 8 }
    SharePulled { child: 32, parent: 32, mint: 32, amount: 8 }
    EarningsClaimed { work: 32, mint: 32, recipient: 32, amount: 8 }
}

/// Borsh's bytes of a field.
trait FieldBytes<const SIZE: usize> {
    fn field_bytes(&self) -> [u8; SIZE];
}

impl FieldBytes<32> for Pubkey {
    fn field_bytes(&self) -> [u8; 32] {
        self.to_bytes()
    }
}

impl FieldBytes<8> for u64 {
    fn field_bytes(&self) -> [u8; 8] {
        self.to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use anchor_lang::Event;

    use super::*;

    #[test]
    fn fixed_size_log_matches_anchor_event() {
        let key = |byte| Pubkey::new_from_array([byte; 32]);
        let settled =
            StatementSettled { channel: key(1), statement: 2, prices: 3, fee: 4, cumulative: 5 };
        assert_eq!(settled.to_bytes().to_vec(), settled.data());
        let collected = LicensesCollected { channel: key(1), amount: 2 };
        assert_eq!(collected.to_bytes().to_vec(), collected.data());
        let pulled = SharePulled { child: key(1), parent: key(2), mint: key(3), amount: 4 };
        assert_eq!(pulled.to_bytes().to_vec(), pulled.data());
        let claimed = EarningsClaimed { work: key(1), mint: key(2), recipient: key(3), amount: 4 };
        assert_eq!(claimed.to_bytes().to_vec(), claimed.data());
    }
}
