//! What the program tells the world. Consumers must check that a log entry was written by this
//! program; the accounts, not the events, are the record.

use anchor_lang::{prelude::*, solana_program::log::sol_log_data};

/// A payer set money aside towards one operator.
#[event]
pub struct ChannelOpened {
    pub channel: Pubkey,
    pub payer: Pubkey,
    pub operator: Pubkey,
    pub mint: Pubkey,
    pub deposited: u64,
}

/// More money was set aside; `deposited` is the new total.
#[event]
pub struct ChannelToppedUp {
    pub channel: Pubkey,
    pub amount: u64,
    pub deposited: u64,
}

/// A channel took on a license, at `index` of its list.
#[event]
pub struct LicenseAccepted {
    pub channel: Pubkey,
    pub index: u16,
    pub work: Pubkey,
    pub terms_number: u32,
    pub price: u64,
    pub upfront_fee: u64,
}

/// A statement was paid: `prices` to the licenses, `fee` to the operator.
#[event]
pub struct StatementSettled {
    pub channel: Pubkey,
    pub statement: u64,
    pub prices: u64,
    pub fee: u64,
    pub cumulative: u64,
}

impl StatementSettled {
    const SIZE: usize = 8 + 32 + 4 * 8;

    /// What `emit!` does, without a buffer on the heap: settling has a budget.
    pub fn log(&self) {
        sol_log_data(&[&self.to_bytes()]);
    }

    fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(Self::DISCRIMINATOR);
        bytes[8..40].copy_from_slice(self.channel.as_ref());
        bytes[40..48].copy_from_slice(&self.statement.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.prices.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.fee.to_le_bytes());
        bytes[64..].copy_from_slice(&self.cumulative.to_le_bytes());
        bytes
    }
}

/// Licenses' credit became their works' earnings.
#[event]
pub struct LicensesCollected {
    pub channel: Pubkey,
    pub amount: u64,
}

/// A parent took its share of a child's earnings.
#[event]
pub struct SharePulled {
    pub child: Pubkey,
    pub parent: Pubkey,
    pub mint: Pubkey,
    pub amount: u64,
}

/// What the work's own part earns beyond `own_contested` waits for a verdict.
#[event]
pub struct DisputeApplied {
    pub work: Pubkey,
    pub mint: Pubkey,
    pub own_contested: u64,
}

/// A recipient was paid.
#[event]
pub struct EarningsClaimed {
    pub work: Pubkey,
    pub mint: Pubkey,
    pub recipient: Pubkey,
    pub amount: u64,
}

/// From `closes_at` (unix seconds) the channel settles no more.
#[event]
pub struct ChannelClosing {
    pub channel: Pubkey,
    pub closes_at: i64,
}

/// The payer took back what was never charged.
#[event]
pub struct ChannelWithdrawn {
    pub channel: Pubkey,
    pub refunded: u64,
}

/// The operator took its fees.
#[event]
pub struct FeesClaimed {
    pub channel: Pubkey,
    pub amount: u64,
}

/// Earnings were brought to their work's present split.
#[event]
pub struct SplitApplied {
    pub work: Pubkey,
    pub mint: Pubkey,
    pub split_version: u32,
}

/// A license ends at `expires_at` (unix seconds) at the latest: its work was withdrawn.
#[event]
pub struct WithdrawalApplied {
    pub channel: Pubkey,
    pub index: u16,
    pub expires_at: i64,
}

/// What a license had left of shared caps can be handed out again.
#[event]
pub struct QuotaReleased {
    pub channel: Pubkey,
    pub index: u16,
    pub units: u64,
    pub revenue: u64,
}

/// From `rotates_at` (unix seconds) `new_key` signs a channel's vouchers.
#[event]
pub struct VoucherKeyRotationStarted {
    pub channel: Pubkey,
    pub new_key: Pubkey,
    pub rotates_at: i64,
}

/// A channel's account is gone.
#[event]
pub struct ChannelDeleted {
    pub channel: Pubkey,
}

/// What was paid into a work's till became its earnings.
#[event]
pub struct TillSwept {
    pub work: Pubkey,
    pub mint: Pubkey,
    pub amount: u64,
}

#[cfg(test)]
mod tests {
    use anchor_lang::Event;

    use super::*;

    #[test]
    fn a_settlement_is_logged_as_any_event_is() {
        let settled = StatementSettled {
            channel: Pubkey::new_from_array([1; 32]),
            statement: 2,
            prices: 3,
            fee: 4,
            cumulative: 5,
        };
        assert_eq!(settled.to_bytes().to_vec(), settled.data());
    }
}
