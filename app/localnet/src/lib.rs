//! An embedded Solana network for tests and demos: Motif's programs, a test dollar and a faucet.
//!
//! ```no_run
//! use motif_localnet::{Localnet, LocalnetConfig};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let localnet = Localnet::start(LocalnetConfig::new().with_motif_programs()).await?;
//! let faucet = localnet.faucet();
//! let platform = solana_pubkey::Pubkey::new_unique();
//! faucet.airdrop_sol(&platform, 1_000_000_000).await?;
//! faucet.mint_dollars(&platform, 25_000_000).await?; // 25 test dollars
//! println!("{} {}", localnet.rpc_url(), localnet.ws_url());
//! localnet.stop().await?;
//! # Ok(())
//! # }
//! ```
//!
//! It serves [LiteSVM](https://docs.rs/litesvm) through the JSON-RPC and websocket interfaces of Solana
//! nodes, on a thread of its own: `@solana/kit`, `solana-rpc-client` and `solana-pubsub-client` work
//! with it unchanged. It needs no network, keeps everything in memory, listens on loopback only,
//! and prints nothing; its log goes through `tracing` (ours) and `log` (LiteSVM's).
//!
//! # Methods
//!
//! - Accounts: `getAccountInfo`, `getBalance`, `getMinimumBalanceForRentExemption`,
//!   `getMultipleAccounts`, `getProgramAccounts`, `getTokenAccountBalance`,
//!   `getTokenAccountsByOwner`, `getTokenSupply`.
//! - Transactions: `getFeeForMessage`, `getSignatureStatuses`, `getSignaturesForAddress`,
//!   `getTransaction`, `requestAirdrop`, `sendTransaction`, `simulateTransaction`.
//! - Cluster: `getBlockHeight`, `getBlockTime`, `getEpochInfo`, `getGenesisHash`, `getHealth`,
//!   `getLatestBlockhash`, `getRecentPrioritizationFees`, `getSlot`, `getVersion`,
//!   `isBlockhashValid`, and surfpool's `surfnet_getSurfnetInfo`, `surfnet_setAccount` and
//!   `surfnet_timeTravel` (with `absoluteTimestamp` only).
//! - Subscriptions: `accountSubscribe`, `logsSubscribe`, `programSubscribe`, `rootSubscribe`,
//!   `signatureSubscribe`, `slotSubscribe`, each with its `Unsubscribe`.
//!
//! Other methods are answered with code -32601.
//!
//! # Dollar and memo
//!
//! The test dollar is at the address of devnet's USDC, so that payment clients that pay well-known
//! dollars only (x402, MPP) pay it; to them this network is devnet. The memo program is the one that
//! Agave bundles: a memo of more than 34 bytes can exceed the compute units that they allow.
//!
//! # Time
//!
//! A slot begins every [`SLOT`] and after every transaction. The block height counts the former
//! only, so a blockhash is valid for 150 blocks, about 30 seconds, at any rate of transactions. The chain's clock follows the wall clock, ahead of it by what
//! [`Localnet::advance_seconds`] added.
//!
//! # Limits
//!
//! - One node, without votes or forks: a transaction is processed, confirmed and finalized at once.
//! - `sendTransaction` answers after the transaction ran. With `skipPreflight`, a transaction that
//!   cannot land is dropped, as on a cluster.
//! - A transaction that cannot be loaded (its program does not exist, for example) does not land;
//!   a cluster charges its fee.
//! - Durable nonces are refused as unknown blockhashes. Stakes, votes and blocks
//!   cannot be read, and priority fees do not affect the order.
//! - The last 100,000 transactions are kept. A websocket that lags by 4,096 updates is
//!   closed; `enableReceivedNotification` is ignored.
//! - Amounts of Token-2022 mints with interest or scaled amounts are shown unscaled.
//! - Programs are loaded as immutable, without an upgrade authority.

pub mod clock;
mod direct_client;
pub mod faucet;

mod error;
#[cfg(feature = "node")]
mod node;

pub use error::LocalnetError;
pub use faucet::{Faucet, FaucetError, TestDollar};
#[cfg(feature = "node")]
pub use node::{Localnet, LocalnetConfig, Program, SLOT, artifacts};
