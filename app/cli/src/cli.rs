//! The command line: global options and one variant for each command.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[cfg(feature = "mcp")]
use crate::mcp::McpArgs;
use crate::{
    approval::ApprovalCommand, authenticate::AuthenticateArgs, channel::ChannelCommand,
    common_args::CommonArgs, completions::CompletionsArgs, config::ConfigCommand,
    consent::ConsentCommand, credentials::CredentialsCommand, dispute::DisputeCommand,
    earnings::EarningsArgs, events::EventsArgs, gateway::GatewayCommand, generate::GenerateArgs,
    key::KeyCommand, operator::OperatorCommand, pay::PayArgs, payer::PayerCommand,
    receipt::ReceiptCommand, sale::SaleCommand, split::SplitCommand, terms::TermsCommand,
    till::TillCommand, webhook::WebhookCommand, work::WorkCommand,
};
#[cfg(feature = "localnet")]
use crate::{demo::DemoArgs, localnet::LocalnetArgs, model_server::ModelServerArgs, up::UpArgs};

const AMOUNTS: &str = "\
Amounts:
  AMOUNT is a number of whole tokens, such as 5 or 0.001, of the command's currency (--currency;
  by default the localnet's test dollar). The suffix `u` gives base units instead: 5000000u is
  $5.00 of a dollar with six decimals. --json prints base units.";

/// Creator licensing and micropayments for generative AI on Solana
#[derive(Parser)]
#[command(
    name = "motif",
    version,
    arg_required_else_help = true,
    after_help = AMOUNTS
)]
pub struct Cli {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// Commands of `motif`.
#[derive(Subcommand)]
pub enum Command {
    /// Run an end-to-end demo on an embedded localnet
    #[cfg(feature = "localnet")]
    Demo(DemoArgs),
    /// Run everything in one process, to try it out: network, gateway, paywall, model server, works
    #[cfg(feature = "localnet")]
    Up(UpArgs),
    /// Run a local Solana network with Motif's programs, test dollars and a faucet
    #[cfg(feature = "localnet")]
    Localnet(LocalnetArgs),
    /// Create, show and fund keypair files
    #[command(subcommand)]
    Key(KeyCommand),
    /// Register, look up, transfer and withdraw works
    #[command(subcommand)]
    Work(WorkCommand),
    /// Write, publish, show and convert licensing terms
    #[command(subcommand)]
    Terms(TermsCommand),
    /// Grant and revoke approvals for terms that require one
    #[command(subcommand)]
    Approval(ApprovalCommand),
    /// Change how a work's earnings are split among its recipients
    #[command(subcommand)]
    Split(SplitCommand),
    /// Manage consents to works with a person's voice or likeness
    #[command(subcommand)]
    Consent(ConsentCommand),
    /// Open and decide disputes about the ownership of works
    #[command(subcommand)]
    Dispute(DisputeCommand),
    /// Open, fund, settle and close payment channels
    #[command(subcommand)]
    Channel(ChannelCommand),
    /// Pay for generations through a gateway, with a signed receipt for each
    Generate(GenerateArgs),
    /// Fetch a URL and pay for the answer if it asks for a payment
    Pay(Box<PayArgs>),
    /// Run a local service that pays for clients of any language
    #[command(subcommand)]
    Payer(PayerCommand),
    /// Verify receipts
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Show and claim what works have earned
    ///
    /// Without a command, shows where the money of all works of the keypair is.
    #[command(args_conflicts_with_subcommands = true)]
    Earnings(EarningsArgs),
    /// Follow what happens to the keypair's works and channels: payments, claims, licenses, disputes
    Events(EventsArgs),
    /// Have a gateway send the keypair's events to URLs
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Accept plain payments to works, such as one-off sales or a distributor's royalties
    #[command(subcommand)]
    Till(TillCommand),
    /// Verify sales that were paid into a till
    #[command(subcommand)]
    Sale(SaleCommand),
    /// Find the works, content credentials and receipts behind a file
    Authenticate(AuthenticateArgs),
    /// Sign files with content credentials (C2PA) and read them
    #[command(subcommand)]
    Credentials(CredentialsCommand),
    /// Serve tools for agents by the Model Context Protocol: find works, read terms, buy, verify
    #[cfg(feature = "mcp")]
    Mcp(McpArgs),
    /// Run and operate a gateway
    #[command(subcommand)]
    Gateway(GatewayCommand),
    /// Register operators, replace their keys, and list all of them
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Show and change the configuration of the deployed programs
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Generate a shell completion script
    Completions(CompletionsArgs),
    /// Run the example of a model server, to put behind a paywall
    #[cfg(feature = "localnet")]
    #[command(hide = true)]
    ModelServer(ModelServerArgs),
    /// Decode content from stdin under resource limits, on behalf of a parent process
    #[command(hide = true)]
    DecodeWorker {
        /// PEM file of certificates to trust in content credentials
        #[arg(long)]
        anchors: Option<PathBuf>,
        /// Try to read this file and to leave the sandbox, and print what succeeds
        #[arg(long, value_name = "FILE")]
        attempt: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_has_a_help_text() {
        fn check(command: &clap::Command, path: &str) {
            assert!(command.get_about().is_some(), "{path}");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{path} {}", argument.get_id());
            }
            for subcommand in command.get_subcommands() {
                check(subcommand, &format!("{path} {}", subcommand.get_name()));
            }
        }
        check(&Cli::command(), "motif");
    }
}
