use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sdk_ids::system_program;

use super::build;
use crate::{
    codec::*,
    instruction::{readonly, signer, writable, writable_signer},
    licensing::Verdict,
    pda,
};

/// Arguments of `open_dispute`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct OpenDisputeArgs {
    /// Location of the evidence.
    pub evidence_uri: String,
    /// SHA-256 of the document at `evidence_uri`.
    pub evidence_digest: [u8; 32],
    /// Maximum bond, lamports: the config's bond may change before the instruction lands.
    pub max_bond: u64,
}

/// Creates `open_dispute`: claims a work and deposits the config's bond. Signed by the claimant.
pub fn open_dispute(claimant: &Pubkey, work: &Pubkey, args: OpenDisputeArgs) -> Instruction {
    let accounts = vec![
        writable_signer(*claimant),
        readonly(pda::config()),
        writable(*work),
        writable(pda::dispute(work)),
        readonly(system_program::ID),
    ];
    build("open_dispute", accounts, &args)
}

/// Creates `decide_dispute`: ends a dispute by a verdict, up to and including its deadline. A claim
/// is upheld no earlier than [`Dispute::HEARING_SECONDS`](crate::licensing::Dispute) after its
/// opening. Signed by the arbiter.
pub fn decide_dispute(
    arbiter: &Pubkey,
    work: &Pubkey,
    owner: &Pubkey,
    claimant: &Pubkey,
    verdict: Verdict,
) -> Instruction {
    let accounts = vec![
        signer(*arbiter),
        readonly(pda::config()),
        writable(*work),
        writable(pda::dispute(work)),
        writable(*owner),
        writable(*claimant),
    ];
    build("decide_dispute", accounts, &verdict)
}

/// Creates `expire_dispute`: rejects a dispute after its deadline. Needs no signature.
pub fn expire_dispute(work: &Pubkey, owner: &Pubkey, claimant: &Pubkey) -> Instruction {
    let accounts =
        vec![writable(*work), writable(pda::dispute(work)), writable(*owner), writable(*claimant)];
    build("expire_dispute", accounts, &())
}
