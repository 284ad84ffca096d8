//! Earnings: from licenses to the people who are owed.

use anchor_lang::{Discriminator, InstructionData, ToAccountMetas};
use licensing::WorkHead;
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

pub use payments::{Earnings, Part, Till, instructions::Payee};

use crate::{
    channel::{ASSOCIATED_TOKEN_PROGRAM, Currency, SYSTEM_PROGRAM, instruction},
    pda,
};

/// `TransferChecked` of both token programs.
const TRANSFER_CHECKED: u8 = 12;

/// What a work has earned in one currency, as it stands on chain.
#[derive(Clone, Debug)]
pub struct EarningsAccount {
    /// Whose earnings, in what, how much.
    pub earnings: Earnings,
    /// The parents' parts, of everything earned.
    pub parents: Vec<Part>,
    /// The recipients' parts of what the parents leave: first those of the present split, then
    /// former ones who are still owed.
    pub recipients: Vec<Part>,
}

impl EarningsAccount {
    /// Reads an account's data; `None` when it is not earnings. The caller checks that the
    /// account belongs to the payments program.
    pub fn from_bytes(data: &[u8]) -> Option<Self> {
        let body = data.strip_prefix(Earnings::DISCRIMINATOR)?;
        let (header, parts) = body.split_at_checked(size_of::<Earnings>())?;
        let (parts, rest) = parts.as_chunks::<{ Part::SIZE }>();
        let earnings: Earnings = bytemuck::pod_read_unaligned(header);
        let mut parents: Vec<Part> =
            parts.iter().map(|bytes| bytemuck::pod_read_unaligned(bytes)).collect();
        if !rest.is_empty() || parents.len() < usize::from(earnings.parents) {
            return None;
        }
        let mut recipients = parents.split_off(usize::from(earnings.parents));
        // Behind the parts there may be room for those of later splits.
        while recipients.last().is_some_and(|part| *part == Part::default()) {
            recipients.pop();
        }
        Some(Self { earnings, parents, recipients })
    }

    /// Base units the parent at `position` is entitled to, ever.
    pub fn parent_entitled(&self, position: usize) -> u64 {
        self.parents.get(position).map_or(0, |part| self.earnings.entitled(position, part))
    }

    /// Base units the recipient at `position` is entitled to, ever.
    pub fn entitled(&self, position: usize) -> u64 {
        let at = self.parents.len() + position;
        self.recipients.get(position).map_or(0, |part| self.earnings.entitled(at, part))
    }

    /// Base units the recipient at `position` can claim now, its work being as `work` says. What
    /// a running dispute contests waits for the verdict; a dispute these earnings have not been
    /// told of contests nothing yet.
    pub fn claimable(&self, position: usize, work: &WorkHead) -> u64 {
        let Some(part) = self.recipients.get(position) else { return 0 };
        let own = self.earnings.claimable(work).unwrap_or_else(|_| self.earnings.own());
        self.earnings.entitled_of(own, part).saturating_sub(part.taken)
    }

    /// Where a recipient stands, if it does.
    pub fn position(&self, recipient: &Pubkey) -> Option<usize> {
        self.recipients.iter().position(|part| part.key == *recipient)
    }
}

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

/// Brings earnings to their work's present split. Signed by `funder`, who can be anyone and
/// pays for the room of new recipients.
pub fn apply_split(funder: &Pubkey, work: &Pubkey, mint: &Pubkey) -> Instruction {
    let accounts = payments::accounts::ApplySplit {
        funder: *funder,
        work: *work,
        earnings: pda::earnings(work, mint),
        system_program: SYSTEM_PROGRAM,
    };
    instruction(accounts.to_account_metas(None), payments::instruction::ApplySplit {}.data())
}

/// Tells earnings that their work is disputed: what was earned before stays claimable, what
/// comes later waits for the verdict. Anyone may, in each currency, once for each dispute.
pub fn apply_dispute(work: &Pubkey, mint: &Pubkey) -> Instruction {
    let accounts =
        payments::accounts::ApplyDispute { work: *work, earnings: pda::earnings(work, mint) };
    instruction(accounts.to_account_metas(None), payments::instruction::ApplyDispute {}.data())
}

/// Pays `recipient` all it is owed, to its associated token account, which must exist. Anyone
/// may.
pub fn claim(work: &Pubkey, recipient: &Pubkey, currency: &Currency) -> Instruction {
    claim_batch(work, &[(0, *recipient)], currency)
}

/// The most recipients that one [`claim_batch`] pays within a classic packet.
pub const CLAIM_BATCH: usize = 22;

