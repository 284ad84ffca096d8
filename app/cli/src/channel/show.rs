use std::{
    fmt,
    path::{Path, PathBuf},
};

use clap::Args;
use motif_sdk::{
    AccountData, Error, Pubkey,
    channel::{Channel, ChannelAccount, License},
    client::Client,
    operator::{Operator, ReceiptKeys},
    pda,
};
use serde::{Deserialize, Serialize};

use super::selection::{ChannelArgs, unit_name, use_name};
use crate::{
    amount::{Money, Scale, grouped, percent},
    currency,
    error::CliError,
    output::{json_line, pairs, table},
    reference::read_file,
    session::Session,
    time::utc,
};

/// Arguments of `motif channel show`.
#[derive(Args)]
pub struct ShowArgs {
    #[command(flatten)]
    channel: ChannelArgs,

    /// Also write the account to a file, to verify receipts offline
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
}

/// Output of `motif channel show`.
#[derive(Serialize)]
struct ChannelOutput {
    channel: String,
    state: &'static str,
    payer: String,
    operator: String,
    operator_fee_bps: u16,
    watcher: Option<String>,
    self_metered: bool,
    mint: String,
    voucher_key: String,
    opened_slot: u64,
    deposited: Money,
    upfront_fees: Money,
    prices: Money,
    fees: Money,
    /// Upfront fees, prices and fees.
    #[serde(skip)]
    charged: Money,
    /// Prices of unused quotas, without fees.
    earmarked: Money,
    collected: Money,
    fees_claimed: Money,
    refunded: Money,
    closes_at: Option<i64>,
    statements: u64,
    licenses: Vec<LicenseOutput>,
}

/// License on a channel.
#[derive(Serialize)]
struct LicenseOutput {
    license: u16,
    work: String,
    terms: u32,
    #[serde(rename = "use")]
    licensed_use: String,
    unit: String,
    price: Money,
    units: u64,
    units_left: Option<u64>,
    settled: Money,
    collected: Money,
}

pub async fn run(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let (address, account) = args.channel.find(&client, session).await?;
    if let Some(path) = &args.snapshot {
        ChannelSnapshot::take(&client, &address).await?.write(path)?;
    }
    let scale = currency::scale(&client, &account.channel.mint).await?;
    session.print(&ChannelOutput::new(&address, &account, scale));
    Ok(())
}

impl ChannelOutput {
    fn new(address: &Pubkey, account: &ChannelAccount, scale: Scale) -> Self {
        let channel = &account.channel;
        let licenses = (0_u16..).zip(&account.licenses);
        let charged = channel.upfront_fees + channel.prices + channel.fees(); // at most the deposit
        Self {
            channel: address.to_string(),
            state: state(channel),
            payer: channel.payer.to_string(),
            operator: channel.operator.to_string(),
            operator_fee_bps: channel.operator_fee_bps,
            watcher: channel.watcher().map(|watcher| watcher.to_string()),
            self_metered: channel.self_metered == 1,
            mint: channel.mint.to_string(),
            voucher_key: channel.voucher_key.to_string(),
            opened_slot: channel.opened_slot,
            deposited: scale.money(channel.deposited),
            upfront_fees: scale.money(channel.upfront_fees),
            prices: scale.money(channel.prices),
            fees: scale.money(channel.fees()),
            charged: scale.money(charged),
            earmarked: scale.money(channel.earmarked),
            collected: scale.money(channel.collected),
            fees_claimed: scale.money(channel.fees_claimed),
            refunded: scale.money(channel.refunded),
            closes_at: (channel.closes_at != i64::MAX).then_some(channel.closes_at),
            statements: channel.statements.length,
            licenses: licenses
                .map(|(index, license)| LicenseOutput::new(index, license, scale))
                .collect(),
        }
    }
}

impl LicenseOutput {
    fn new(index: u16, license: &License, scale: Scale) -> Self {
        Self {
            license: index,
            work: license.work.to_string(),
            terms: license.terms_number,
            licensed_use: use_name(license.licensed_use),
            unit: unit_name(license.unit),
            price: scale.money(license.price),
            units: license.units,
            units_left: (license.units_left != License::UNLIMITED).then_some(license.units_left),
            settled: scale.money(license.settled),
            collected: scale.money(license.collected),
        }
    }
}

