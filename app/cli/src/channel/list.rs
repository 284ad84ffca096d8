use std::{fmt, time::Duration};

use clap::Args;
use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    gateway::{ChannelReader, GatewayClient},
};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::show::state;
use crate::{
    amount::Money, currency::Scales, error::CliError, output::table, reference::AccountReference,
    session::Session,
};

/// Time within which the gateway says what was vouched.
const PATIENCE: Duration = Duration::from_secs(2);

/// Arguments of `motif channel list`.
#[derive(Args)]
pub struct ListArgs {
    /// Payer, an address or a keypair file [default: the keypair, which proves itself to the gateway]
    #[arg(long, value_name = "ADDRESS|FILE")]
    payer: Option<AccountReference>,

    /// Also list channels whose rest is withdrawn
    #[arg(long)]
    all: bool,
}

/// Output of `motif channel list`.
#[derive(Serialize)]
struct ChannelsOutput {
    payer: String,
    channels: Vec<ChannelRow>,
}

/// Where the money of a channel is.
#[derive(Serialize)]
struct ChannelRow {
    channel: String,
    operator: String,
    state: &'static str,
    mint: String,
    deposited: Money,
    /// Settled prices and fees, and upfront fees.
    settled: Money,
    /// Signed for and not settled; `None` if the gateway is another operator's or does not say.
    vouched: Option<Money>,
    refunded: Money,
    /// What is left for generations; vouched amounts are deducted if they are known.
    left: Money,
    /// Unix second from which nothing settles.
    closes_at: Option<i64>,
}

/// Lists the channels of a payer with where their money is.
///
/// # Errors
/// Those of the node. A gateway that does not respond leaves out what was vouched.
pub async fn run(args: ListArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let (payer, keypair) = match &args.payer {
        Some(payer) => (payer.address()?, None),
        None => {
            let keypair = session.keypair()?;
            (keypair.pubkey(), Some(keypair))
        }
    };
    let mut channels = client.channels(Some(&payer), None).await?;
    channels.retain(|(_, account)| args.all || account.channel.withdrawn == 0);
    let gateway = session.gateway().await.patience(PATIENCE);
    let operator = match channels.is_empty() || keypair.is_none() {
        true => None,
        false => gateway.operator().await.ok().map(|operator| operator.operator.0),
    };
    let mut scales = Scales::new(&client);
    let mut rows = Vec::with_capacity(channels.len());
    for (address, account) in &channels {
        let channel = &account.channel;
        let scale = scales.get(&channel.mint).await?;
        let vouched = match &keypair {
            Some(keypair) if operator == Some(channel.operator) => {
                vouched(&gateway, keypair, address, account).await
            }
            _ => None,
        };
        let settled = channel.prices.saturating_add(channel.fees());
        let spent = settled.saturating_add(channel.upfront_fees);
        let gone = [spent, channel.earmarked, channel.refunded, vouched.unwrap_or(0)];
        let left = gone.iter().fold(channel.deposited, |left, gone| left.saturating_sub(*gone));
        rows.push(ChannelRow {
            channel: address.to_string(),
            operator: channel.operator.to_string(),
            state: state(channel),
            mint: channel.mint.to_string(),
            deposited: scale.money(channel.deposited),
            settled: scale.money(spent),
            vouched: vouched.map(|vouched| scale.money(vouched)),
            refunded: scale.money(channel.refunded),
            left: scale.money(left),
            closes_at: (channel.closes_at != i64::MAX).then_some(channel.closes_at),
        });
    }
    session.print(&ChannelsOutput { payer: payer.to_string(), channels: rows });
    Ok(())
}

/// Returns what the payer has signed for on a channel beyond what has settled, base units.
async fn vouched(
    gateway: &GatewayClient,
    keypair: &Keypair,
    address: &Pubkey,
    account: &ChannelAccount,
) -> Option<u64> {
    let signer = motif_sdk::keypair::signing_key(keypair);
    let reader = ChannelReader::new(*address, &account.channel, signer);
    let known = gateway.clone().reader(reader).channel(address).await.ok()?;
    let settled = account.channel.prices.saturating_add(account.channel.fees());
    Some(known.cumulative.0.saturating_sub(settled))
}

impl fmt::Display for ChannelsOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.channels.is_empty() {
            return write!(formatter, "{} has no channel.", self.payer);
        }
        let rows = self.channels.iter().map(|one| {
            let vouched = one.vouched.as_ref().map_or("?".to_owned(), Money::to_string);
            let money = [&one.deposited, &one.settled].map(Money::to_string);
            let [deposited, settled] = money;
            let left = one.left.to_string();
            [one.channel.clone(), one.state.to_owned(), deposited, settled, vouched, left]
        });
        let titles = ["channel", "state", "deposited", "settled", "vouched", "left"];
        write!(formatter, "{}", table(titles, &[2, 3, 4, 5], rows))
    }
}
