use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::till;
use motif_payer_calls::{Calls, Payers, parts::SharesParts};
use motif_wire::{Address, Amount};

use super::built;
use crate::parts::{currency, key};

pub(crate) const CALLS: Calls = &[
    ("instruction.open_till", open_till),
    ("instruction.pay_till", pay_till),
    ("instruction.sweep_till", sweep_till),
];

fn open_till(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        funder: Address,
        shares: SharesParts,
        mint: Address,
        token_program: Option<Address>,
    });
    built([till::open(&funder.0, &shares.shares()?, &currency(mint, token_program))])
}

fn pay_till(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        payer: Address,
        shares: SharesParts,
        mint: Address,
        token_program: Option<Address>,
        decimals: u8,
        amount: Amount,
    });
    let currency = currency(mint, token_program);
    built([till::pay(&payer.0, &shares.shares()?, &currency, decimals, amount.0)])
}

fn sweep_till(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        shares: SharesParts,
        mint: Address,
        token_program: Option<Address>,
        fee_owner: Option<Address>,
    });
    let currency = currency(mint, token_program);
    built([till::sweep(&shares.shares()?, &currency, key(fee_owner))])
}
