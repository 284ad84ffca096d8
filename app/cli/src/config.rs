//! `motif config`: configuration of the deployed programs.

use std::fmt;

use clap::{Args, Subcommand};
use motif_sdk::{
    Pubkey,
    client::Client,
    licensing::{InitializeArgs, UpdateConfigArgs},
    pda,
};
use serde::Serialize;
use solana_signer::Signer;

use crate::{
    amount::grouped, error::CliError, output::pairs, reference::AccountReference, session::Session,
    time::duration,
};

/// Commands of `motif config`.
#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Show the configuration
    Show,
    /// Create the configuration, as the upgrade authority of a fresh deployment
    Initialize(InitializeConfigArgs),
    /// Admit a mint as a currency of channels and earnings
    AdmitMint(AdmitMintArgs),
    /// Change the arbiter, the bond or the duration of disputes
    Update(UpdateArgs),
    /// Offer the authority over the configuration to another account
    OfferAuthority(OfferAuthorityArgs),
    /// Accept the authority that was offered to you
    AcceptAuthority,
}

/// Arguments of `motif config initialize`. An existing configuration is left as it is.
#[derive(Args)]
pub struct InitializeConfigArgs {
    /// Address, or keypair file, of the account that decides disputes
    #[arg(long, value_name = "ADDRESS|FILE")]
    arbiter: AccountReference,

    /// Bond of a claimant
    #[arg(long, value_name = "LAMPORTS")]
    dispute_bond: u64,

    /// Time from the opening of a dispute to its deadline, 1 to 60 days
    #[arg(long, value_name = "SECONDS")]
    dispute_seconds: u32,
}

/// Arguments of `motif config admit-mint`.
#[derive(Args)]
pub struct AdmitMintArgs {
    /// Mint of SPL Token or Token-2022
    mint: Pubkey,
}

/// Arguments of `motif config update`. What is left out stays unchanged.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub struct UpdateArgs {
    /// Address, or keypair file, of the account that decides disputes
    #[arg(long, value_name = "ADDRESS|FILE")]
    arbiter: Option<AccountReference>,

    /// Bond of a claimant
    #[arg(long, value_name = "LAMPORTS")]
    dispute_bond: Option<u64>,

    /// Time from the opening of a dispute to its deadline, 1 to 60 days
    #[arg(long, value_name = "SECONDS")]
    dispute_seconds: Option<u32>,
}

/// Arguments of `motif config offer-authority`.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct OfferAuthorityArgs {
    /// Address, or keypair file, of the next authority
    #[arg(long, value_name = "ADDRESS|FILE")]
    to: Option<AccountReference>,

    /// Cancel the offer
    #[arg(long)]
    cancel: bool,
}

impl ConfigCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Show => show(session).await,
            Self::Initialize(args) => initialize(args, session).await,
            Self::AdmitMint(args) => admit_mint(args, session).await,
            Self::Update(args) => update(args, session).await,
            Self::OfferAuthority(args) => offer_authority(args, session).await,
            Self::AcceptAuthority => accept_authority(session).await,
        }
    }
}

/// Output of every command of `motif config`.
#[derive(Serialize)]
struct ConfigOutput {
    cluster: String,
    authority: String,
    pending_authority: Option<String>,
    arbiter: String,
    dispute_bond_lamports: u64,
    dispute_seconds: u32,
}

async fn show(session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    session.print(&ConfigOutput::read(&client).await?);
    Ok(())
}

async fn initialize(args: InitializeConfigArgs, session: &Session) -> Result<(), CliError> {
    let authority = session.keypair()?;
    let arbiter = args.arbiter.address()?;
    let client = session.client().await?;
    let cluster = client.rpc().get_genesis_hash().await;
    let cluster = cluster.map_err(motif_sdk::Error::from)?.to_bytes();
    let (dispute_bond_lamports, dispute_seconds) = (args.dispute_bond, args.dispute_seconds);
    let args = InitializeArgs { cluster, arbiter, dispute_bond_lamports, dispute_seconds };
    client.initialize(&authority, args).await?;
    // An existing configuration is not written. It must be the one that was asked for.
    let config = client.config().await?;
    let found = (config.authority, config.cluster, config.arbiter);
    let disputes = (config.dispute_bond_lamports, config.dispute_seconds);
    let expected = (authority.pubkey(), cluster, arbiter);
    if (found, disputes) != (expected, (dispute_bond_lamports, dispute_seconds)) {
        return Err(CliError::AlreadyInitialized { authority: config.authority });
    }
    session.print(&ConfigOutput::read(&client).await?);
    Ok(())
}

