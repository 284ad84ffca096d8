use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::{ProposeSplitArgs, SYSTEM_PROGRAM, Share, instruction, split_digest};
use crate::pda;

/// Recipients that one part of a proposed split carries: the instruction, alone in a classic
/// packet, leaves room for a compute budget.
pub const SHARES_PER_PART: usize = 24;

/// Proposes another split of a work; the instructions, in order, each for a transaction of its
/// own where there are several. Signed by the work's owner.
pub fn stage_split(owner: &Pubkey, work: &Pubkey, split: &[Share]) -> Vec<Instruction> {
    let recipients = u8::try_from(split.len()).unwrap_or(u8::MAX); // the program refuses 33
    let mut parts = split.chunks(SHARES_PER_PART);
    let first = parts.next().unwrap_or_default().to_vec();
    let args = ProposeSplitArgs { recipients, shares: first };
    let rest = parts.map(|part| extend_split_change(owner, work, part));
    std::iter::once(propose_split(owner, work, args)).chain(rest).collect()
}

/// Proposes another split, or its first part. Signed by the work's owner.
pub fn propose_split(owner: &Pubkey, work: &Pubkey, args: ProposeSplitArgs) -> Instruction {
    let accounts = licensing::accounts::ProposeSplit {
        owner: *owner,
        work: *work,
        split_change: pda::split_change(work),
        system_program: SYSTEM_PROGRAM,
    };
    instruction(&accounts, &licensing::instruction::ProposeSplit { args })
}

/// Adds the next part of a proposed split. Signed by the work's owner.
pub fn extend_split_change(owner: &Pubkey, work: &Pubkey, shares: &[Share]) -> Instruction {
    let accounts = licensing::accounts::ExtendSplitChange {
        owner: *owner,
        work: *work,
        split_change: pda::split_change(work),
    };
    let shares = shares.to_vec();
    instruction(&accounts, &licensing::instruction::ExtendSplitChange { shares })
}

/// Agrees to a proposed split, which must still be this one. Signed by the recipient.
pub fn approve_split_change(recipient: &Pubkey, work: &Pubkey, split: &[Share]) -> Instruction {
    let accounts = licensing::accounts::ApproveSplitChange {
        recipient: *recipient,
        work: *work,
        split_change: pda::split_change(work),
    };
    let split_digest = split_digest(split);
    instruction(&accounts, &licensing::instruction::ApproveSplitChange { split_digest })
}

/// Makes a proposed split the work's. Signed by whoever pays for the account's growth.
pub fn apply_split_change(payer: &Pubkey, work: &Pubkey, proposer: &Pubkey) -> Instruction {
    let accounts = licensing::accounts::ApplySplitChange {
        payer: *payer,
        work: *work,
        split_change: pda::split_change(work),
        proposer: *proposer,
        system_program: SYSTEM_PROGRAM,
    };
    instruction(&accounts, &licensing::instruction::ApplySplitChange {})
}

/// Takes a proposed split back; its rent returns to `proposer`. Signed by the work's owner.
pub fn cancel_split_change(owner: &Pubkey, work: &Pubkey, proposer: &Pubkey) -> Instruction {
    let accounts = licensing::accounts::CancelSplitChange {
        owner: *owner,
        work: *work,
        split_change: pda::split_change(work),
        proposer: *proposer,
    };
    instruction(&accounts, &licensing::instruction::CancelSplitChange {})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::MAX_RECIPIENTS;

    const PACKET_BYTES: usize = 1_232;

    #[test]
    fn the_widest_split_is_staged_in_two_packets() {
        let (owner, work) = (Pubkey::new_unique(), Pubkey::new_unique());
        let share = |_| Share { recipient: Pubkey::new_unique(), share_bps: 312 };
        let split: Vec<_> = (0..MAX_RECIPIENTS).map(share).collect();
        let parts = stage_split(&owner, &work, &split);
        assert_eq!(parts.len(), 2);
        for part in parts {
            // A part, its accounts and signature, and a compute budget of 40 bytes and a key.
            let bytes = 65 + 3 + 32 * 5 + 33 + 4 + 8 + part.data.len() + 80;
            assert!(bytes <= PACKET_BYTES, "{bytes} bytes");
        }
    }
}
