//! Result of a call as text.

use std::{collections::BTreeMap, sync::OnceLock};

use anchor_lang::error::ErrorCode;
use solana_instruction::error::InstructionError;
use solana_pubkey::Pubkey;
use solana_transaction::TransactionError;

use super::Outcome;

/// IDL of the programs, which names their errors.
const DESCRIPTIONS: [(Pubkey, &str); 2] = [
    (licensing::ID, include_str!("../../../idl/licensing.json")),
    (payments::ID, include_str!("../../../idl/payments.json")),
];

impl Outcome {
    /// Returns `accepted`; the name of an error of Anchor or of one of the programs; or the
    /// source and number of another error: `system 0`, `token 4`, `runtime InvalidAccountData`.
    pub fn answer(&self) -> String {
        let Some((error, program)) = self.refusal() else { return "accepted".to_string() };
        let TransactionError::InstructionError(_, error) = error else {
            return format!("runtime {error:?}");
        };
        let InstructionError::Custom(number) = error else { return format!("runtime {error:?}") };
        let program = program.unwrap_or_default();
        let named = names().get(&(program, number)).cloned();
        named.or_else(|| anchors(number)).unwrap_or_else(|| match program.to_string() {
            name if name.chars().all(|one| one == '1') => format!("system {number}"),
            name if name.starts_with("Token") => format!("token {number}"),
            name if name.starts_with("metaqbxx") => format!("metadata {number}"),
            name => format!("{name} {number}"),
        })
    }
}

/// Names of the programs' errors.
fn names() -> &'static BTreeMap<(Pubkey, u32), String> {
    static NAMES: OnceLock<BTreeMap<(Pubkey, u32), String>> = OnceLock::new();
    NAMES.get_or_init(|| DESCRIPTIONS.iter().flat_map(|(id, json)| named(*id, json)).collect())
}

fn named(id: Pubkey, json: &str) -> Vec<((Pubkey, u32), String)> {
    let description: serde_json::Value =
        serde_json::from_str(json).expect("a committed description");
    let errors = description["errors"].as_array().cloned().unwrap_or_default();
    let error = |error: serde_json::Value| {
        let number = error["code"].as_u64().and_then(|code| u32::try_from(code).ok())?;
        Some(((id, number), error["name"].as_str()?.to_string()))
    };
    errors.into_iter().filter_map(error).collect()
}

/// Returns the name of an Anchor error, which is below 6,000.
fn anchors(number: u32) -> Option<String> {
    use ErrorCode::*;
    let known = [
        ConstraintMut,
        ConstraintHasOne,
        ConstraintAccountIsNone,
        ConstraintSigner,
        ConstraintRaw,
        ConstraintOwner,
        ConstraintSeeds,
        ConstraintAssociated,
        ConstraintAddress,
        ConstraintTokenMint,
        ConstraintTokenOwner,
        ConstraintMintTokenProgram,
        ConstraintTokenTokenProgram,
        ConstraintAssociatedTokenTokenProgram,
        ConstraintDuplicateMutableAccount,
        ConstraintSpace,
        AccountDiscriminatorMismatch,
        AccountDiscriminatorNotFound,
        AccountDidNotDeserialize,
        AccountNotEnoughKeys,
        AccountNotMutable,
        AccountOwnedByWrongProgram,
        InvalidProgramId,
        InvalidProgramExecutable,
        AccountNotSigner,
        AccountNotSystemOwned,
        AccountNotInitialized,
        AccountNotAssociatedTokenAccount,
        AccountSysvarMismatch,
        AccountReallocExceedsLimit,
    ];
    known.into_iter().find(|error| u32::from(*error) == number).map(|error| error.name())
}
