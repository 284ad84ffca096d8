use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sdk_ids::system_program;

use super::build;
use crate::{
    codec::*,
    instruction::{readonly, signer, writable, writable_signer},
    licensing::{Share, split_digest},
    pda,
};

/// Arguments of `propose_split`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct ProposeSplitArgs {
    /// Number of recipients of the complete split.
    pub recipients: u8,
    /// Last unix second in which the proposal is approved or applied; `None` for no expiry.
    pub expires_at: Option<i64>,
    /// First shares; `extend_split_change` adds those that exceed a packet.
    pub shares: Vec<Share>,
}

/// Maximum shares in one part of a proposed split: a packet then has room for a compute budget.
pub const SHARES_PER_PART: usize = 24;

/// Creates the instructions that propose a split of a work, in order. If there are several, each
/// needs a transaction of its own. `expires_at` is the last unix second of the proposal. Signed by
/// the work's owner.
pub fn propose_split_in_parts(
    owner: &Pubkey,
    work: &Pubkey,
    split: &[Share],
    expires_at: Option<i64>,
) -> Vec<Instruction> {
    let recipients = u8::try_from(split.len()).unwrap_or(u8::MAX); // the program rejects 33
    let mut parts = split.chunks(SHARES_PER_PART);
    let first = parts.next().unwrap_or_default().to_vec();
    let args = ProposeSplitArgs { recipients, expires_at, shares: first };
    let rest = parts.map(|part| extend_split_change(owner, work, part));
    std::iter::once(propose_split(owner, work, args)).chain(rest).collect()
}

/// Creates `propose_split`: proposes a split or its first part. Signed by the work's owner.
pub fn propose_split(owner: &Pubkey, work: &Pubkey, args: ProposeSplitArgs) -> Instruction {
    let accounts = vec![
        writable_signer(*owner),
        readonly(*work),
        writable(pda::split_change(work)),
        readonly(system_program::ID),
    ];
    build("propose_split", accounts, &args)
}

/// Creates `extend_split_change`: adds the next part of a proposed split. Signed by the work's
/// owner.
pub fn extend_split_change(owner: &Pubkey, work: &Pubkey, shares: &[Share]) -> Instruction {
    let accounts = vec![signer(*owner), readonly(*work), writable(pda::split_change(work))];
    build("extend_split_change", accounts, &shares)
}

/// Creates `approve_split_change`: approves exactly this proposed split. Signed by the recipient.
pub fn approve_split_change(recipient: &Pubkey, work: &Pubkey, split: &[Share]) -> Instruction {
    let accounts = vec![signer(*recipient), readonly(*work), writable(pda::split_change(work))];
    build("approve_split_change", accounts, &split_digest(split))
}

/// Creates `revoke_split_approval`: removes the recipient's approval of the proposed split. Signed
/// by the recipient.
pub fn revoke_split_approval(recipient: &Pubkey, work: &Pubkey) -> Instruction {
    let accounts = vec![signer(*recipient), readonly(*work), writable(pda::split_change(work))];
    build("revoke_split_approval", accounts, &())
}

/// Creates `apply_split_change`: replaces the work's split by the proposed one. Signed by `payer`,
/// which pays for the account's growth and can be any key.
pub fn apply_split_change(payer: &Pubkey, work: &Pubkey, proposer: &Pubkey) -> Instruction {
    let accounts = vec![
        writable_signer(*payer),
        writable(*work),
        writable(pda::split_change(work)),
        writable(*proposer),
        readonly(system_program::ID),
    ];
    build("apply_split_change", accounts, &())
}

/// Creates `cancel_split_change`: closes a proposed split; its rent returns to `proposer`. Signed
/// by the work's owner.
pub fn cancel_split_change(owner: &Pubkey, work: &Pubkey, proposer: &Pubkey) -> Instruction {
    let accounts = vec![
        signer(*owner),
        readonly(*work),
        writable(pda::split_change(work)),
        writable(*proposer),
    ];
    build("cancel_split_change", accounts, &())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::MAX_RECIPIENTS;

    const PACKET_BYTES: usize = 1_232;

    #[test]
    fn widest_split_fits_in_two_packets() {
        let (owner, work) = (Pubkey::new_unique(), Pubkey::new_unique());
        let share = |_| Share { recipient: Pubkey::new_unique(), share_bps: 312 };
        let split: Vec<_> = (0..MAX_RECIPIENTS).map(share).collect();
        let parts = propose_split_in_parts(&owner, &work, &split, Some(1));
        assert_eq!(parts.len(), 2);
        for part in parts {
            // A part, its accounts and signature, and a compute budget of 40 bytes and a key.
            let bytes = 65 + 3 + 32 * 5 + 33 + 4 + 8 + part.data.len() + 80;
            assert!(bytes <= PACKET_BYTES, "{bytes} bytes");
        }
    }
}