pub fn state(channel: &Channel) -> &'static str {
    match (channel.withdrawn, channel.closes_at) {
        (0, i64::MAX) => "open",
        (0, _) => "closing",
        _ => "withdrawn",
    }
}

impl fmt::Display for ChannelOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closing = match (self.state, self.closes_at) {
            ("closing", Some(at)) => format!(" at {}", utc(at)),
            _ => String::new(),
        };
        let metering = if self.self_metered { " (the payer meters itself)" } else { "" };
        let facts = pairs(&[
            ("channel", &self.channel),
            ("state", &format_args!("{}{closing}", self.state)),
            ("payer", &self.payer),
            ("operator", &format_args!("{}{metering}", self.operator)),
            ("operator fee", &format_args!("{} on top", percent(self.operator_fee_bps))),
            ("watcher", &self.watcher.as_deref().unwrap_or("none")),
            ("mint", &self.mint),
            ("deposited", &self.deposited),
            ("charged", &self.charged),
            ("earmarked", &self.earmarked),
            ("refunded", &self.refunded),
            ("statements", &grouped(self.statements)),
        ]);
        let rows = self.licenses.iter().map(|license| {
            [
                license.license.to_string(),
                license.work.clone(),
                license.licensed_use.clone(),
                format!("{} / {}", license.price, license.unit),
                grouped(license.units),
                license.settled.to_string(),
            ]
        });
        let header = ["license", "work", "use", "price", "units", "settled"];
        write!(formatter, "{facts}\n\n{}", table(header, &[0, 4, 5], rows))
    }
}

/// Copy of a channel's and its operator's accounts in a file, to verify receipts against offline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSnapshot {
    /// Address of the channel, base58.
    channel: String,
    /// Data of the account, hex.
    data: String,
    /// Data of the account of its operator, which has the keys of receipts, hex.
    operator: String,
}

impl ChannelSnapshot {
    /// Reads the accounts from the chain.
    pub async fn take(client: &Client, channel: &Pubkey) -> Result<Self, CliError> {
        let account = client.account(channel).await?;
        let account = account.ok_or(Error::NotFound { kind: "channel", address: *channel })?;
        let parsed = ChannelAccount::from_bytes(&account.data);
        let parsed = parsed.ok_or(Error::NotFound { kind: "channel", address: *channel })?;
        let address = pda::operator(&parsed.channel.operator);
        let operator = client.account(&address).await?;
        let operator = operator.ok_or(Error::NotFound { kind: "operator", address })?;
        Ok(Self {
            channel: channel.to_string(),
            data: hex::encode(account.data),
            operator: hex::encode(operator.data),
        })
    }

    /// Writes the snapshot to a file.
    ///
    /// # Errors
    /// [`CliError::Unwritable`].
    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        std::fs::write(path, json_line(self)).map_err(|error| CliError::unwritable(path, error))
    }

    /// Reads the channel's address and account, and its operator's receipt keys, from a file.
    ///
    /// # Errors
    /// [`CliError::Unreadable`] if the file is not a snapshot.
    pub fn read(path: &Path) -> Result<(Pubkey, Channel, ReceiptKeys), CliError> {
        let refuse = |reason: &str| CliError::unreadable(path, reason);
        let snapshot: Self = serde_json::from_slice(&read_file(path)?)
            .map_err(|_| refuse("expected a snapshot from `motif channel show --snapshot`"))?;
        let address = snapshot.channel.parse().map_err(|_| refuse("invalid channel address"))?;
        let data = hex::decode(&snapshot.data).map_err(|_| refuse("the data is not hex"))?;
        let account = ChannelAccount::from_bytes(&data);
        let account = account.ok_or_else(|| refuse("the data is not a channel account"))?;
        let operator =
            hex::decode(&snapshot.operator).map_err(|_| refuse("the data is not hex"))?;
        let operator = Operator::from_account_data(&operator).ok();
        let operator = operator.filter(|operator| operator.authority == account.channel.operator);
        let operator = operator.ok_or_else(|| refuse("the data is not the channel's operator"))?;
        Ok((address, account.channel, operator.receipt_keys))
    }
}
