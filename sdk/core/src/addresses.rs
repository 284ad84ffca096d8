//! Addresses of accounts.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::{
    TOKEN_PROGRAM,
    licensing::{Purpose, Use},
    pda,
};
use motif_payer_calls::{Calls, Payers, addresses::found};
use motif_wire::{Address, Amount, Digest};
use solana_pubkey::Pubkey;

pub(crate) const CALLS: Calls = &[
    ("address.config", config),
    ("address.work", work),
    ("address.terms", terms),
    ("address.approval", approval),
    ("address.split_change", |_, call| of_work(call, pda::split_change)),
    ("address.dispute", |_, call| of_work(call, pda::dispute)),
    ("address.certificate", |_, call| of_work(call, pda::certificate)),
    ("address.metadata", |_, call| of_mint(call, pda::metadata)),
    ("address.edition", |_, call| of_mint(call, pda::edition)),
    ("address.vault", |_, call| of_mint(call, pda::vault)),
    ("address.vault_tokens", vault_tokens),
    ("address.channel", channel),
    ("address.earnings", earnings),
    ("address.issuance", issuance),
    ("address.licensee", licensee),
    ("address.statement_buffer", statement_buffer),
    ("address.tokens", tokens),
];

fn config(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {});
    found(pda::config())
}

fn work(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { creator: Address, content_digest: Digest });
    found(pda::work(&creator.0, &content_digest.0))
}

fn terms(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { work: Address, number: u32 });
    found(pda::terms(&work.0, number))
}

fn approval(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { terms: Address, grantee: Address, purpose: Purpose });
    found(pda::approval(&terms.0, &grantee.0, purpose))
}

fn of_work(call: Call, address: impl Fn(&Pubkey) -> Pubkey) -> Result<Answer, CallError> {
    arguments!(call, { work: Address });
    found(address(&work.0))
}

fn of_mint(call: Call, address: impl Fn(&Pubkey) -> Pubkey) -> Result<Answer, CallError> {
    arguments!(call, { mint: Address });
    found(address(&mint.0))
}

fn vault_tokens(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { mint: Address, token_program: Option<Address> });
    found(pda::vault_tokens(&mint.0, &token_program.map_or(TOKEN_PROGRAM, |program| program.0)))
}

fn channel(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        payer: Address,
        operator: Address,
        mint: Address,
        salt: Amount = Amount(0),
    });
    found(pda::channel(&payer.0, &operator.0, &mint.0, salt.0))
}

fn earnings(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { work: Address, mint: Address });
    found(pda::earnings(&work.0, &mint.0))
}

fn issuance(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { terms: Address });
    found(pda::issuance(&terms.0))
}

fn licensee(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        terms: Address,
        payer: Address,
        licensed_use("use"): Use,
    });
    found(pda::licensee(&terms.0, &payer.0, licensed_use))
}

fn statement_buffer(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { channel: Address, settler: Address });
    found(pda::statement_buffer(&channel.0, &settler.0))
}

fn tokens(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { owner: Address, mint: Address, token_program: Option<Address> });
    let token_program = token_program.map_or(TOKEN_PROGRAM, |program| program.0);
    found(pda::tokens(&owner.0, &mint.0, &token_program))
}
