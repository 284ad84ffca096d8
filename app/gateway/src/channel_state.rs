use motif_sdk::{
    Pubkey,
    channel::{ChannelAccount, License},
    gateway::wire::{
        Address, Amount, ChannelState, Digest, LicenseState, StatementState, Unit, Use,
    },
};

use crate::{
    channel::entries,
    ledger::{CutStatement, Ledger, Margins},
};

/// Returns the JSON form of a channel at this gateway.
pub fn channel_state(ledger: &Ledger) -> ChannelState {
    let channel = ledger.channel();
    let licenses = (0..).zip(&ledger.account().licenses);
    let (unsettled, open) = statements(ledger);
    ChannelState {
        channel: Address(ledger.address()),
        payer: Address(channel.payer),
        operator: Address(channel.operator),
        mint: Address(channel.mint),
        voucher_key: Address(channel.voucher_key),
        cluster: Digest(channel.cluster),
        opened_slot: channel.opened_slot,
        operator_fee_bps: channel.operator_fee_bps,
        grace_seconds: channel.grace_seconds,
        closes_at: Some(channel.closes_at).filter(|closes_at| *closes_at != i64::MAX),
        deposited: Amount(channel.deposited),
        upfront_fees: Amount(channel.upfront_fees),
        cumulative: open.cumulative,
        available: Amount(ledger.available()),
        licenses: licenses.map(|(index, license)| license_state(index, license)).collect(),
        unsettled,
        open,
    }
}

/// Returns the JSON form of a channel as it is on chain, without what only its payer may read.
pub fn public_state(address: Pubkey, account: ChannelAccount, margins: Margins) -> ChannelState {
    channel_state(&Ledger::new(address, account, margins))
}

/// Removes the vouchers, whose signatures could be used in the payer's place.
pub fn without_vouchers(mut state: ChannelState) -> ChannelState {
    let statements = state.unsettled.iter_mut().chain([&mut state.open]);
    statements.for_each(|statement| statement.voucher = None);
    state
}

fn license_state(index: u16, license: &License) -> LicenseState {
    LicenseState {
        license: index,
        work: Address(license.work),
        terms_number: license.terms_number,
        licensed_use: Use::from_byte(license.licensed_use),
        unit: Unit::from_byte(license.unit),
        price: Amount(license.price),
        settled_units: license.units,
        free_units_left: license.free_units_left,
        expires_at: Some(license.expires_at).filter(|expires_at| *expires_at != i64::MAX),
    }
}

/// Returns the unsettled statements and the open one.
fn statements(ledger: &Ledger) -> (Vec<StatementState>, StatementState) {
    let cut = |cut: &CutStatement| StatementState {
        statement: cut.number,
        receipts: cut.receipts,
        prices: Amount(cut.prices),
        cumulative: Amount(cut.voucher.voucher.cumulative),
        entries: entries(&cut.statement),
        voucher: Some(cut.voucher),
    };
    let open = ledger.open_statement();
    let open = StatementState {
        statement: open.number,
        receipts: open.receipts,
        prices: Amount(open.prices),
        // Checked when the newest voucher was accepted.
        cumulative: Amount(ledger.cumulative().unwrap_or(u64::MAX)),
        entries: entries(&open.statement),
        voucher: open.voucher,
    };
    (ledger.cut_statements().iter().map(cut).collect(), open)
}
