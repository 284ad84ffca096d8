use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sdk_ids::system_program;

use super::build;
use crate::{
    codec::*,
    instruction::{readonly, signer, writable, writable_signer},
    licensing::Purpose,
    pda,
};

/// Arguments of `grant_approval`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantApprovalArgs {
    /// Permitted action.
    pub purpose: Purpose,
    /// Payer or creator that may use the approval.
    pub grantee: Pubkey,
}

/// Creates `grant_approval`: permits `grantee` one action under one version of terms until it is
/// revoked. Signed by the work's owner.
pub fn grant_approval(
    owner: &Pubkey,
    work: &Pubkey,
    terms_number: u32,
    grantee: &Pubkey,
    purpose: Purpose,
) -> Instruction {
    let terms = pda::terms(work, terms_number);
    let accounts = vec![
        writable_signer(*owner),
        readonly(*work),
        readonly(terms),
        writable(pda::approval(&terms, grantee, purpose)),
        readonly(system_program::ID),
    ];
    build("grant_approval", accounts, &GrantApprovalArgs { purpose, grantee: *grantee })
}

/// Creates `revoke_approval`: closes an approval; its rent returns to `granted_by`, who granted
/// it. Signed by the work's owner.
pub fn revoke_approval(
    owner: &Pubkey,
    work: &Pubkey,
    terms_number: u32,
    grantee: &Pubkey,
    purpose: Purpose,
    granted_by: &Pubkey,
) -> Instruction {
    let terms = pda::terms(work, terms_number);
    let accounts = vec![
        signer(*owner),
        readonly(*work),
        readonly(terms),
        writable(pda::approval(&terms, grantee, purpose)),
        writable(*granted_by),
    ];
    build("revoke_approval", accounts, &())
}
