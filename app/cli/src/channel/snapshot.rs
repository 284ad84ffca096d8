use std::path::Path;

use motif_sdk::{
    Error, Pubkey,
    channel::{Channel, ChannelAccount},
    client::Client,
};
use serde::{Deserialize, Serialize};

use crate::{error::CliError, reference::read_file};

/// A channel's account as it was at some moment, in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The channel, base58.
    channel: String,
    /// The account's data, hex.
    data: String,
}

impl Snapshot {
    /// Reads the account from the chain.
    pub async fn take(client: &Client, channel: &Pubkey) -> Result<Self, CliError> {
        let account = client.account(channel).await?;
        let account = account.ok_or(Error::NotFound { kind: "channel", address: *channel })?;
        Ok(Self { channel: channel.to_string(), data: hex::encode(account.data) })
    }

    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        let text = serde_json::json!(self).to_string();
        std::fs::write(path, text + "\n").map_err(|error| {
            let reason = error.to_string();
            CliError::Unwritable { path: path.display().to_string(), reason }
        })
    }

    /// The channel's address and account, as a file has them.
    ///
    /// # Errors
    /// [`CliError::Unreadable`] when the file is no snapshot.
    pub fn read(path: &Path) -> Result<(Pubkey, Channel), CliError> {
        let refuse = |reason: &str| CliError::Unreadable {
            path: path.display().to_string(),
            reason: reason.to_owned(),
        };
        let snapshot: Self = serde_json::from_slice(&read_file(path)?)
            .map_err(|_| refuse("not a snapshot of `motif channel show --snapshot`"))?;
        let address = snapshot.channel.parse().map_err(|_| refuse("its channel is no address"))?;
        let data = hex::decode(&snapshot.data).map_err(|_| refuse("its data is not hex"))?;
        let account = ChannelAccount::from_bytes(&data);
        let account = account.ok_or_else(|| refuse("its data is not a channel's"))?;
        Ok((address, account.channel))
    }
}
