//! Methods about the cluster: its health, its slots, its time.

use jsonrpc_core::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use solana_account::Account;
use solana_rpc_client_api::{
    config::RpcContextConfig,
    response::{RpcApiVersion, RpcBlockhash, RpcPrioritizationFee, RpcVersionInfo},
};

use super::{
    Arguments, Method, answer, answer_at,
    arguments::{invalid, parse},
    check_slot,
};
use crate::node::chain::Chain;

pub(super) const METHODS: &[Method] = &[
    ("getBlockHeight", block_height),
    ("getBlockTime", block_time),
    ("getEpochInfo", epoch_info),
    ("getGenesisHash", genesis_hash),
    ("getHealth", health),
    ("getLatestBlockhash", latest_blockhash),
    ("getRecentPrioritizationFees", recent_prioritization_fees),
    ("getSlot", slot),
    ("getVersion", version),
    ("isBlockhashValid", is_blockhash_valid),
    // Methods of surfpool: Anchor calls the first after a start, the faucet and tests the others.
    ("surfnet_getSurfnetInfo", surfnet_info),
    ("surfnet_setAccount", set_account),
    ("surfnet_timeTravel", time_travel),
];

/// Checks the only argument of a request about the cluster as a whole.
fn check_context(chain: &Chain, mut arguments: Arguments) -> Result<(), Error> {
    let config: RpcContextConfig = arguments.optional()?;
    check_slot(chain, config.min_context_slot)
}

fn block_height(chain: &mut Chain, arguments: Arguments) -> Result<Value, Error> {
    check_context(chain, arguments)?;
    answer(chain.height())
}

fn block_time(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    answer(chain.block_time(arguments.next()?))
}

fn epoch_info(chain: &mut Chain, arguments: Arguments) -> Result<Value, Error> {
    check_context(chain, arguments)?;
    answer(describe_epoch(chain))
}

fn genesis_hash(chain: &mut Chain, _: Arguments) -> Result<Value, Error> {
    answer(chain.genesis().to_string())
}

fn health(_: &mut Chain, _: Arguments) -> Result<Value, Error> {
    answer("ok")
}

fn latest_blockhash(chain: &mut Chain, arguments: Arguments) -> Result<Value, Error> {
    check_context(chain, arguments)?;
    let (blockhash, last_valid_block_height) = chain.blockhashes().latest();
    let blockhash = RpcBlockhash { blockhash: blockhash.to_string(), last_valid_block_height };
    answer_at(chain.slot(), blockhash)
}

fn recent_prioritization_fees(chain: &mut Chain, _: Arguments) -> Result<Value, Error> {
    answer([RpcPrioritizationFee { slot: chain.slot(), prioritization_fee: 0 }])
}

fn slot(chain: &mut Chain, arguments: Arguments) -> Result<Value, Error> {
    check_context(chain, arguments)?;
    answer(chain.slot())
}

fn version(_: &mut Chain, _: Arguments) -> Result<Value, Error> {
    answer(RpcVersionInfo { solana_core: RpcApiVersion::default().to_string(), feature_set: None })
}

fn is_blockhash_valid(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let blockhash = parse(&arguments.next::<String>()?)?;
    check_context(chain, arguments)?;
    answer_at(chain.slot(), chain.blockhashes().contains(&blockhash))
}

fn surfnet_info(chain: &mut Chain, _: Arguments) -> Result<Value, Error> {
    answer_at(chain.slot(), json!({ "runbookExecutions": [] }))
}

/// What to change of an account; what is absent stays.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccountUpdate {
    lamports: Option<u64>,
    /// Data in hexadecimal digits.
    data: Option<String>,
    owner: Option<String>,
    executable: Option<bool>,
    rent_epoch: Option<u64>,
}

fn set_account(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let address = arguments.address()?;
    let update: AccountUpdate = arguments.optional()?;
    let mut account = chain.account(&address).cloned().map_or_else(Account::default, Into::into);
    account.lamports = update.lamports.unwrap_or(account.lamports);
    if let Some(data) = update.data {
        account.data = hex::decode(&data).map_err(|error| invalid(format!("data: {error}")))?;
    }
    if let Some(owner) = update.owner {
        account.owner = parse(&owner)?;
    }
    account.executable = update.executable.unwrap_or(account.executable);
    account.rent_epoch = update.rent_epoch.unwrap_or(account.rent_epoch);
    chain.set_account(address, account).map_err(invalid)?;
    answer_at(chain.slot(), Value::Null)
}

/// Where to travel to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimeTravel {
    /// Unix time in milliseconds.
    absolute_timestamp: u64,
}

fn time_travel(chain: &mut Chain, mut arguments: Arguments) -> Result<Value, Error> {
    let TimeTravel { absolute_timestamp } = arguments.next()?;
    if !chain.travel_to(absolute_timestamp) {
        return Err(invalid(format!(
            "{absolute_timestamp} is before the clock's {}; time travel is forward only",
            chain.unix_milliseconds()
        )));
    }
    answer(describe_epoch(chain))
}

fn describe_epoch(chain: &Chain) -> Value {
    let schedule = chain.epoch_schedule();
    let (epoch, slot_index) = schedule.get_epoch_and_slot_index(chain.slot());
    json!({
        "absoluteSlot": chain.slot(),
        "blockHeight": chain.height(),
        "epoch": epoch,
        "slotIndex": slot_index,
        "slotsInEpoch": schedule.get_slots_in_epoch(epoch),
        "transactionCount": chain.ledger().count(),
    })
}