/// Pays recipients all they are owed, to their associated token accounts, which must exist.
/// Anyone may. One that cannot be paid stops the others of its batch; one that is owed nothing
/// does not.
///
/// Each comes with the position its part has behind the header, parents' parts counted: right,
/// it saves a search; wrong, nothing else.
pub fn claim_batch(work: &Pubkey, recipients: &[(u8, Pubkey)], currency: &Currency) -> Instruction {
    let destinations = recipients.iter().map(|&(position, recipient)| {
        let (destination, bump) = tokens_with_bump(&recipient, currency);
        (Payee { position, bump }, destination)
    });
    claim_accounts(work, None, currency, destinations.unzip())
}

/// Pays `recipient` all it is owed, to any token account it names. Signed by `recipient`.
pub fn claim_to(
    work: &Pubkey,
    recipient: &Pubkey,
    currency: &Currency,
    destination: Pubkey,
) -> Instruction {
    let payee = Payee { position: 0, bump: 0 };
    claim_accounts(work, Some(*recipient), currency, (vec![payee], vec![destination]))
}

fn claim_accounts(
    work: &Pubkey,
    recipient: Option<Pubkey>,
    currency: &Currency,
    (payees, destinations): (Vec<Payee>, Vec<Pubkey>),
) -> Instruction {
    let accounts = payments::accounts::Claim {
        earnings: pda::earnings(work, &currency.mint),
        work: *work,
        vault: pda::vault(&currency.mint),
        vault_tokens: pda::vault_tokens(&currency.mint, &currency.token_program),
        mint: currency.mint,
        token_program: currency.token_program,
        recipient,
    };
    let mut metas = accounts.to_account_metas(None);
    metas.extend(destinations.into_iter().map(|address| AccountMeta::new(address, false)));
    instruction(metas, payments::instruction::Claim { payees }.data())
}

fn tokens_with_bump(owner: &Pubkey, currency: &Currency) -> (Pubkey, u8) {
    let seeds = [owner.as_ref(), currency.token_program.as_ref(), currency.mint.as_ref()];
    Pubkey::find_program_address(&seeds, &ASSOCIATED_TOKEN_PROGRAM)
}

/// Creates the account that takes plain transfers for `work`: send tokens to [`till_tokens`].
/// Signed by `funder`, who can be anyone.
pub fn open_till(funder: &Pubkey, work: &Pubkey, currency: &Currency) -> Instruction {
    let accounts = payments::accounts::OpenTill {
        funder: *funder,
        work: *work,
        mint: currency.mint,
        vault: pda::vault(&currency.mint),
        till: pda::till(work, &currency.mint),
        till_tokens: till_tokens(work, currency),
        token_program: currency.token_program,
        associated_token_program: ASSOCIATED_TOKEN_PROGRAM,
        system_program: SYSTEM_PROGRAM,
    };
    instruction(accounts.to_account_metas(None), payments::instruction::OpenTill {}.data())
}

/// Pays base units into the till of `work` from the payer's associated token account, as any
/// wallet can. Signed by `payer`.
pub fn pay_till(
    payer: &Pubkey,
    work: &Pubkey,
    currency: &Currency,
    decimals: u8,
    amount: u64,
) -> Instruction {
    let mut data = vec![TRANSFER_CHECKED];
    data.extend_from_slice(&amount.to_le_bytes());
    data.push(decimals);
    let accounts = vec![
        AccountMeta::new(currency.tokens(payer), false),
        AccountMeta::new_readonly(currency.mint, false),
        AccountMeta::new(till_tokens(work, currency), false),
        AccountMeta::new_readonly(*payer, true),
    ];
    Instruction { program_id: currency.token_program, accounts, data }
}

/// Moves what the till holds into the work's earnings, which must have been opened. Anyone may.
pub fn sweep_till(work: &Pubkey, currency: &Currency) -> Instruction {
    let accounts = payments::accounts::SweepTill {
        till: pda::till(work, &currency.mint),
        till_tokens: till_tokens(work, currency),
        earnings: pda::earnings(work, &currency.mint),
        mint: currency.mint,
        vault: pda::vault(&currency.mint),
        vault_tokens: pda::vault_tokens(&currency.mint, &currency.token_program),
        token_program: currency.token_program,
    };
    instruction(accounts.to_account_metas(None), payments::instruction::SweepTill {}.data())
}

/// Where plain transfers for a work go.
pub fn till_tokens(work: &Pubkey, currency: &Currency) -> Pubkey {
    currency.tokens(&pda::till(work, &currency.mint))
}