async fn admit_mint(args: AdmitMintArgs, session: &Session) -> Result<(), CliError> {
    let funder = session.keypair()?;
    let client = session.client().await?;
    let currency = client.currency(&args.mint).await?;
    client.create_vault(&funder, &currency).await?;
    let AdmitMintArgs { mint } = args;
    session.print(&VaultOutput { mint: mint.to_string(), vault: pda::vault(&mint).to_string() });
    Ok(())
}

async fn update(args: UpdateArgs, session: &Session) -> Result<(), CliError> {
    let authority = session.keypair()?;
    let arbiter = args.arbiter.as_ref().map(AccountReference::address).transpose()?;
    let client = session.client().await?;
    let present = client.config().await?;
    let changed = UpdateConfigArgs {
        arbiter: arbiter.unwrap_or(present.arbiter),
        dispute_bond_lamports: args.dispute_bond.unwrap_or(present.dispute_bond_lamports),
        dispute_seconds: args.dispute_seconds.unwrap_or(present.dispute_seconds),
    };
    client.update_config(&authority, changed).await?;
    session.print(&ConfigOutput::read(&client).await?);
    Ok(())
}

async fn offer_authority(args: OfferAuthorityArgs, session: &Session) -> Result<(), CliError> {
    let authority = session.keypair()?;
    let to = args.to.as_ref().map(AccountReference::address).transpose()?;
    let client = session.client().await?;
    client.offer_authority(&authority, to).await?;
    session.print(&ConfigOutput::read(&client).await?);
    Ok(())
}

async fn accept_authority(session: &Session) -> Result<(), CliError> {
    let accepter = session.keypair()?;
    let client = session.client().await?;
    client.accept_authority(&accepter).await?;
    session.print(&ConfigOutput::read(&client).await?);
    Ok(())
}

/// Output of `motif config admit-mint`.
#[derive(Serialize)]
struct VaultOutput {
    mint: String,
    vault: String,
}

impl ConfigOutput {
    async fn read(client: &Client) -> Result<Self, CliError> {
        let config = client.config().await?;
        Ok(Self {
            cluster: hex::encode(config.cluster),
            authority: config.authority.to_string(),
            pending_authority: config.pending_authority.map(|key| key.to_string()),
            arbiter: config.arbiter.to_string(),
            dispute_bond_lamports: config.dispute_bond_lamports,
            dispute_seconds: config.dispute_seconds,
        })
    }
}

impl fmt::Display for ConfigOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pending = self.pending_authority.as_ref();
        let pending = pending.map(|key| format!(", offered to {key}")).unwrap_or_default();
        formatter.write_str(&pairs(&[
            ("cluster", &self.cluster),
            ("authority", &format_args!("{}{pending}", self.authority)),
            ("arbiter", &self.arbiter),
            ("dispute bond", &format_args!("{} lamports", grouped(self.dispute_bond_lamports))),
            ("dispute duration", &duration(self.dispute_seconds)),
        ]))
    }
}

impl fmt::Display for VaultOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[("mint", &self.mint), ("vault", &self.vault)]))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::Cli;

    #[test]
    fn authority_offer_is_made_or_cancelled() {
        let offer = |options: &[&str]| {
            let command = ["motif", "config", "offer-authority"];
            Cli::try_parse_from(command.iter().chain(options)).is_ok()
        };
        assert!(offer(&["--cancel"]));
        assert!(offer(&["--to", "kai.json"]));
        assert!(!offer(&[]));
        assert!(!offer(&["--to", "kai.json", "--cancel"]));
    }
}
