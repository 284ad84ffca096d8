use clap::Args;
use motif_sdk::{
    Pubkey,
    channel::{ChannelAccount, License, Use},
    client::Client,
    gateway::wire::UseWord,
};
use solana_signer::Signer;

use crate::{error::CliError, session::Session, words::use_of_byte};

/// Which channel, where a verb is about nothing else.
#[derive(Args)]
pub struct ChannelArgs {
    /// The channel [default: the one open channel of your keypair].
    #[arg(value_name = "CHANNEL")]
    channel: Option<Pubkey>,
}

/// Which channel, where a verb takes something else by position.
#[derive(Args)]
pub struct PayingChannelArgs {
    /// The channel [default: the one open channel of your keypair].
    #[arg(long = "channel", value_name = "CHANNEL")]
    channel: Option<Pubkey>,
}

impl ChannelArgs {
    /// As [`find`].
    pub async fn find(
        &self,
        client: &Client,
        session: &Session,
    ) -> Result<(Pubkey, ChannelAccount), CliError> {
        find(self.channel, client, session).await
    }
}

impl PayingChannelArgs {
    /// As [`find`].
    pub async fn find(
        &self,
        client: &Client,
        session: &Session,
    ) -> Result<(Pubkey, ChannelAccount), CliError> {
        find(self.channel, client, session).await
    }
}

/// The channel named, or else the payer's only one that is not yet withdrawn.
///
/// # Errors
/// [`CliError::NoChannel`]; [`CliError::AmbiguousChannel`]; [`motif_sdk::Error::NotFound`].
pub async fn find(
    named: Option<Pubkey>,
    client: &Client,
    session: &Session,
) -> Result<(Pubkey, ChannelAccount), CliError> {
    if let Some(address) = named {
        return Ok((address, client.channel(&address).await?));
    }
    let payer = session.keypair()?.pubkey();
    let mut channels = client.channels(Some(&payer), None).await?;
    channels.retain(|(_, account)| account.channel.withdrawn == 0);
    if channels.len() > 1 {
        let listed: Vec<_> = channels.iter().map(|(address, _)| address.to_string()).collect();
        let (count, channels) = (channels.len(), listed.join(", "));
        return Err(CliError::AmbiguousChannel { payer, count, channels });
    }
    channels.pop().ok_or(CliError::NoChannel(payer))
}

/// The license to use: by its index, else the newest of a work and use.
///
/// # Errors
/// [`CliError::NoLicense`].
pub fn license_of(
    channel: &Pubkey,
    account: &ChannelAccount,
    index: Option<u16>,
    work: Option<&Pubkey>,
    licensed_use: Option<UseWord>,
) -> Result<u16, CliError> {
    let byte = licensed_use.map(|word| Use::from(word) as u8);
    let licenses = (0_u16..).zip(&account.licenses);
    let matches = |position: u16, license: &License| {
        index.is_none_or(|index| index == position)
            && work.is_none_or(|work| license.work == *work)
            && byte.is_none_or(|byte| license.licensed_use == byte)
    };
    let mut matching: Vec<_> =
        licenses.filter(|(position, license)| matches(*position, license)).collect();
    let (newest, license) = matching.pop().ok_or_else(|| {
        let work = work.map(|work| format!("work {work}"));
        let named = licensed_use.map(|word| format!("use {word}"));
        let index = index.map(|index| format!("index {index}"));
        let wanted: Vec<_> = [index, work, named].into_iter().flatten().collect();
        let wanted = if wanted.is_empty() { "anything".to_owned() } else { wanted.join(", ") };
        CliError::NoLicense { channel: *channel, wanted }
    })?;
    let others: Vec<_> = matching
        .iter()
        .filter(|(_, other)| {
            other.work != license.work || other.licensed_use != license.licensed_use
        })
        .map(|(position, other)| {
            format!("{position} ({} of {})", use_of_byte(other.licensed_use), other.work)
        })
        .collect();
    if others.is_empty() {
        return Ok(newest);
    }
    let what =
        format!("channel {channel} has several licenses; besides {newest}: {}", others.join(", "));
    Err(CliError::usage(what, "name the one you mean with --license or --work"))
}
