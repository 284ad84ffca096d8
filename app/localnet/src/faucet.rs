//! Money for tests: SOL and test dollars, from any localnet in reach of its URL.

use std::time::Duration;

use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{client_error::Error as ClientError, config::RpcSendTransactionConfig};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_system_interface::instruction::create_account;
use solana_transaction::{Instruction, Transaction};
use spl_associated_token_account_interface::{
    address::get_associated_token_address, instruction::create_associated_token_account_idempotent,
};
use spl_token_interface::instruction::{initialize_mint2, mint_to_checked};
use tokio::time::{Instant, sleep};

/// Bytes of an SPL Token mint.
const MINT_SPACE: u64 = 82;
/// Pays for creating a mint or a token account and the fees, with enough left for the payer to stay
/// rent-exempt.
const ERRAND_LAMPORTS: u64 = 10_000_000;
const CONFIRM_WITHIN: Duration = Duration::from_secs(30);
const POLL_EVERY: Duration = Duration::from_millis(10);

/// The 6-decimal token localnets pay with, an ordinary SPL Token mint. Its keys are public, the
/// same on every localnet, and worthless by intention: anybody can mint any amount.
#[derive(Debug)]
pub struct TestDollar {
    /// Address of the mint.
    pub mint: Pubkey,
    /// May mint. Nobody may freeze.
    pub authority: Keypair,
}

impl TestDollar {
    /// Decimals of the mint: 1,000,000 base units are one dollar.
    pub const DECIMALS: u8 = 6;
    // Written out, so that everybody sees they are no secret.
    const MINT_KEY: [u8; 32] = *b"motif test dollar mint, no value";
    const AUTHORITY_KEY: [u8; 32] = *b"motif test dollar press, public.";

    /// The test dollar, whether or not a localnet runs.
    pub fn new() -> Self {
        Self {
            mint: Keypair::new_from_array(Self::MINT_KEY).pubkey(),
            authority: Keypair::new_from_array(Self::AUTHORITY_KEY),
        }
    }

    /// Where `owner` keeps its test dollars: its associated token account.
    pub fn account_of(&self, owner: &Pubkey) -> Pubkey {
        get_associated_token_address(owner, &self.mint)
    }
}

impl Default for TestDollar {
    fn default() -> Self {
        Self::new()
    }
}

/// Why the faucet gave nothing, or may have given nothing.
#[derive(Debug, thiserror::Error)]
pub enum FaucetError {
    /// Refused, or the localnet did not answer.
    #[error("{doing} failed: {source}")]
    Rpc {
        /// What was being asked for.
        doing: &'static str,
        /// What the client says.
        source: Box<ClientError>,
    },
    /// Ran and failed.
    #[error("transaction {signature} failed: {reason}")]
    Failed {
        /// The transaction.
        signature: Signature,
        /// What the chain says.
        reason: String,
    },
    /// Sent, but nobody saw it confirmed: it may still land.
    #[error("transaction {0} was sent but not seen confirmed in time; it may still land")]
    Unconfirmed(Signature),
    /// Cannot happen with the constants above.
    #[error("an instruction cannot be built: {0}")]
    Instruction(String),
}

/// Gives SOL and test dollars to anybody. Works on a localnet of this process or another one; calls
/// may run at the same time.
pub struct Faucet {
    rpc: RpcClient,
    dollar: TestDollar,
}

impl Faucet {
    /// The faucet of the localnet whose JSON-RPC server is at `rpc_url`. Sends nothing yet.
    pub fn new(rpc_url: impl Into<String>) -> Self {
        Self {
            rpc: RpcClient::new_with_commitment(rpc_url.into(), CommitmentConfig::confirmed()),
            dollar: TestDollar::new(),
        }
    }

    /// What [`Faucet::mint_dollars`] mints.
    pub fn dollar(&self) -> &TestDollar {
        &self.dollar
    }

    /// Gives `to` that many lamports; they are there on return. Repeating the call gives again.
    ///
    /// # Errors
    /// - [`FaucetError::Rpc`]: no answer, or refused: less than the rent of an empty account
    ///   (890,880 lamports) is.
    pub async fn airdrop_sol(&self, to: &Pubkey, lamports: u64) -> Result<Signature, FaucetError> {
        let signature =
            self.rpc.request_airdrop(to, lamports).await.map_err(|e| rpc("the airdrop", e))?;
        self.confirm(signature).await
    }

