//! `motif up`: network, gateway, paywall, model server and sample works, in one process.

mod browser;
mod home;
mod ports;
mod report;
mod samples;
mod stack;

use std::{io::IsTerminal, path::PathBuf};

use clap::Args;

use self::{home::Home, ports::PortArgs, report::UpOutput, stack::Stack};
use crate::{
    error::CliError,
    session::{Session, stop_signal},
};

/// Arguments of `motif up`.
#[derive(Args)]
pub struct UpArgs {
    #[command(flatten)]
    ports: PortArgs,

    /// Keep keypairs in this folder, and each run's store in a new folder inside [default: a temporary
    /// folder]
    ///
    /// The network starts anew each time, so stores and channels of earlier runs are not continued.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,

    /// Open the studio in a browser [default: on a terminal]
    #[arg(long, overrides_with = "no_open")]
    open: bool,

    /// Open no browser
    #[arg(long)]
    no_open: bool,
}

/// Starts everything and serves until a signal or until a part fails. Both end every part.
pub async fn run(args: UpArgs, session: &Session) -> Result<(), CliError> {
    let stopped = stop_signal()?;
    tokio::pin!(stopped);
    let ports = args.ports.choose()?;
    let home = Home::open(args.folder.as_deref())?;
    let (mut stack, output) = tokio::select! {
        started = Stack::start(&ports, &home, args.folder.is_some()) => started?,
        () = &mut stopped => return Ok(()),
    };
    session.print(&output);
    if !args.no_open {
        open_studio(&output, args.open, session);
    }
    let failure = tokio::select! {
        () = &mut stopped => None,
        failure = stack.failed() => Some(failure),
    };
    session.status("stopping: paywall, gateway, model server, network");
    let ended = tokio::select! {
        ended = stack.stop(failure.is_none()) => ended,
        () = stop_signal()? => Ok(()), // a second signal skips the rest
    };
    failure.map_or(ended, Err)
}

/// Opens the studio if a browser is expected: on a terminal, or if it is `wanted`.
fn open_studio(output: &UpOutput, wanted: bool, session: &Session) {
    let is_expected = wanted || (!session.json && std::io::stdout().is_terminal());
    let Some(url) = output.studio_url.as_ref().filter(|_| is_expected) else { return };
    if !browser::open(url) && wanted {
        session.status(format_args!("found no browser: open {url}"));
    }
}
