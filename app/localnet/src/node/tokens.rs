//! SPL Token and Token-2022 accounts as JSON-RPC shows them.

use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::{
    parse_account_data::{AccountAdditionalDataV3, SplTokenAdditionalDataV2},
    parse_token::{
        TokenAccountType, UiTokenAccount, UiTokenAmount, get_token_account_mint,
        is_known_spl_token_id, parse_token_v3, token_amount_to_ui_amount_v3,
    },
};
use solana_pubkey::Pubkey;
use solana_transaction_status::TransactionTokenBalance;

/// Accounts by address.
pub(crate) trait Accounts {
    /// Returns the account at `address`, or `None` if it does not exist.
    fn account(&self, address: &Pubkey) -> Option<&AccountSharedData>;
}

/// Returns the mint's decimals, which the display of a token account requires.
pub(crate) fn additional_data(
    chain: &impl Accounts,
    account: &AccountSharedData,
) -> Option<AccountAdditionalDataV3> {
    let decimals = decimals(chain, account)?;
    let token = SplTokenAdditionalDataV2::with_decimals(decimals);
    Some(AccountAdditionalDataV3 { spl_token_additional_data: Some(token) })
}

/// Returns a token account, or `None` if `account` is not one.
pub(crate) fn token_account(
    chain: &impl Accounts,
    account: &AccountSharedData,
) -> Option<UiTokenAccount> {
    let data = additional_data(chain, account)?.spl_token_additional_data;
    match parse_token_v3(account.data(), data.as_ref()) {
        Ok(TokenAccountType::Account(token)) => Some(token),
        _ => None,
    }
}

/// Returns the supply of a mint, or `None` if `account` is not one.
pub(crate) fn supply(account: &AccountSharedData) -> Option<UiTokenAmount> {
    if !is_known_spl_token_id(account.owner()) {
        return None;
    }
    match parse_token_v3(account.data(), None) {
        Ok(TokenAccountType::Mint(mint)) => {
            let decimals = SplTokenAdditionalDataV2::with_decimals(mint.decimals);
            Some(token_amount_to_ui_amount_v3(mint.supply.parse().ok()?, &decimals))
        }
        _ => None,
    }
}

/// Returns the token balance of a transaction's account, or `None` if it holds no tokens.
pub(crate) fn balance(
    chain: &impl Accounts,
    account_index: u8,
    account: &AccountSharedData,
) -> Option<TransactionTokenBalance> {
    let token = token_account(chain, account)?;
    Some(TransactionTokenBalance {
        account_index,
        mint: token.mint,
        ui_token_amount: token.token_amount,
        owner: token.owner,
        program_id: account.owner().to_string(),
    })
}

fn decimals(chain: &impl Accounts, account: &AccountSharedData) -> Option<u8> {
    if !is_known_spl_token_id(account.owner()) {
        return None;
    }
    let mint = chain.account(&get_token_account_mint(account.data())?)?;
    match parse_token_v3(mint.data(), None) {
        Ok(TokenAccountType::Mint(mint)) => Some(mint.decimals),
        _ => None,
    }
}
