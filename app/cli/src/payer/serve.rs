use std::fmt;

use clap::Args;
use motif_payer_service::{Callers, Listen, serve};
use serde::Serialize;

use super::settings::{PayerState, SettingsArgs};
use crate::{
    error::CliError,
    output::pairs,
    session::{Session, stop_signal},
};

/// Arguments of `motif payer serve`.
#[derive(Args)]
pub struct ServeArgs {
    /// Listen address: a loopback IP:PORT (port 0 selects a free port), or unix:PATH [default:
    /// 127.0.0.1:8792]
    #[arg(long, value_name = "IP:PORT|unix:PATH")]
    listen: Option<Listen>,

    #[command(flatten)]
    settings: SettingsArgs,
}

/// Output of `motif payer serve`, once it is ready.
#[derive(Serialize)]
struct ServeOutput {
    url: String,
    wallet: String,
    state: String,
    /// File of the local caller's token.
    token_file: String,
}

pub async fn run(args: ServeArgs, session: &Session) -> Result<(), CliError> {
    let mut settings = args.settings.read()?;
    if let Some(listen) = args.listen {
        settings.listen = listen;
    }
    for warning in settings.warnings() {
        session.status(format_args!("warning: {warning}"));
    }
    let state = PayerState::open(&settings, session)?;
    let stopped = stop_signal()?;
    let callers = Callers::open(&settings, &state.folder)?;
    let own = settings.callers.values().map(|caller| &caller.token_file);
    for token in own.chain([&state.folder.join(Callers::LOCAL_TOKEN)]) {
        session.warn_of_exposed(token);
    }
    let listen = settings.listen.clone();
    let service = state.service(settings, session).await?;
    let wallet = service.wallet().to_string();
    let running = serve(service, callers, &listen).await;
    let running =
        running.map_err(|error| CliError::Listen { listen: listen.to_string(), error })?;
    session.print(&ServeOutput {
        url: running.url().to_owned(),
        wallet,
        state: state.folder.display().to_string(),
        token_file: state.folder.join(Callers::LOCAL_TOKEN).display().to_string(),
    });
    stopped.await;
    session.status("shutting down: waiting for requests in progress");
    running.stop().await;
    Ok(())
}

impl fmt::Display for ServeOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[
            ("URL", &self.url),
            ("wallet", &self.wallet),
            ("state", &self.state),
            ("token", &self.token_file),
        ]);
        write!(formatter, "payer is ready; Ctrl-C stops it and keeps its state\n{facts}")
    }
}
