//! SOL and test dollars for tests, on any localnet whose URL is known.

use std::time::Duration;

use serde_json::{Value, json};
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{
    client_error::Error as ClientError, config::RpcSendTransactionConfig, request::RpcRequest,
};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::{Instruction, Transaction};
use spl_associated_token_account_interface::{
    address::get_associated_token_address, instruction::create_associated_token_account_idempotent,
};
use spl_token_interface::instruction::mint_to_checked;
use tokio::time::{Instant, sleep};

use crate::direct_client::direct;

/// Bytes of an SPL Token mint.
const MINT_SPACE: usize = 82;
/// Rent of a mint or a token account and the fees, with enough left for the payer to stay
/// rent-exempt.
const PAYER_LAMPORTS: u64 = 10_000_000;
const CONFIRM_WITHIN: Duration = Duration::from_secs(30);
const POLL_EVERY: Duration = Duration::from_millis(10);

/// The currency of localnets: an SPL Token mint with 6 decimals, at the address of devnet's USDC, which
/// stock payment clients know as a dollar. Its authority's key is public: its tokens are worthless.
#[derive(Debug)]
pub struct TestDollar {
    /// Address of the mint.
    pub mint: Pubkey,
    /// Mint authority. There is no freeze authority.
    pub authority: Keypair,
}

impl TestDollar {
    /// Decimals of the mint: 1,000,000 base units are one dollar.
    pub const DECIMALS: u8 = 6;
    /// USDC on devnet.
    const MINT: Pubkey = Pubkey::from_str_const("4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU");
    // Not secret.
    const AUTHORITY_KEY: [u8; 32] = *b"motif test dollar press, public.";

    /// Returns the test dollar. Its addresses are the same on every localnet.
    pub fn new() -> Self {
        Self { mint: Self::MINT, authority: Keypair::new_from_array(Self::AUTHORITY_KEY) }
    }

    /// Returns the associated token account of `owner`.
    pub fn account_of(&self, owner: &Pubkey) -> Pubkey {
        get_associated_token_address(owner, &self.mint)
    }

    /// Returns the mint's data, without supply.
    pub(crate) fn mint_data(&self) -> [u8; MINT_SPACE] {
        // Authority (tag, key), supply, decimals, whether initialized, freeze authority (tag, key).
        let mut data = [0; MINT_SPACE];
        let authority = self.authority.pubkey().to_bytes();
        let fields: [&[u8]; 4] = [&1_u32.to_le_bytes(), &authority, &[0; 8], &[Self::DECIMALS, 1]];
        for (byte, field) in data.iter_mut().zip(fields.into_iter().flatten()) {
            *byte = *field;
        }
        data
    }
}

impl Default for TestDollar {
    fn default() -> Self {
        Self::new()
    }
}

/// Errors of the faucet.
#[derive(Debug, thiserror::Error)]
pub enum FaucetError {
    /// Error returned when the localnet refuses a request or does not answer.
    #[error("{request} failed: {source}")]
    Rpc {
        /// What was requested.
        request: &'static str,
        /// The client's error.
        source: Box<ClientError>,
    },
    /// Error returned when a transaction landed and failed.
    #[error("transaction {signature} failed: {reason}")]
    Failed {
        /// The transaction's signature.
        signature: Signature,
        /// The runtime's error.
        reason: String,
    },
    /// Error returned when a transaction was not confirmed in time. It may still land.
    #[error("transaction {0} was sent and not confirmed in time; it may still land")]
    Unconfirmed(Signature),
    /// Error returned when an instruction cannot be built.
    #[error("an instruction cannot be built: {0}")]
    Instruction(String),
}

/// A source of SOL and test dollars, on a localnet of this process or another one. Calls may run
/// concurrently.
pub struct Faucet {
    rpc: RpcClient,
    dollar: TestDollar,
}

impl Faucet {
    /// Creates the faucet of the localnet whose JSON-RPC server is at `rpc_url`, without a request.
    pub fn new(rpc_url: impl Into<String>) -> Self {
        Self {
            rpc: direct(&rpc_url.into(), CommitmentConfig::confirmed()),
            dollar: TestDollar::new(),
        }
    }

    /// Returns the token that [`Faucet::mint_dollars`] mints.
    pub fn dollar(&self) -> &TestDollar {
        &self.dollar
    }

    /// Sends `lamports` to `to` and returns once they arrived. Each call sends again.
    ///
    /// # Errors
    /// [`FaucetError::Rpc`] if the localnet does not answer, or refuses because the account would
    /// have less than the rent of an empty account (890,880 lamports).
    pub async fn airdrop_sol(&self, to: &Pubkey, lamports: u64) -> Result<Signature, FaucetError> {
        let signature =
            self.rpc.request_airdrop(to, lamports).await.map_err(|e| rpc("an airdrop", e))?;
        self.confirm(signature).await
    }

