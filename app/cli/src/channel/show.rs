use std::path::PathBuf;

use clap::Args;
use motif_sdk::{
    Pubkey,
    channel::{Channel, ChannelAccount, License},
};
use serde_json::{Value, json};

use super::{ChannelArgs, Snapshot};
use crate::{
    amount::{grouped, percent},
    answer::{pairs, table},
    error::CliError,
    session::Session,
    words::{unit_of_byte, use_of_byte},
};

/// Which channel.
#[derive(Args)]
pub struct ShowArgs {
    #[command(flatten)]
    channel: ChannelArgs,

    /// Also write the account to a file, against which receipts can be verified offline.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
}

pub async fn run(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let (address, account) = args.channel.find(&client, session).await?;
    if let Some(path) = &args.snapshot {
        Snapshot::take(&client, &address).await?.write(path)?;
    }
    session.answer(&json(&address, &account), text(&address, &account));
    Ok(())
}

/// A channel as `--json` prints it.
pub fn json(address: &Pubkey, account: &ChannelAccount) -> Value {
    let channel = &account.channel;
    let licenses = (0_u16..).zip(&account.licenses).map(|(index, license)| {
        json!({
            "license": index,
            "work": license.work.to_string(),
            "terms": license.terms_number,
            "use": use_of_byte(license.licensed_use),
            "unit": unit_of_byte(license.unit),
            "price": license.price,
            "units": license.units,
            "units_left": limited(license.units_left),
            "settled": license.settled,
            "collected": license.collected,
        })
    });
    json!({
        "channel": address.to_string(),
        "state": state(channel),
        "payer": channel.payer.to_string(),
        "operator": channel.operator.to_string(),
        "operator_fee_bps": channel.operator_fee_bps,
        "mint": channel.mint.to_string(),
        "voucher_key": channel.voucher_key.to_string(),
        "opened_slot": channel.opened_slot,
        "deposited": channel.deposited,
        "upfront_fees": channel.upfront_fees,
        "prices": channel.prices,
        "fees": channel.fees(),
        "collected": channel.collected,
        "fees_claimed": channel.fees_claimed,
        "refunded": channel.refunded,
        "closes_at": (channel.closes_at != i64::MAX).then_some(channel.closes_at),
        "statements": channel.statements.length,
        "licenses": licenses.collect::<Vec<_>>(),
    })
}

fn limited(units: u64) -> Option<u64> {
    (units != License::UNLIMITED).then_some(units)
}

fn state(channel: &Channel) -> &'static str {
    match (channel.withdrawn, channel.closes_at) {
        (0, i64::MAX) => "open",
        (0, _) => "closing",
        _ => "withdrawn",
    }
}

fn text(address: &Pubkey, account: &ChannelAccount) -> String {
    let channel = &account.channel;
    let charged = channel.upfront_fees + channel.prices + channel.fees(); // at most the deposit
    let facts = pairs([
        ("channel", format!("{address} ({})", state(channel))),
        ("payer", channel.payer.to_string()),
        ("operator", format!("{}, {} on top", channel.operator, percent(channel.operator_fee_bps))),
        ("mint", channel.mint.to_string()),
        ("deposited", grouped(channel.deposited)),
        ("charged", grouped(charged)),
        ("refunded", grouped(channel.refunded)),
        ("statements", grouped(channel.statements.length)),
    ]);
    let rows = (0_u16..).zip(&account.licenses).map(|(index, license)| {
        let unit = unit_of_byte(license.unit);
        [
            index.to_string(),
            license.work.to_string(),
            use_of_byte(license.licensed_use),
            format!("{} / {unit}", grouped(license.price)),
            grouped(license.units),
            grouped(license.settled),
        ]
    });
    let header = ["license", "work", "use", "price", "units", "settled"];
    format!("{facts}\n\n{}", table(header, &[0, 4, 5], rows.collect()))
}
