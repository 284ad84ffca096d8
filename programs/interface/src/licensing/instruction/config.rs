use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sdk_ids::{bpf_loader_upgradeable, system_program};

use super::build;
use crate::{
    codec::*,
    instruction::{readonly, signer, writable, writable_signer},
    licensing::ID,
    pda,
};

/// Arguments of `initialize`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct InitializeArgs {
    /// Cluster tag in every voucher: the cluster's genesis hash.
    pub cluster: [u8; 32],
    /// Key that decides disputes.
    pub arbiter: Pubkey,
    /// Bond of a dispute, at least the rent-exempt minimum of an empty account.
    pub dispute_bond_lamports: u64,
    /// Time from the opening of a dispute to the last second of its verdict: 1 to 60 days.
    pub dispute_seconds: u32,
}

/// Arguments of `update_config`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct UpdateConfigArgs {
    /// Key that decides disputes.
    pub arbiter: Pubkey,
    /// Bond of a dispute, at least the rent-exempt minimum of an empty account.
    pub dispute_bond_lamports: u64,
    /// Time from the opening of a dispute to the last second of its verdict: 1 to 60 days.
    pub dispute_seconds: u32,
}

/// Creates `initialize`: creates the deployment's config. Signed by the program's upgrade
/// authority, or by anyone if the program has none.
pub fn initialize(authority: &Pubkey, args: InitializeArgs) -> Instruction {
    let loader = bpf_loader_upgradeable::ID;
    let program_data = Pubkey::find_program_address(&[ID.as_ref()], &loader).0;
    let accounts = vec![
        writable_signer(*authority),
        writable(pda::config()),
        readonly(ID),
        readonly(program_data),
        readonly(system_program::ID),
    ];
    build("initialize", accounts, &args)
}

/// Creates `update_config`: changes the settings of disputes. Signed by the config's authority.
pub fn update_config(authority: &Pubkey, args: UpdateConfigArgs) -> Instruction {
    build("update_config", vec![signer(*authority), writable(pda::config())], &args)
}

/// Creates `offer_authority`: offers the config's authority to a key; `None` revokes an offer.
/// Signed by the authority.
pub fn offer_authority(authority: &Pubkey, to: Option<Pubkey>) -> Instruction {
    build("offer_authority", vec![signer(*authority), writable(pda::config())], &to)
}

/// Creates `accept_authority`: accepts an offered authority. Signed by the key it was offered to.
pub fn accept_authority(accepter: &Pubkey) -> Instruction {
    build("accept_authority", vec![signer(*accepter), writable(pda::config())], &())
}
