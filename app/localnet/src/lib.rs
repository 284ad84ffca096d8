//! A Solana network inside this process: Motif's programs, a test dollar and a faucet, ready to
//! use.
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
//! It is [surfpool](https://docs.rs/surfpool-core) offline: LiteSVM behind the JSON-RPC and
//! websocket interfaces stock clients speak. It asks nothing of the outside world, keeps everything
//! in memory, and prints nothing: what it has to say goes through `tracing` (ours) and `log`
//! (surfpool's).
//!
//! # Time
//!
//! A block is made every [`SLOT`], and with [`BlockProduction::Transaction`] also right after each
//! transaction, so confirmation takes milliseconds. A transaction is final 31 blocks later (about
//! six seconds); a blockhash is good for 150 blocks. The clock on chain starts at the wall clock,
//! never falls behind it by more than a slot while the process gets to run, and is ahead of it by
//! what [`Localnet::advance_seconds`] added.
//!
//! # Where it differs from a validator
//!
//! - One node, no votes, no forks: an account reads the same at every commitment, as soon as the
//!   transaction ran. Signature statuses do distinguish processed, confirmed and finalized.
//! - `sendTransaction` answers after the transaction ran. A transaction that fails in preflight is
//!   refused with its logs, as usual; with `skipPreflight` it lands, fails, and costs its fee, as
//!   usual.
//! - A slot counts as one millisecond wherever surfpool derives time from slots: `getBlockTime` and
//!   the `blockTime` of `getSignaturesForAddress` lag behind, and travelling one second skips 1,000
//!   slots. The Clock sysvar and the `blockTime` of `getTransaction` are right.
//! - A blockhash grows old by blocks, not by time: while others send a thousand transactions a
//!   second, it lives a tenth of one. Fetch it right before signing.
//! - A transaction that landed before, or is signed wrongly, is refused with the reason as text
//!   only, where a validator's error carries it as data too.
//! - `requestAirdrop` refuses less than the rent of an empty account.
//! - Programs are put in place, not deployed: their upgrade authority is the system program.
//! - The `surfnet_*` methods can rewrite any account. It listens on loopback only; never keep value
//!   here.
//!
//! A stopped localnet leaves one sleeping thread behind, surfpool's clock, which has no end.

pub mod artifacts;
pub mod clock;
pub mod faucet;

mod config;
mod error;
mod localnet;
mod ports;
mod surfnet;

pub use config::{BlockProduction, LocalnetConfig, Program};
pub use error::LocalnetError;
pub use faucet::{Faucet, FaucetError, TestDollar};
pub use localnet::Localnet;
pub use surfnet::SLOT;