    /// Mints base units of the test dollar to the associated token account of `owner`, which the
    /// faucet pays for if it is new, and returns once they arrived. Each call mints again.
    ///
    /// # Errors
    /// - [`FaucetError::Rpc`]: the localnet does not answer, or refuses.
    /// - [`FaucetError::Unconfirmed`]: the outcome is unknown; repeating the call may mint twice.
    pub async fn mint_dollars(
        &self,
        owner: &Pubkey,
        base_units: u64,
    ) -> Result<Signature, FaucetError> {
        let TestDollar { mint, authority } = &self.dollar;
        let account = self.dollar.account_of(owner);
        let token_program = spl_token_interface::id();
        let payer = self.payer().await?;
        let create = create_associated_token_account_idempotent(
            &payer.pubkey(),
            owner,
            mint,
            &token_program,
        );
        let pay = mint_to_checked(
            &token_program,
            mint,
            &account,
            &authority.pubkey(),
            &[],
            base_units,
            TestDollar::DECIMALS,
        )
        .map_err(|error| FaucetError::Instruction(error.to_string()))?;
        self.send(&[create, pay], &[&payer, authority]).await
    }

    /// Creates the test dollar's mint unless it exists, by `surfnet_setAccount`, as the address has no
    /// known key. A localnet does this when it starts.
    ///
    /// # Errors
    /// [`FaucetError::Rpc`] if the localnet does not answer, or does not have that method.
    pub async fn create_test_dollar(&self) -> Result<(), FaucetError> {
        let mint = &self.dollar.mint;
        let existing =
            self.rpc.get_account_with_commitment(mint, CommitmentConfig::confirmed()).await;
        if existing.map_err(|e| rpc("reading the test dollar", e))?.value.is_some() {
            return Ok(());
        }

        let rent = self.rpc.get_minimum_balance_for_rent_exemption(MINT_SPACE).await;
        let rent = rent.map_err(|e| rpc("reading the rent", e))?;
        let data: String = self.dollar.mint_data().iter().map(|b| format!("{b:02x}")).collect();
        let owner = spl_token_interface::id().to_string();
        let account = json!({ "lamports": rent, "data": data, "owner": owner });
        let method = RpcRequest::Custom { method: "surfnet_setAccount" };
        let set: Result<Value, _> = self.rpc.send(method, json!([mint.to_string(), account])).await;
        set.map_err(|e| rpc("creating the test dollar", e))?;
        Ok(())
    }

    /// Returns a payer for one transaction. Two calls for the same owner and amount under one
    /// blockhash would otherwise be one transaction sent twice.
    async fn payer(&self) -> Result<Keypair, FaucetError> {
        let payer = Keypair::new();
        self.airdrop_sol(&payer.pubkey(), PAYER_LAMPORTS).await?;
        Ok(payer)
    }

    async fn send(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
    ) -> Result<Signature, FaucetError> {
        let blockhash =
            self.rpc.get_latest_blockhash().await.map_err(|e| rpc("reading a blockhash", e))?;
        let payer = signers.first().map(|payer| payer.pubkey());
        let transaction =
            Transaction::new_signed_with_payer(instructions, payer.as_ref(), signers, blockhash);
        let config = RpcSendTransactionConfig {
            preflight_commitment: Some(self.rpc.commitment().commitment),
            ..RpcSendTransactionConfig::default()
        };
        let sent = self.rpc.send_transaction_with_config(&transaction, config).await;
        self.confirm(sent.map_err(|e| rpc("sending a transaction", e))?).await
    }

    /// Polls more often than the stock client, which waits half a second between two polls.
    async fn confirm(&self, signature: Signature) -> Result<Signature, FaucetError> {
        let deadline = Instant::now() + CONFIRM_WITHIN;
        while Instant::now() < deadline {
            let statuses = self.rpc.get_signature_statuses(&[signature]).await;
            let statuses = statuses.map_err(|e| rpc("reading a signature's status", e))?.value;
            match statuses.into_iter().next().flatten() {
                Some(status) if status.satisfies_commitment(CommitmentConfig::confirmed()) => {
                    return match status.err {
                        None => Ok(signature),
                        Some(reason) => {
                            Err(FaucetError::Failed { signature, reason: reason.to_string() })
                        }
                    };
                }
                _ => sleep(POLL_EVERY).await,
            }
        }
        Err(FaucetError::Unconfirmed(signature))
    }
}

fn rpc(request: &'static str, source: ClientError) -> FaucetError {
    FaucetError::Rpc { request, source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Documents and fixtures name these addresses.
    #[test]
    fn test_dollar_keeps_its_address() {
        let dollar = TestDollar::new();
        assert_eq!(dollar.mint.to_string(), "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU");
        assert_eq!(
            dollar.authority.pubkey().to_string(),
            "2vJxSV8k5LsbhKCRTD6ktLAudWzfptPm428jpBe4neMZ"
        );
    }
}
