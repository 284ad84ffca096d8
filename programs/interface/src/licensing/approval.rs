use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::{GrantApprovalArgs, Purpose, SYSTEM_PROGRAM, instruction};
use crate::pda;

/// Lets `grantee` do one thing under one version of a work's terms until it is revoked. Signed
/// by the work's owner.
pub fn approve(
    owner: &Pubkey,
    work: &Pubkey,
    terms_number: u32,
    grantee: &Pubkey,
    purpose: Purpose,
) -> Instruction {
    let terms = pda::terms(work, terms_number);
    let accounts = licensing::accounts::GrantApproval {
        owner: *owner,
        work: *work,
        terms,
        approval: pda::approval(&terms, grantee, purpose),
        system_program: SYSTEM_PROGRAM,
    };
    let args = GrantApprovalArgs { purpose, grantee: *grantee };
    instruction(&accounts, &licensing::instruction::GrantApproval { args })
}

/// Takes an approval back; its rent returns to `granted_by`, who granted it. Signed by the
/// work's owner.
pub fn revoke_approval(
    owner: &Pubkey,
    work: &Pubkey,
    terms_number: u32,
    grantee: &Pubkey,
    purpose: Purpose,
    granted_by: &Pubkey,
) -> Instruction {
    let terms = pda::terms(work, terms_number);
    let accounts = licensing::accounts::RevokeApproval {
        owner: *owner,
        work: *work,
        terms,
        approval: pda::approval(&terms, grantee, purpose),
        granted_by: *granted_by,
    };
    instruction(&accounts, &licensing::instruction::RevokeApproval {})
}
