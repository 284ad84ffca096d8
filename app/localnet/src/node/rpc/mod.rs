//! The JSON-RPC methods of Solana nodes.

mod accounts;
pub(crate) mod arguments;
mod cluster;
pub(crate) mod encoding;
mod transactions;

use jsonrpc_core::{Error, IoHandler, Params};
use serde::Serialize;
use serde_json::Value;
use solana_rpc_client_api::{
    custom_error::RpcCustomError,
    response::{Response, RpcResponseContext},
};

use super::chain::{Chain, SharedChain};
pub(crate) use arguments::Arguments;

/// Name and implementation of a JSON-RPC method.
type Method = (&'static str, fn(&mut Chain, Arguments) -> Result<Value, Error>);

/// Returns the handler of requests, single or in batches.
pub(crate) fn handler(chain: &SharedChain) -> IoHandler {
    let mut handler = IoHandler::new();
    for (name, method) in [accounts::METHODS, cluster::METHODS, transactions::METHODS].concat() {
        let chain = chain.clone();
        handler.add_sync_method(name, move |params: Params| {
            method(&mut chain.lock(), Arguments::new(params)?)
        });
    }
    handler
}

/// Serializes a result.
pub(crate) fn answer(result: impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(result).map_err(|_| Error::internal_error())
}

/// Serializes a result with its slot.
pub(crate) fn answer_at(slot: u64, value: impl Serialize) -> Result<Value, Error> {
    answer(Response { context: RpcResponseContext::new(slot), value })
}

/// Checks that the chain has reached the slot that a request names.
fn check_slot(chain: &Chain, min_context_slot: Option<u64>) -> Result<(), Error> {
    let context_slot = chain.slot();
    match min_context_slot {
        Some(least) if context_slot < least => {
            Err(RpcCustomError::MinContextSlotNotReached { context_slot }.into())
        }
        _ => Ok(()),
    }
}
