//! Every verb on one page.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{
    airdrop, approve, authenticate, channel, claim, completions, config, consent, credentials,
    dispute, earnings, error::CliError, gateway, generate, key, receipt, revoke, session::Session,
    settle, split, terms, till, work,
};
#[cfg(feature = "localnet")]
use crate::{demo, localnet};

/// Creator licensing and micropayments for generative AI, on Solana.
#[derive(Parser)]
#[command(name = "motif", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// What every verb takes.
#[derive(Args)]
#[command(next_help_heading = "Everywhere")]
pub struct CommonArgs {
    /// JSON-RPC node of the cluster [default: http://127.0.0.1:8899].
    #[arg(long, global = true, env = "MOTIF_RPC_URL", hide_env_values = true)]
    pub rpc_url: Option<String>,

    /// The gateway to pay through.
    #[arg(long, global = true, env = "MOTIF_GATEWAY_URL", default_value = "http://127.0.0.1:8787")]
    pub gateway_url: String,

    /// Keypair file that signs and pays [default: ~/.config/solana/id.json].
    #[arg(long, global = true, env = "MOTIF_KEYPAIR", value_name = "FILE")]
    pub keypair: Option<PathBuf>,

    /// Answer with one line of JSON, the last one on stdout.
    #[arg(long, global = true)]
    pub json: bool,

    /// How long to wait for a node or gateway on this machine that is still starting.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 20)]
    pub wait_seconds: u64,
}

/// What can be done.
#[derive(Subcommand)]
pub enum Command {
    /// Show the whole road once: register, license, generate, settle, claim, withdraw.
    #[cfg(feature = "localnet")]
    Demo(demo::DemoArgs),
    /// Run a Solana network on this machine, with Motif's programs, test dollars and a faucet.
    #[cfg(feature = "localnet")]
    Localnet(localnet::LocalnetArgs),
    /// Keypair files, in the Solana command line's format.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Give SOL and test dollars (localnet only).
    Airdrop(airdrop::AirdropArgs),
    /// Register works, look them up, hand them over, withdraw them.
    #[command(subcommand)]
    Work(work::WorkCommand),
    /// What works may be used for, at what price.
    #[command(subcommand)]
    Terms(terms::TermsCommand),
    /// Find out whose content is, on what terms, and whether it was paid for.
    Authenticate(authenticate::AuthenticateArgs),
    /// Sign files with content credentials (C2PA), and read them.
    #[command(subcommand)]
    Credentials(credentials::CredentialsCommand),
    /// Let somebody accept a work's terms, or make a derivative of it, where they ask for approval.
    Approve(approve::ApproveArgs),
    /// Take an approval back.
    Revoke(revoke::RevokeArgs),
    /// Change who earns from a work, by consent of everybody who would earn less.
    #[command(subcommand)]
    Split(split::SplitCommand),
    /// What the person behind a voice or a likeness decides.
    #[command(subcommand)]
    Consent(consent::ConsentCommand),
    /// Claims that a work belongs to somebody else.
    #[command(subcommand)]
    Dispute(dispute::DisputeCommand),
    /// A platform's escrow, and the licences on it.
    #[command(subcommand)]
    Channel(channel::ChannelCommand),
    /// Make paid generations through a gateway; every one is signed for and has a receipt.
    Generate(generate::GenerateArgs),
    /// Prove receipts.
    #[command(subcommand)]
    Receipt(receipt::ReceiptCommand),
    /// Have the gateway settle a channel now.
    Settle(settle::SettleArgs),
    /// What a work has earned, and who can claim what.
    Earnings(earnings::EarningsArgs),
    /// Money for a work from outside, such as a distributor's royalties.
    #[command(subcommand)]
    Till(till::TillCommand),
    /// Collect and pull what is pending for a work, and pay its recipients.
    Claim(claim::ClaimArgs),
    /// Run a gateway, or describe its HTTP interface.
    #[command(subcommand)]
    Gateway(gateway::GatewayCommand),
    /// The deployment's config: who decides disputes.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print a completion script for a shell.
    Completions(completions::CompletionsArgs),
    /// Decode content from stdin, within limits, for another process of this program.
    #[command(hide = true)]
    DecodeWorker {
        /// Certificates in PEM to trust in content credentials.
        #[arg(long)]
        anchors: Option<PathBuf>,
    },
}

impl Command {
    /// Does it.
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            #[cfg(feature = "localnet")]
            Self::Demo(args) => demo::run(args, session).await,
            #[cfg(feature = "localnet")]
            Self::Localnet(args) => localnet::run(args, session).await,
            Self::Key(command) => command.run(session).await,
            Self::Airdrop(args) => airdrop::run(args, session).await,
            Self::Work(command) => command.run(session).await,
            Self::Terms(command) => command.run(session).await,
            Self::Authenticate(args) => authenticate::run(args, session).await,
            Self::Credentials(command) => command.run(session).await,
            Self::Approve(args) => approve::run(args, session).await,
            Self::Revoke(args) => revoke::run(args, session).await,
            Self::Split(command) => command.run(session).await,
            Self::Consent(command) => command.run(session).await,
            Self::Dispute(command) => command.run(session).await,
            Self::Channel(command) => command.run(session).await,
            Self::Generate(args) => generate::run(args, session).await,
            Self::Receipt(command) => command.run(session).await,
            Self::Settle(args) => settle::run(args, session).await,
            Self::Earnings(args) => earnings::run(args, session).await,
            Self::Till(command) => command.run(session).await,
            Self::Claim(args) => claim::run(args, session).await,
            Self::Gateway(command) => command.run(session).await,
            Self::Config(command) => command.run(session).await,
            Self::Completions(args) => completions::run(&args),
            Self::DecodeWorker { .. } => Ok(()), // done before there was a session
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
