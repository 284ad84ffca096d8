//! Instructions of both programs.

mod channel;
mod earnings;
mod operator;
mod till;
mod works;

use motif_frame::{Answer, CallError};
use motif_payer_calls::{Calls, parts::base64};
use motif_wire::Address;
use serde_json::{Value, json};
use solana_instruction::Instruction;

/// Calls by file.
pub(crate) const CALLS: [Calls; 5] =
    [works::CALLS, channel::CALLS, earnings::CALLS, operator::CALLS, till::CALLS];

/// Returns an answer with instructions.
fn built(instructions: impl IntoIterator<Item = Instruction>) -> Result<Answer, CallError> {
    let instructions: Vec<_> = instructions.into_iter().map(|built| json_of(&built)).collect();
    Ok(Answer::of(&json!({ "instructions": instructions })))
}

fn json_of(instruction: &Instruction) -> Value {
    let accounts: Vec<_> = instruction
        .accounts
        .iter()
        .map(|account| {
            json!({
                "address": Address(account.pubkey),
                "is_signer": account.is_signer,
                "is_writable": account.is_writable,
            })
        })
        .collect();
    json!({
        "program": Address(instruction.program_id),
        "accounts": accounts,
        "data": base64(&instruction.data),
    })
}
