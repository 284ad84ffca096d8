//! Instructions of the payments program on tills, and plain payments into them.
//!
//! ```
//! use motif_interface::{Currency, Pubkey, till::{self, TillShares}};
//!
//! let [payer, work, mint] = [[1; 32], [2; 32], [3; 32]].map(Pubkey::new_from_array);
//! let (shares, currency) = (TillShares::sole(work), Currency::spl(mint));
//! let pay = till::pay(&payer, &shares, &currency, 6, 1_000);
//! assert_eq!(pay.accounts[2].pubkey, till::tokens(&shares, &currency));
//! ```

use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;
use solana_sdk_ids::system_program;

use crate::{
    instruction::{self, optional, readonly, signer, writable, writable_signer},
    payments, pda,
    token::{ASSOCIATED_TOKEN_PROGRAM, Currency},
};

pub use crate::payments::{Sweep, Till, TillShare, TillShares};

/// `TransferChecked` of both token programs.
const TRANSFER_CHECKED: u8 = 12;

/// Creates `open_till`: creates the till of these shares, at [`pda::till`], and its token account,
/// [`tokens`]. The works and the operator must be registered. Signed by `funder`, which can be any
/// key.
pub fn open(funder: &Pubkey, shares: &TillShares, currency: &Currency) -> Instruction {
    let operator = operator_account(shares);
    let mut accounts = vec![
        writable_signer(*funder),
        readonly(currency.mint),
        readonly(pda::vault(&currency.mint)),
        optional(payments::ID, operator, readonly),
        writable(pda::till(shares, &currency.mint)),
        writable(tokens(shares, currency)),
        readonly(currency.token_program),
        readonly(ASSOCIATED_TOKEN_PROGRAM),
        readonly(system_program::ID),
    ];
    accounts.extend(shares.works.iter().map(|share| readonly(share.work)));
    instruction::build(payments::ID, "open_till", accounts, shares)
}

/// Creates the token program's transfer of base units from the payer's associated token account to
/// a till. Signed by `payer`.
pub fn pay(
    payer: &Pubkey,
    shares: &TillShares,
    currency: &Currency,
    decimals: u8,
    amount: u64,
) -> Instruction {
    let mut data = vec![TRANSFER_CHECKED];
    data.extend_from_slice(&amount.to_le_bytes());
    data.push(decimals);
    let accounts: Vec<AccountMeta> = vec![
        writable(currency.tokens(payer)),
        readonly(currency.mint),
        writable(tokens(shares, currency)),
        signer(*payer),
    ];
    Instruction { program_id: currency.token_program, accounts, data }
}

/// Creates `sweep_till`: moves a till's tokens to the earnings of its works, which must be open, and
/// to its operator's `fee_owner`, whose associated token account must exist. Without `fee_owner` the
/// operator's part stays in the till. Needs no signature.
pub fn sweep(shares: &TillShares, currency: &Currency, fee_owner: Option<Pubkey>) -> Instruction {
    let operator = operator_account(shares).filter(|_| fee_owner.is_some());
    let fee_tokens = fee_owner.map(|owner| currency.tokens(&owner));
    let mut accounts = vec![
        writable(pda::till(shares, &currency.mint)),
        writable(tokens(shares, currency)),
        readonly(currency.mint),
        readonly(pda::vault(&currency.mint)),
        writable(currency.vault_tokens()),
        optional(payments::ID, operator, readonly),
        optional(payments::ID, fee_owner, readonly),
        optional(payments::ID, fee_tokens, writable),
        readonly(currency.token_program),
    ];
    let earnings = |share: &TillShare| writable(pda::earnings(&share.work, &currency.mint));
    accounts.extend(shares.works.iter().map(earnings));
    instruction::build(payments::ID, "sweep_till", accounts, &())
}

/// Returns the token account of a till.
pub fn tokens(shares: &TillShares, currency: &Currency) -> Pubkey {
    currency.tokens(&pda::till(shares, &currency.mint))
}

fn operator_account(shares: &TillShares) -> Option<Pubkey> {
    (shares.operator_parts > 0).then(|| pda::operator(&shares.operator))
}
