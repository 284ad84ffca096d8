use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::{InitializeArgs, PROGRAM_ID, SYSTEM_PROGRAM, UpdateConfigArgs, instruction};
use crate::pda;

const UPGRADEABLE_LOADER: Pubkey =
    Pubkey::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");

/// Creates the deployment's config. Signed by the authority that may upgrade the program, or
/// by anyone where nobody may.
pub fn initialize(authority: &Pubkey, args: InitializeArgs) -> Instruction {
    let program_data = Pubkey::find_program_address(&[PROGRAM_ID.as_ref()], &UPGRADEABLE_LOADER).0;
    let accounts = licensing::accounts::Initialize {
        authority: *authority,
        config: pda::config(),
        program: PROGRAM_ID,
        program_data,
        system_program: SYSTEM_PROGRAM,
    };
    instruction(&accounts, &licensing::instruction::Initialize { args })
}

/// Changes how disputes go. Signed by the config's authority.
pub fn update_config(authority: &Pubkey, args: UpdateConfigArgs) -> Instruction {
    let accounts =
        licensing::accounts::UpdateConfig { authority: *authority, config: pda::config() };
    instruction(&accounts, &licensing::instruction::UpdateConfig { args })
}

/// Offers the config's authority to somebody, or to nobody any more. Signed by the authority.
pub fn offer_authority(authority: &Pubkey, to: Option<Pubkey>) -> Instruction {
    let accounts =
        licensing::accounts::OfferAuthority { authority: *authority, config: pda::config() };
    instruction(&accounts, &licensing::instruction::OfferAuthority { to })
}

/// Takes the authority that was offered. Signed by whom it was offered to.
pub fn accept_authority(accepter: &Pubkey) -> Instruction {
    let accounts =
        licensing::accounts::AcceptAuthority { accepter: *accepter, config: pda::config() };
    instruction(&accounts, &licensing::instruction::AcceptAuthority {})
}
