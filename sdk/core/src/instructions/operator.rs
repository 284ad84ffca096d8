use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::operator::{self, OperatorKey, OperatorTerms, RegisterOperatorArgs};
use motif_payer_calls::{Calls, Payers};
use motif_wire::Address;
use serde::Deserialize;

use super::built;

pub(crate) const CALLS: Calls = &[
    ("instruction.register_operator", register_operator),
    ("instruction.update_operator", update_operator),
    ("instruction.rotate_operator_key", rotate_operator_key),
];

/// Key of an operator that can be rotated.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KeyParts {
    Settle,
    Receipt,
}

fn register_operator(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        funder: Address,
        authority: Address,
        settle_key: Address,
        receipt_key: Address,
        fee_bps: u16 = 0,
        min_grace_seconds: u32 = 0,
        fee_owner: Address,
        url: String = String::new(),
    });
    let args = RegisterOperatorArgs {
        settle_key: settle_key.0,
        receipt_key: receipt_key.0,
        terms: OperatorTerms { fee_bps, min_grace_seconds, fee_owner: fee_owner.0, url },
    };
    built([operator::register(&funder.0, &authority.0, args)])
}

fn update_operator(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        authority: Address,
        fee_bps: u16,
        min_grace_seconds: u32,
        fee_owner: Address,
        url: String,
    });
    let terms = OperatorTerms { fee_bps, min_grace_seconds, fee_owner: fee_owner.0, url };
    built([operator::update(&authority.0, terms)])
}

fn rotate_operator_key(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { authority: Address, which: KeyParts, new_key: Address });
    let which = match which {
        KeyParts::Settle => OperatorKey::Settle,
        KeyParts::Receipt => OperatorKey::Receipt,
    };
    built([operator::rotate_key(&authority.0, which, new_key.0)])
}