    /// Mints that many base units of the test dollar to the associated token account of `owner`,
    /// creating it if needed (the faucet pays); they are there on return. Repeating the call mints
    /// again.
    ///
    /// # Errors
    /// - [`FaucetError::Rpc`]: no answer, or refused.
    /// - [`FaucetError::Unconfirmed`]: the outcome is unknown; repeating the call may mint twice.
    pub async fn mint_dollars(
        &self,
        owner: &Pubkey,
        base_units: u64,
    ) -> Result<Signature, FaucetError> {
        let TestDollar { mint, authority } = &self.dollar;
        let account = self.dollar.account_of(owner);
        let token_program = spl_token_interface::id();
        let payer = self.errand().await?;
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

    /// Creates the test dollar's mint unless it exists. A localnet does this when it starts.
    ///
    /// # Errors
    /// - [`FaucetError::Rpc`]: no answer, or refused.
    pub async fn create_test_dollar(&self) -> Result<(), FaucetError> {
        let TestDollar { mint, authority } = &self.dollar;
        let existing =
            self.rpc.get_account_with_commitment(mint, CommitmentConfig::confirmed()).await;
        if existing.map_err(|e| rpc("looking for the test dollar", e))?.value.is_some() {
            return Ok(());
        }

        let rent = self.rpc.get_minimum_balance_for_rent_exemption(MINT_SPACE as usize).await;
        let rent = rent.map_err(|e| rpc("asking for the rent", e))?;
        let payer = self.errand().await?;
        let token_program = spl_token_interface::id();
        let create = create_account(&payer.pubkey(), mint, rent, MINT_SPACE, &token_program);
        let initialize =
            initialize_mint2(&token_program, mint, &authority.pubkey(), None, TestDollar::DECIMALS)
                .map_err(|error| FaucetError::Instruction(error.to_string()))?;
        let mint_key = Keypair::new_from_array(TestDollar::MINT_KEY);
        self.send(&[create, initialize], &[&payer, &mint_key]).await?;
        Ok(())
    }

    /// A payer used once: two calls for the same owner and amount are then two transactions, even
    /// under one blockhash, where the chain would take the second for a repetition of the first.
    async fn errand(&self) -> Result<Keypair, FaucetError> {
        let payer = Keypair::new();
        self.airdrop_sol(&payer.pubkey(), ERRAND_LAMPORTS).await?;
        Ok(payer)
    }

    async fn send(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
    ) -> Result<Signature, FaucetError> {
        let blockhash =
            self.rpc.get_latest_blockhash().await.map_err(|e| rpc("asking for a blockhash", e))?;
        let payer = signers.first().map(|payer| payer.pubkey());
        let transaction =
            Transaction::new_signed_with_payer(instructions, payer.as_ref(), signers, blockhash);
        let config = RpcSendTransactionConfig {
            preflight_commitment: Some(self.rpc.commitment().commitment),
            ..RpcSendTransactionConfig::default()
        };
        let sent = self.rpc.send_transaction_with_config(&transaction, config).await;
        self.confirm(sent.map_err(|e| rpc("the faucet's transaction", e))?).await
    }

    /// The stock client looks twice a second; a localnet confirms in milliseconds.
    async fn confirm(&self, signature: Signature) -> Result<Signature, FaucetError> {
        let deadline = Instant::now() + CONFIRM_WITHIN;
        while Instant::now() < deadline {
            let statuses = self.rpc.get_signature_statuses(&[signature]).await;
            let statuses = statuses.map_err(|e| rpc("asking for a signature's status", e))?.value;
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

fn rpc(doing: &'static str, source: ClientError) -> FaucetError {
    FaucetError::Rpc { doing, source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walkthroughs, fixtures and other people's notes name these addresses.
    #[test]
    fn the_test_dollar_keeps_its_address() {
        let dollar = TestDollar::new();
        assert_eq!(dollar.mint.to_string(), "4tnchj19ojeRkpJnCFakSePRQNgbK25A4mJUSWmVTnyr");
        assert_eq!(
            dollar.authority.pubkey().to_string(),
            "2vJxSV8k5LsbhKCRTD6ktLAudWzfptPm428jpBe4neMZ"
        );
    }
}
