use std::path::Path;

use motif_sdk::{
    Error, Pubkey,
    channel::{Channel, ChannelAccount},
    client::Client,
};
use serde::{Deserialize, Serialize};

use crate::{error::CliError, output, reference::read_file};

/// Copy of a channel's account in a file, to verify receipts against offline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSnapshot {
    /// Address of the channel, base58.
    channel: String,
    /// Data of the account, hex.
    data: String,
}

impl ChannelSnapshot {
    /// Reads the account from the chain.
    pub async fn take(client: &Client, channel: &Pubkey) -> Result<Self, CliError> {
        let account = client.account(channel).await?;
        let account = account.ok_or(Error::NotFound { kind: "channel", address: *channel })?;
        Ok(Self { channel: channel.to_string(), data: hex::encode(account.data) })
    }

    /// Writes the snapshot to a file.
    ///
    /// # Errors
    /// [`CliError::Unwritable`].
    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        std::fs::write(path, output::json_line(self))
            .map_err(|error| CliError::unwritable(path, error))
    }

    /// Reads the channel's address and account from a file.
    ///
    /// # Errors
    /// [`CliError::Unreadable`] if the file is not a snapshot.
    pub fn read(path: &Path) -> Result<(Pubkey, Channel), CliError> {
        let refuse = |reason: &str| CliError::unreadable(path, reason);
        let snapshot: Self = serde_json::from_slice(&read_file(path)?)
            .map_err(|_| refuse("expected a snapshot from `motif channel show --snapshot`"))?;
        let address = snapshot.channel.parse().map_err(|_| refuse("invalid channel address"))?;
        let data = hex::decode(&snapshot.data).map_err(|_| refuse("the data is not hex"))?;
        let account = ChannelAccount::from_bytes(&data);
        let account = account.ok_or_else(|| refuse("the data is not a channel account"))?;
        Ok((address, account.channel))
    }
}
