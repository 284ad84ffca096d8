use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::{
    AccountData,
    channel::{self, AcceptTermsArgs, Acceptance, Cosigners, OpenChannelArgs, Quota},
    licensing::{Consent, Terms, Use, terms_digest},
};
use motif_payer_calls::{Calls, Payers, accounts, parts::data, prices::VoucherArgument};
use motif_wire::{Address, Amount};
use serde::Deserialize;
use solana_pubkey::Pubkey;

use super::built;
use crate::parts::{currency, key};

pub(crate) const CALLS: Calls = &[
    ("instruction.create_vault", create_vault),
    ("instruction.create_tokens", create_tokens),
    ("instruction.open_channel", open_channel),
    ("instruction.top_up", top_up),
    ("instruction.accept_terms", accept_terms),
    ("instruction.settle", settle),
    ("instruction.apply_withdrawal", apply_withdrawal),
    ("instruction.release_quota", release_quota),
    ("instruction.rotate_voucher_key", rotate_voucher_key),
    ("instruction.collect", collect),
    ("instruction.claim_fees", claim_fees),
    ("instruction.request_close", request_close),
    ("instruction.withdraw", withdraw),
    ("instruction.close_channel", close_channel),
];

/// License of a channel, with its work.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexedWork {
    index: u16,
    work: Address,
}

fn indexed(licenses: &[IndexedWork]) -> Vec<(u16, Pubkey)> {
    licenses.iter().map(|license| (license.index, license.work.0)).collect()
}

/// Part of shared caps.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct QuotaParts {
    units: Amount,
    revenue: Amount,
}

fn create_vault(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { funder: Address, mint: Address, token_program: Option<Address> });
    built([channel::create_vault(&funder.0, &currency(mint, token_program))])
}

fn create_tokens(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        funder: Address,
        owner: Address,
        mint: Address,
        token_program: Option<Address>,
    });
    built([currency(mint, token_program).create_tokens(&funder.0, &owner.0)])
}

fn open_channel(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        payer: Address,
        operator: Address,
        mint: Address,
        token_program: Option<Address>,
        salt: Amount = Amount(0),
        voucher_key: Address,
        operator_fee_bps: u16,
        grace_seconds: u32,
        deposit: Amount,
        watcher: Option<Address>,
    });
    let args = OpenChannelArgs {
        salt: salt.0,
        voucher_key: voucher_key.0,
        operator_fee_bps,
        grace_seconds,
        deposit: deposit.0,
        watcher: key(watcher),
    };
    built([channel::open(&payer.0, &operator.0, &currency(mint, token_program), args)])
}

fn top_up(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        payer: Address,
        channel: Address,
        mint: Address,
        token_program: Option<Address>,
        amount: Amount,
    });
    let currency = currency(mint, token_program);
    built([channel::top_up(&payer.0, &channel.0, &currency, amount.0)])
}

/// Accepts terms as their account has them; the license must not end before what they and the consent give.
fn accept_terms(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        payer: Address,
        channel: Address,
        terms: String,
        licensed_use("use"): Use,
        max_price: Amount,
        quota: QuotaParts = QuotaParts::default(),
        min_expires_at: Option<i64>,
        consent_expires_at: Option<i64>,
        approver: Option<Address>,
        approval: bool = false,
        token_program: Option<Address>,
    });
    let account = data(&terms, "terms")?;
    let terms = Terms::from_account_data(&account).map_err(|_| accounts::invalid("terms"))?;
    let token_program = currency(Address(terms.currency), token_program).token_program;
    let acceptance =
        Acceptance { approver: key(approver), approval, ..Acceptance::of(&terms, token_program) };
    let consent = Consent { person: Pubkey::default(), expires_at: consent_expires_at };
    let args = AcceptTermsArgs {
        licensed_use,
        max_price: max_price.0,
        terms_digest: terms_digest(&account),
        quota: Quota { units: quota.units.0, revenue: quota.revenue.0 },
        min_expires_at: min_expires_at.unwrap_or(terms.offer.license_end(Some(&consent))),
    };
    built([channel::accept_terms(&payer.0, &channel.0, &acceptance, args)])
}

/// Proves and settles a voucher, without a commitment to receipts.
fn settle(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        settler: Address,
        operator: Address,
        voucher: VoucherArgument,
        voucher_key: Address,
        statement: String,
    });
    let refuse = |_| CallError::invalid_input("invalid `statement`: expected hexadecimal digits");
    let statement = hex::decode(&statement).map_err(refuse)?;
    let voucher = voucher.signed(voucher_key.0);
    built(channel::settle(&settler.0, &operator.0, &voucher, statement, None))
}

fn apply_withdrawal(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { channel: Address, licenses: Vec<IndexedWork> });
    built([channel::apply_withdrawal(&channel.0, &indexed(&licenses))])
}

fn release_quota(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        caller: Address,
        cosigner: Option<Address>,
        channel: Address,
        index: u16,
        work: Address,
        terms_number: u32,
    });
    let (cosigner, work) = (key(cosigner), &work.0);
    built([channel::release_quota(&caller.0, cosigner, &channel.0, index, work, terms_number)])
}

fn rotate_voucher_key(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        payer: Address,
        party: Option<Address>,
        watcher: Option<Address>,
        channel: Address,
        new_key: Address,
    });
    let agreed = Cosigners { party: key(party), watcher: key(watcher) };
    built([channel::rotate_voucher_key(&payer.0, &agreed, &channel.0, new_key.0)])
}

fn collect(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { channel: Address, mint: Address, licenses: Vec<IndexedWork> });
    built([channel::collect(&channel.0, &mint.0, &indexed(&licenses))])
}

fn claim_fees(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        channel: Address,
        operator: Address,
        fee_owner: Address,
        mint: Address,
        token_program: Option<Address>,
    });
    let currency = currency(mint, token_program);
    built([channel::claim_fees(&channel.0, &operator.0, &fee_owner.0, &currency)])
}

fn request_close(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        caller: Address,
        party: Option<Address>,
        watcher: Option<Address>,
        channel: Address,
    });
    let cosigners = Cosigners { party: key(party), watcher: key(watcher) };
    built([channel::request_close(&caller.0, &cosigners, &channel.0)])
}

fn withdraw(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        payer: Address,
        channel: Address,
        mint: Address,
        token_program: Option<Address>,
    });
    built([channel::withdraw(&payer.0, &channel.0, &currency(mint, token_program))])
}

fn close_channel(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: Address, channel: Address });
    built([channel::close(&payer.0, &channel.0)])
}
