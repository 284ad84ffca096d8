//! Token transfers: the only module that moves tokens.

use std::ops::Range;

use anchor_lang::{
    prelude::*,
    solana_program::{
        instruction::{AccountMeta, Instruction},
        program::invoke_signed_unchecked,
    },
};
use anchor_spl::{
    token_2022::spl_token_2022::{
        extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions},
        state::Mint as MintState,
    },
    token_interface::{TransferChecked, transfer_checked},
};
use motif_interface::payments::{PaymentsError, Till, Vault};

/// A vault and the accounts of its transfers. The caller has checked all of them.
pub struct VaultAccounts<'a, 'info> {
    /// Vault.
    pub vault: &'a Account<'info, Vault>,
    /// Token account of the vault.
    pub tokens: AccountInfo<'info>,
    /// Mint of the vault.
    pub mint: AccountInfo<'info>,
}

impl<'info> VaultAccounts<'_, 'info> {
    /// Moves `amount` base units from an account of the signer `authority` into the vault. Vaults
    /// exist only for mints whose transfers arrive in full.
    pub fn transfer_in(
        &self,
        from: AccountInfo<'info>,
        authority: AccountInfo<'info>,
        amount: u64,
    ) -> Result<()> {
        let accounts =
            TransferChecked { from, mint: self.mint.clone(), to: self.tokens.clone(), authority };
        let cpi = CpiContext::new(self.vault.token_program, accounts);
        transfer_checked(cpi, amount, self.vault.decimals)
    }

    /// Moves `amount` base units from a till to `to`.
    pub fn transfer_from_till(
        &self,
        till: &Account<'info, Till>,
        till_tokens: AccountInfo<'info>,
        to: AccountInfo<'info>,
        amount: u64,
    ) -> Result<()> {
        let accounts = TransferChecked {
            from: till_tokens,
            mint: self.mint.clone(),
            to,
            authority: till.to_account_info(),
        };
        let (shares, digest) = (&till.shares, till.shares.digest());
        let (operator, mint) = (shares.operator.as_ref(), till.mint.as_ref());
        let seeds: &[&[u8]] = &[Till::SEED, operator, mint, &digest, &[till.bump]];
        let signer = &[seeds];
        let cpi = CpiContext::new_with_signer(self.vault.token_program, accounts, signer);
        transfer_checked(cpi, amount, self.vault.decimals)
    }

    /// Moves `amount` base units out of the vault.
    pub fn transfer_out(&self, to: AccountInfo<'info>, amount: u64) -> Result<()> {
        let accounts = TransferChecked {
            from: self.tokens.clone(),
            mint: self.mint.clone(),
            to,
            authority: self.vault.to_account_info(),
        };
        let seeds: &[&[u8]] = &[Vault::SEED, self.vault.mint.as_ref(), &[self.vault.bump]];
        let signer = &[seeds];
        let cpi = CpiContext::new_with_signer(self.vault.token_program, accounts, signer);
        transfer_checked(cpi, amount, self.vault.decimals)
    }

    /// Prepares transfers out of the vault.
    pub fn payout(&self) -> Payout<'_, 'info> {
        let vault = self.vault;
        let tokens = vault.tokens;
        // `TransferChecked` of both token programs: 12, amount, decimals.
        let mut data = vec![0; Payout::DATA_SIZE];
        data[0] = 12;
        data[Payout::AMOUNT.end] = vault.decimals;
        let instruction = Instruction {
            program_id: vault.token_program,
            accounts: vec![
                AccountMeta::new(tokens, false),
                AccountMeta::new_readonly(vault.mint, false),
                AccountMeta::new(tokens, false),
                AccountMeta::new_readonly(vault.key(), true),
            ],
            data,
        };
        let infos = [
            self.tokens.clone(),
            self.mint.clone(),
            self.tokens.clone(),
            self.vault.to_account_info(),
        ];
        Payout { vault, instruction, infos }
    }
}

/// Transfers out of a vault like [`VaultAccounts::transfer_out`], at the lowest cost: `claim` pays
/// many recipients in one instruction, of which only amount and destination differ.
pub struct Payout<'a, 'info> {
    vault: &'a Vault,
    instruction: Instruction,
    infos: [AccountInfo<'info>; 4],
}

impl<'info> Payout<'_, 'info> {
    const DATA_SIZE: usize = 10;
    /// The amount in the instruction's data.
    const AMOUNT: Range<usize> = 1..9;
    /// The destination among the instruction's accounts.
    const TO: usize = 2;

    /// Moves `amount` base units out of the vault.
    pub fn pay(&mut self, to: &AccountInfo<'info>, amount: u64) -> Result<()> {
        self.instruction.data[Self::AMOUNT].copy_from_slice(&amount.to_le_bytes());
        self.instruction.accounts[Self::TO].pubkey = *to.key;
        self.infos[Self::TO] = to.clone();
        let seeds: &[&[u8]] = &[Vault::SEED, self.vault.mint.as_ref(), &[self.vault.bump]];
        // Unchecked: the program holds no borrow of these accounts.
        Ok(invoke_signed_unchecked(&self.instruction, &self.infos, &[seeds])?)
    }
}

/// Checks that a mint has no extension that could take, block or shrink transfers.
///
/// The list allows known extensions and rejects every other one. A freeze authority is not an
/// extension and is allowed: regulated stablecoins have one.
pub fn check_mint(mint: &AccountInfo) -> Result<()> {
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
        require!(harmless, PaymentsError::UnsupportedMintExtension);
    }
    Ok(())
}
