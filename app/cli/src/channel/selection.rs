//! Selection of a channel, of a license on it, and of its voucher key.

use std::{
    fs::{File, TryLockError},
    io::ErrorKind,
    path::PathBuf,
};

use clap::Args;
use motif_sdk::{
    Pubkey,
    channel::{ChannelAccount, License},
    client::Client,
    gateway::wire::{Unit, Use},
    keypair,
};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::task::spawn_blocking;

use crate::{error::CliError, session::Session};

/// Channel that a command uses.
#[derive(Args, Clone)]
pub struct ChannelArgs {
    /// Address of the channel [default: the only open channel of your keypair]
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<Pubkey>,
}

impl ChannelArgs {
    /// As [`find_channel`].
    ///
    /// # Errors
    /// As [`find_channel`].
    pub async fn find(
        &self,
        client: &Client,
        session: &Session,
    ) -> Result<(Pubkey, ChannelAccount), CliError> {
        find_channel(self.channel, client, session).await
    }
}

/// Returns the given channel, or else the payer's only channel that is not withdrawn.
///
/// # Errors
/// [`CliError::ChannelMissing`]; [`CliError::AmbiguousChannel`]; [`motif_sdk::Error::NotFound`].
pub async fn find_channel(
    given: Option<Pubkey>,
    client: &Client,
    session: &Session,
) -> Result<(Pubkey, ChannelAccount), CliError> {
    if let Some(address) = given {
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
    channels.pop().ok_or(CliError::ChannelMissing(payer))
}

/// Returns the index of the newest license that matches.
///
/// # Errors
/// [`CliError::LicenseMissing`]; [`CliError::Usage`] if licenses of several works or uses match.
pub fn find_license(
    channel: &Pubkey,
    account: &ChannelAccount,
    index: Option<u16>,
    work: Option<&Pubkey>,
    licensed_use: Option<Use>,
) -> Result<u16, CliError> {
    let byte = licensed_use.map(|word| word as u8);
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
        let wanted = if wanted.is_empty() { "any work".to_owned() } else { wanted.join(", ") };
        CliError::LicenseMissing { channel: *channel, wanted }
    })?;
    let is_other =
        |other: &License| other.work != license.work || other.licensed_use != license.licensed_use;
    let others = matching.iter().filter(|(_, other)| is_other(other)).map(|(position, other)| {
        format!("{position} ({} of {})", use_name(other.licensed_use), other.work)
    });
    let others: Vec<_> = others.collect();
    if others.is_empty() {
        return Ok(newest);
    }
    let others = others.join(", ");
    let what = format!("channel {channel} has several licenses: {newest}, {others}");
    Err(CliError::usage(what, "choose one with --license, or with --work and --use"))
}

/// Returns the name of the use that a program stores as this byte.
pub fn use_name(byte: u8) -> String {
    Use::from_byte(byte).map_or("unknown".to_owned(), |word| word.to_string())
}

/// Returns the name of the unit that a program stores as this byte.
pub fn unit_name(byte: u8) -> String {
    Unit::from_byte(byte).map_or("unknown".to_owned(), |word| word.to_string())
}

/// Key that signs vouchers.
#[derive(Args, Clone)]
pub struct VoucherKeyArgs {
    /// Keypair file that signs vouchers [default: NAME.voucher.json beside your keypair; `motif
    /// channel open` creates it if missing]
    #[arg(long = "voucher-key", value_name = "FILE")]
    file: Option<PathBuf>,
}

impl VoucherKeyArgs {
    /// Reads the voucher key of a channel that is open.
    ///
    /// # Errors
    /// [`CliError::VoucherKeyMissing`]; [`CliError::KeypairMissing`]; [`motif_sdk::Error::File`].
    pub fn read(&self, session: &Session) -> Result<Keypair, CliError> {
        let path = self.path(session)?;
        if !path.exists() {
            return Err(CliError::VoucherKeyMissing { path: path.display().to_string() });
        }
        Ok(keypair::read(&path)?)
    }

    /// Waits until no other process of this machine pays with the voucher key. Returns the file, whose lock
    /// ends with it; `None` if it is missing, or on a file system without locks.
    ///
    /// One channel has one order of vouchers: two processes would overtake each other.
    ///
    /// # Errors
    /// [`CliError::KeypairMissing`]; [`CliError::Unreadable`].
    pub async fn turn(&self, session: &Session) -> Result<Option<File>, CliError> {
        let path = self.path(session)?;
        let unreadable = |error: std::io::Error| CliError::unreadable(&path, error);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(unreadable)?,
        };
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
        }
        let path = path.display();
        session.status(format_args!("waiting for another process that pays with {path}"));
        let waited = spawn_blocking(move || file.lock().map(|()| file)).await;
        // It fails only if the runtime ends, or on a file system without locks.
        Ok(waited.ok().and_then(Result::ok))
    }

    /// Reads the voucher key, or creates it if it is missing.
    ///
    /// # Errors
    /// [`CliError::KeypairMissing`]; [`motif_sdk::Error::File`].
    pub fn read_or_create(&self, session: &Session) -> Result<Keypair, CliError> {
        let path = self.path(session)?;
        if path.exists() {
            return Ok(keypair::read(&path)?);
        }
        let created = keypair::create(&path)?;
        session.status(format_args!("created voucher key {}", path.display()));
        Ok(created)
    }

    fn path(&self, session: &Session) -> Result<PathBuf, CliError> {
        match &self.file {
            Some(path) => Ok(path.clone()),
            None => Ok(session.keypair_path()?.with_extension("voucher.json")),
        }
    }
}
