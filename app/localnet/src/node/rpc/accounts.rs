//! Methods that read accounts and balances.

use jsonrpc_core::Error;
use serde_json::Value;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::{
    UiAccount,
    parse_token::{get_token_account_mint, is_known_spl_token_id},
};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::{
    config::{
        RpcAccountInfoConfig, RpcContextConfig, RpcProgramAccountsConfig, RpcTokenAccountsFilter,
    },
    response::RpcKeyedAccount,
};

use super::{
    Arguments, Method, answer, answer_at,
    arguments::{invalid, parse},
    check_slot,
    encoding::{AccountEncoding, check_filters, passes},
};
use crate::node::{chain::Chain, tokens};

pub(super) const METHODS: &[Method] = &[
    ("getAccountInfo", account_info),
    ("getBalance", balance),
    ("getMinimumBalanceForRentExemption", minimum_balance),
    ("getMultipleAccounts", multiple_accounts),
    ("getProgramAccounts", program_accounts),
    ("getTokenAccountBalance", token_account_balance),
    ("getTokenAccountsByOwner", token_accounts_by_owner),
    ("getTokenSupply", token_supply),
];

/// Maximum number of addresses of `getMultipleAccounts`.
const MAX_MULTIPLE_ACCOUNTS: usize = 100;

fn account_info(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let address = arguments.address()?;
    let config: RpcAccountInfoConfig = arguments.optional()?;
    check_slot(chain, config.min_context_slot)?;
    let encoding = AccountEncoding::new(config.encoding, config.data_slice);
    let account = chain.account(&address);
    let account = account.map(|account| encoding.encode(chain, &address, account)).transpose()?;
    answer_at(chain.slot(), account)
}

fn balance(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let address = arguments.address()?;
    let config: RpcContextConfig = arguments.optional()?;
    check_slot(chain, config.min_context_slot)?;
    answer_at(chain.slot(), chain.account(&address).map_or(0, ReadableAccount::lamports))
}

fn minimum_balance(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    answer(chain.minimum_balance(arguments.next()?))
}

fn multiple_accounts(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let addresses: Vec<String> = arguments.next()?;
    let config: RpcAccountInfoConfig = arguments.optional()?;
    if addresses.len() > MAX_MULTIPLE_ACCOUNTS {
        return Err(Error::invalid_params(format!(
            "Too many inputs provided; max {MAX_MULTIPLE_ACCOUNTS}"
        )));
    }
    check_slot(chain, config.min_context_slot)?;
    let encoding = AccountEncoding::new(config.encoding, config.data_slice);
    let read = |text: &String| {
        let address = parse(text)?;
        let account = chain.account(&address);
        account.map(|account| encoding.encode(chain, &address, account)).transpose()
    };
    let accounts = addresses.iter().map(read).collect::<Result<Vec<Option<UiAccount>>, _>>()?;
    answer_at(chain.slot(), accounts)
}

fn program_accounts(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let program = arguments.address()?;
    let config: RpcProgramAccountsConfig = arguments.optional()?;
    let mut filters = config.filters.unwrap_or_default();
    check_filters(&mut filters)?;
    check_slot(chain, config.account_config.min_context_slot)?;
    let encoding =
        AccountEncoding::new(config.account_config.encoding, config.account_config.data_slice);
    let accounts = keyed_accounts(chain, &program, encoding, |account| passes(&filters, account))?;
    match config.with_context {
        Some(true) => answer_at(chain.slot(), accounts),
        _ => answer(accounts),
    }
}

fn token_account_balance(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let account = chain.account(&arguments.address()?);
    let account = account.ok_or_else(|| invalid("could not find account"))?;
    let token = tokens::token_account(chain, account);
    let token = token.ok_or_else(|| invalid("not a Token account"))?;
    answer_at(chain.slot(), token.token_amount)
}

fn token_accounts_by_owner(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let owner = arguments.address()?;
    let filter: RpcTokenAccountsFilter = arguments.next()?;
    let config: RpcAccountInfoConfig = arguments.optional()?;
    check_slot(chain, config.min_context_slot)?;
    let (program, mint) = match filter {
        RpcTokenAccountsFilter::ProgramId(program) => (parse(&program)?, None),
        RpcTokenAccountsFilter::Mint(mint) => {
            let mint: Pubkey = parse(&mint)?;
            let account = chain.account(&mint).ok_or_else(|| invalid("could not find mint"))?;
            (*account.owner(), Some(mint))
        }
    };
    if !is_known_spl_token_id(&program) {
        return Err(invalid("unrecognized Token program id"));
    }
    let encoding = AccountEncoding::new(config.encoding, config.data_slice);
    let belongs = |account: &AccountSharedData| {
        // Mint, then owner, 32 bytes each.
        let found = get_token_account_mint(account.data());
        found.is_some_and(|found| mint.is_none_or(|mint| mint == found))
            && account.data().get(32..64) == Some(owner.as_ref())
    };
    let accounts = keyed_accounts(chain, &program, encoding, belongs)?;
    answer_at(chain.slot(), accounts)
}

fn token_supply(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let account = chain.account(&arguments.address()?);
    let account = account.ok_or_else(|| invalid("could not find account"))?;
    let supply = tokens::supply(account).ok_or_else(|| invalid("not a Token mint"))?;
    answer_at(chain.slot(), supply)
}

/// Returns the accounts of a program that pass, in the order of their addresses.
fn keyed_accounts(
    chain: &Chain,
    program: &Pubkey,
    encoding: AccountEncoding,
    passes: impl Fn(&AccountSharedData) -> bool,
) -> Result<Vec<RpcKeyedAccount>, Error> {
    let mut accounts: Vec<_> =
        chain.program_accounts(program).filter(|(_, account)| passes(account)).collect();
    accounts.sort_unstable_by_key(|(address, _)| **address);
    let encode = |(address, account): (&Pubkey, &AccountSharedData)| {
        let account = encoding.encode(chain, address, account)?;
        Ok(RpcKeyedAccount { pubkey: address.to_string(), account })
    };
    accounts.into_iter().map(encode).collect()
}
