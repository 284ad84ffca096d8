//! `motif key serve`: signs for a gateway in a process of its own.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use clap::Args;
use motif_gateway::signer::{LocalSigner, Purpose, ServedKey, SigningServer};
use motif_sdk::keypair::{self, signing_key};
use serde::Serialize;
use solana_signer::Signer;

use crate::{
    error::CliError,
    output::table,
    session::{Session, stop_signal},
};

/// Arguments of `motif key serve`.
#[derive(Args)]
pub struct ServeArgs {
    /// Unix socket to listen on; it is removed at the end
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,

    /// Permissions of the socket
    #[arg(long, value_name = "OCTAL", default_value = "600", value_parser = parse_mode)]
    socket_mode: u32,

    /// Keypair files; PURPOSE= limits a key to `settle`, `receipt`, `fee-payer` or `authority`
    #[arg(required = true, value_name = "[PURPOSE=]FILE")]
    keys: Vec<ServedFile>,
}

/// Keypair file and its only purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ServedFile {
    purpose: Option<Purpose>,
    path: PathBuf,
}

impl FromStr for ServedFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let limited = text.split_once('=').and_then(|(word, path)| {
            let purpose = word.parse().ok()?;
            Some(Self { purpose: Some(purpose), path: path.into() })
        });
        let any = || Self { purpose: None, path: text.into() };
        let file = limited.unwrap_or_else(any);
        if file.path.as_os_str().is_empty() { Err("expected a file") } else { Ok(file) }
    }
}

fn parse_mode(text: &str) -> Result<u32, &'static str> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or("expected octal permissions such as 600 or 660")
}

/// Output of `motif key serve`, once it signs.
#[derive(Serialize)]
struct ServeOutput {
    socket: String,
    keys: Vec<ServedOutput>,
}

#[derive(Serialize)]
struct ServedOutput {
    file: String,
    address: String,
    purpose: Option<String>,
}

pub async fn run(args: ServeArgs, session: &Session) -> Result<(), CliError> {
    let (mut served, mut keys) = (Vec::new(), Vec::new());
    for ServedFile { purpose, path } in &args.keys {
        session.warn_of_exposed(path);
        let keypair = keypair::read(path)?;
        keys.push(ServedOutput {
            file: path.display().to_string(),
            address: keypair.pubkey().to_string(),
            purpose: purpose.map(|purpose| purpose.to_string()),
        });
        let signer = Arc::new(LocalSigner::from(signing_key(&keypair)));
        served.push(ServedKey { signer, purpose: *purpose });
    }
    let stopped = stop_signal()?;
    let server = SigningServer::bind(&args.socket, args.socket_mode, served);
    let server = server.map_err(|error| CliError::unwritable(&args.socket, error))?;
    session.print(&ServeOutput { socket: args.socket.display().to_string(), keys });
    tokio::select! {
        () = server.run() => {}
        () = stopped => {}
    }
    std::fs::remove_file(&args.socket).map_err(|error| CliError::unwritable(&args.socket, error))
}

impl fmt::Display for ServeOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |key: &ServedOutput| {
            let purpose = key.purpose.clone().unwrap_or_else(|| "any".to_owned());
            [key.file.clone(), key.address.clone(), purpose]
        };
        let keys = table(["file", "address", "purpose"], &[], self.keys.iter().map(row));
        write!(formatter, "signing on {}; Ctrl-C stops it\n{keys}", self.socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purpose_limits_a_served_file() {
        let read = |text: &str| text.parse::<ServedFile>().unwrap();
        let limited = read("fee-payer=a=b.json");
        assert_eq!((limited.purpose, limited.path), (Some(Purpose::FeePayer), "a=b.json".into()));
        let any = read("a=b.json");
        assert_eq!((any.purpose, any.path), (None, "a=b.json".into()));
        assert!("receipt=".parse::<ServedFile>().is_err());
    }

    #[test]
    fn socket_permissions_are_octal() {
        assert_eq!((parse_mode("600"), parse_mode("0660")), (Ok(0o600), Ok(0o660)));
        assert!(["", "9", "1000", "rw"].iter().all(|text| parse_mode(text).is_err()));
    }
}
