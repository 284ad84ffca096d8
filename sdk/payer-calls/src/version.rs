//! What a module says about itself.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::{
    ASSOCIATED_TOKEN_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM,
    acceptance::MEMO_PROGRAM,
    licensing::{self, Unit, Use, WorkKind},
    payments,
    voucher_proof::{ED25519_PROGRAM, INSTRUCTIONS_SYSVAR},
};
use motif_json::{Field, Json, object};
use motif_payer::IdempotencyKey;
use motif_wire::{Address, Payment, PaymentRequired, ProblemType, ReaderProof, ReceiptParts};
use solana_sdk_ids::system_program;
use strum::VariantArray;

use crate::{Calls, Payers};

/// Version of the interface.
const ABI: u32 = 1;

pub(crate) fn version(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {});
    Ok(Answer::of(&facts(&crate::OWN, &[(); 0])))
}

/// Returns the answer of `version` of a module with these calls, and these presets of terms.
pub fn facts(calls: &[Calls], presets: &dyn Field) -> Json {
    let problem = |problem_type: &ProblemType| {
        let (title, status) = (problem_type.title(), problem_type.status());
        object! { "type": problem_type.slug(), "title": title, "status": status }
    };
    let problems: Vec<_> = ProblemType::VARIANTS.iter().map(problem).collect();
    let calls: Vec<_> = calls.iter().copied().flatten().map(|(name, _)| name).collect();
    object! {
        "abi": ABI,
        "version": env!("CARGO_PKG_VERSION"),
        "programs": programs(),
        "headers": object! {
            "payment": Payment::HEADER,
            "payment_required": PaymentRequired::HEADER,
            "receipt": ReceiptParts::HEADER,
            "reader": ReaderProof::HEADER,
            "idempotency_key": IdempotencyKey::HEADER,
            "api_key": motif_payer::purchase::API_KEY_HEADER,
            "content_type": motif_payer::stream::KIND_HEADER,
        },
        "problem_types": Json::array(&problems),
        "presets": Json::of(presets),
        "uses": Use::VARIANTS,
        "units": Unit::VARIANTS,
        "work_kinds": WorkKind::VARIANTS,
        "calls": calls,
    }
}

fn programs() -> Json {
    object! {
        "licensing": Address(licensing::ID),
        "payments": Address(payments::ID),
        "token": Address(TOKEN_PROGRAM),
        "token_2022": Address(TOKEN_2022_PROGRAM),
        "associated_token": Address(ASSOCIATED_TOKEN_PROGRAM),
        "token_metadata": Address(TOKEN_METADATA_PROGRAM),
        "memo": Address(MEMO_PROGRAM),
        "ed25519": Address(ED25519_PROGRAM),
        "system": Address(system_program::ID),
        "instructions_sysvar": Address(INSTRUCTIONS_SYSVAR),
    }
}
