use base64::{Engine, prelude::BASE64_STANDARD};
use motif_sdk::{Pubkey, channel::Currency, till::Till};
use serde_json::json;
use solana_commitment_config::CommitmentLevel;
use solana_rpc_client_api::{
    request::RpcRequest,
    response::{Response, RpcSimulateTransactionResult},
};
use solana_transaction::TransactionError;

use super::{
    ChainError,
    rejection::program_code,
    rpc::{NodeError, RpcChain},
};

impl RpcChain {
    /// Returns the till at an address, or `None` if there is no till.
    pub(super) async fn read_till(&self, address: &Pubkey) -> Result<Option<Till>, ChainError> {
        self.find(|client| async move { client.till_at(address).await }).await
    }

    /// Returns the currency of a mint with its decimals, or `None` if there is no mint.
    pub(super) async fn read_currency(
        &self,
        mint: &Pubkey,
    ) -> Result<Option<(Currency, u8)>, ChainError> {
        self.find(|client| async move {
            let currency = client.currency(mint).await?;
            Ok((currency, client.decimals(mint).await?))
        })
        .await
    }

    /// Returns the compute units that a transaction uses in simulation, under a recent blockhash or
    /// under its own.
    pub(super) async fn simulate_with(
        &self,
        transaction: &[u8],
        replace_blockhash: bool,
    ) -> Result<u64, ChainError> {
        let encoded = BASE64_STANDARD.encode(transaction);
        let encoded = &encoded;
        self.request(|client| async move {
            let config = json!({
                "encoding": "base64",
                "sigVerify": false,
                "replaceRecentBlockhash": replace_blockhash,
                "commitment": CommitmentLevel::Confirmed.to_string(),
                "minContextSlot": self.seen.min_context_slot(),
            });
            let (request, params) = (RpcRequest::SimulateTransaction, json!([encoded, config]));
            let simulated = client.rpc();
            let simulated =
                simulated.send::<Response<RpcSimulateTransactionResult>>(request, params).await?;
            match simulated.value.err {
                Some(error) => {
                    let (error, reason) =
                        (TransactionError::from(error.clone()), error.to_string());
                    Err(NodeError::Final(ChainError::rejection(program_code(&error), reason)))
                }
                None => Ok(simulated.value.units_consumed.unwrap_or(0)),
            }
        })
        .await
    }
}
