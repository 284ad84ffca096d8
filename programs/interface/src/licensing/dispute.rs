use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::{OpenDisputeArgs, SYSTEM_PROGRAM, Verdict, instruction};
use crate::pda;

/// Claims a work, with the config's bond. Signed by the claimant.
pub fn open_dispute(claimant: &Pubkey, work: &Pubkey, args: OpenDisputeArgs) -> Instruction {
    let accounts = licensing::accounts::OpenDispute {
        claimant: *claimant,
        config: pda::config(),
        work: *work,
        dispute: pda::dispute(work),
        system_program: SYSTEM_PROGRAM,
    };
    instruction(&accounts, &licensing::instruction::OpenDispute { args })
}

/// Ends a dispute by a verdict, up to and including its deadline. Signed by the arbiter.
pub fn decide_dispute(
    arbiter: &Pubkey,
    work: &Pubkey,
    owner: &Pubkey,
    claimant: &Pubkey,
    verdict: Verdict,
) -> Instruction {
    let accounts = licensing::accounts::DecideDispute {
        arbiter: *arbiter,
        config: pda::config(),
        work: *work,
        dispute: pda::dispute(work),
        owner: *owner,
        claimant: *claimant,
    };
    instruction(&accounts, &licensing::instruction::DecideDispute { verdict })
}

/// Ends a dispute after its deadline, as if it had been rejected. Needs nobody's signature.
pub fn expire_dispute(work: &Pubkey, owner: &Pubkey, claimant: &Pubkey) -> Instruction {
    let accounts = licensing::accounts::ExpireDispute {
        work: *work,
        dispute: pda::dispute(work),
        owner: *owner,
        claimant: *claimant,
    };
    instruction(&accounts, &licensing::instruction::ExpireDispute {})
}
