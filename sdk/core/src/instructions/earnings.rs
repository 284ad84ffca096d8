use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::earnings;
use motif_payer_calls::{Calls, Payers};
use motif_wire::Address;
use serde::Deserialize;

use super::built;
use crate::parts::currency;

pub(crate) const CALLS: Calls = &[
    ("instruction.open_earnings", open_earnings),
    ("instruction.pull", pull),
    ("instruction.apply_split", apply_split),
    ("instruction.apply_dispute", apply_dispute),
    ("instruction.claim", claim),
    ("instruction.claim_to", claim_to),
];

/// Recipient to pay, with the position of its part.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PayeeParts {
    #[serde(default)]
    position: u8,
    recipient: Address,
}

fn open_earnings(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { funder: Address, work: Address, mint: Address });
    built([earnings::open(&funder.0, &work.0, &mint.0)])
}

fn pull(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { child: Address, parent: Address, mint: Address });
    built([earnings::pull(&child.0, &parent.0, &mint.0)])
}

fn apply_split(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { funder: Address, work: Address, mint: Address });
    built([earnings::apply_split(&funder.0, &work.0, &mint.0)])
}

fn apply_dispute(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { work: Address, mint: Address });
    built([earnings::apply_dispute(&work.0, &mint.0)])
}

fn claim(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        work: Address,
        recipients: Vec<PayeeParts>,
        mint: Address,
        token_program: Option<Address>,
    });
    let recipients: Vec<_> =
        recipients.iter().map(|payee| (payee.position, payee.recipient.0)).collect();
    built([earnings::claim_batch(&work.0, &recipients, &currency(mint, token_program))])
}

fn claim_to(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        work: Address,
        recipient: Address,
        mint: Address,
        token_program: Option<Address>,
        destination: Address,
    });
    let currency = currency(mint, token_program);
    built([earnings::claim_to(&work.0, &recipient.0, &currency, destination.0)])
}
