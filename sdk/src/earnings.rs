//! Earnings: from licences to the people who are owed.

use anchor_lang::{InstructionData, ToAccountMetas};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

pub use payments::{Earnings, ParentPart, RecipientPart};

use crate::{
    channel::{Currency, instruction},
    pda,
};

const SYSTEM_PROGRAM: Pubkey = Pubkey::from_str_const("11111111111111111111111111111111");

/// Creates the account in which `work` earns in `mint`; the mint must have been admitted.
/// Signed by `funder`, who can be anyone.
pub fn open(funder: &Pubkey, work: &Pubkey, mint: &Pubkey) -> Instruction {
    let accounts = payments::accounts::OpenEarnings {
        funder: *funder,
        work: *work,
        vault: pda::vault(mint),
        earnings: pda::earnings(work, mint),
        system_program: SYSTEM_PROGRAM,
    };
    instruction(accounts.to_account_metas(None), payments::instruction::OpenEarnings {}.data())
}

/// Moves the parent's share of what `child` has earned into the parent's earnings. Anyone may.
pub fn pull(child: &Pubkey, parent: &Pubkey, mint: &Pubkey) -> Instruction {
    let accounts = payments::accounts::Pull {
        child: pda::earnings(child, mint),
        parent: pda::earnings(parent, mint),
    };
    instruction(accounts.to_account_metas(None), payments::instruction::Pull {}.data())
}

/// Pays `recipient` all it is owed, to its associated token account, which must exist. Anyone
/// may.
pub fn claim(work: &Pubkey, recipient: &Pubkey, currency: &Currency) -> Instruction {
    claim_accounts(work, recipient, currency, currency.tokens(recipient), false)
}

/// Pays `recipient` all it is owed, to any token account it names. Signed by `recipient`.
pub fn claim_to(
    work: &Pubkey,
    recipient: &Pubkey,
    currency: &Currency,
    destination: Pubkey,
) -> Instruction {
    claim_accounts(work, recipient, currency, destination, true)
}

fn claim_accounts(
    work: &Pubkey,
    recipient: &Pubkey,
    currency: &Currency,
    destination: Pubkey,
    recipient_signs: bool,
) -> Instruction {
    let accounts = payments::accounts::Claim {
        recipient: *recipient,
        earnings: pda::earnings(work, &currency.mint),
        destination,
        mint: currency.mint,
        vault: pda::vault(&currency.mint),
        vault_tokens: pda::vault_tokens(&currency.mint, &currency.token_program),
        token_program: currency.token_program,
    };
    let mut metas = accounts.to_account_metas(None);
    metas[0].is_signer = recipient_signs;
    instruction(metas, payments::instruction::Claim {}.data())
}
