//! Tokens into and out of a vault: the only two ways money moves.

use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::spl_token_2022::{
        extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions},
        state::Mint as MintState,
    },
    token_interface::{Mint, TokenAccount, TokenInterface, TransferChecked, transfer_checked},
};

use crate::{error::PaymentsError, state::Vault};

/// A vault with what it takes to move its tokens.
pub struct Custody<'a, 'info> {
    pub vault: &'a Account<'info, Vault>,
    pub vault_tokens: &'a InterfaceAccount<'info, TokenAccount>,
    pub mint: &'a InterfaceAccount<'info, Mint>,
    pub token_program: &'a Interface<'info, TokenInterface>,
}

impl<'info> Custody<'_, 'info> {
    /// Takes `amount` base units from an account that `authority` signed for. Vaults exist
    /// for plain mints only, so what leaves the account arrives whole.
    pub fn deposit(
        &self,
        from: &InterfaceAccount<'info, TokenAccount>,
        authority: &Signer<'info>,
        amount: u64,
    ) -> Result<()> {
        let accounts = TransferChecked {
            from: from.to_account_info(),
            mint: self.mint.to_account_info(),
            to: self.vault_tokens.to_account_info(),
            authority: authority.to_account_info(),
        };
        let cpi = CpiContext::new(self.token_program.key(), accounts);
        transfer_checked(cpi, amount, self.mint.decimals)
    }

    /// Pays `amount` base units out of the vault.
    pub fn pay_out(&self, to: &InterfaceAccount<'info, TokenAccount>, amount: u64) -> Result<()> {
        let accounts = TransferChecked {
            from: self.vault_tokens.to_account_info(),
            mint: self.mint.to_account_info(),
            to: to.to_account_info(),
            authority: self.vault.to_account_info(),
        };
        let mint = self.mint.key();
        let seeds: &[&[u8]] = &[Vault::SEED, mint.as_ref(), &[self.vault.bump]];
        let signer = &[seeds];
        let cpi = CpiContext::new_with_signer(self.token_program.key(), accounts, signer);
        transfer_checked(cpi, amount, self.mint.decimals)
    }
}

/// Accepts a mint whose tokens arrive whole and cannot be taken or stopped by an extension.
///
/// An allow-list: an extension this program does not know is refused. A freeze authority is
/// not an extension and stays allowed: regulated dollars have one.
pub fn check_plain(mint: &AccountInfo) -> Result<()> {
    let data = mint.try_borrow_data()?;
    let state = StateWithExtensions::<MintState>::unpack(&data)?;
    for extension in state.get_extension_types()? {
        let harmless = matches!(
            extension,
            ExtensionType::MetadataPointer
                | ExtensionType::TokenMetadata
                | ExtensionType::GroupPointer
                | ExtensionType::TokenGroup
                | ExtensionType::GroupMemberPointer
                | ExtensionType::TokenGroupMember
        );
        require!(harmless, PaymentsError::MintNotPlain);
    }
    Ok(())
}
