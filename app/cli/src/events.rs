//! `motif events`: what happens to a person's works and channels, as it happens.

use std::{fmt, time::Duration};

use clap::Args;
use motif_sdk::gateway::{
    GatewayClient, GatewayError,
    wire::{Digest, Event, EventKind, PersonProof},
};
use serde::Serialize;

use crate::{
    error::CliError,
    person::prove,
    session::{Session, stop_signal},
    time::utc,
};

/// Pause before the gateway is connected to again.
const PAUSE: Duration = Duration::from_secs(2);

/// Arguments of `motif events`.
#[derive(Args)]
pub struct EventsArgs {
    /// Kinds of events to show [default: all]
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<EventKind>,

    /// Begin with the oldest event that the gateway keeps
    #[arg(long, conflicts_with = "after")]
    all: bool,

    /// Begin after the event with this id
    #[arg(long, value_name = "ID")]
    after: Option<Digest>,

    /// End after this number of events
    #[arg(long, value_name = "COUNT")]
    count: Option<u64>,
}

/// Line of `motif events`.
#[derive(Serialize)]
struct EventOutput(Event);

/// Follows the keypair's events until it is stopped.
///
/// # Errors
/// [`CliError`]
pub async fn run(args: EventsArgs, session: &Session) -> Result<(), CliError> {
    let stopped = stop_signal()?;
    let gateway = session.gateway().await;
    tokio::select! {
        ended = follow(args, &gateway, session) => ended,
        () = stopped => Ok(()),
    }
}

async fn follow(
    args: EventsArgs,
    gateway: &GatewayClient,
    session: &Session,
) -> Result<(), CliError> {
    let mut last = if args.all { Some(Digest([0; 32])) } else { args.after };
    let (mut left, mut is_first) = (args.count.unwrap_or(u64::MAX), true);
    while left > 0 {
        let proof: PersonProof = prove(gateway, session).await?;
        let events = gateway.person_events(&proof, last.as_ref()).await;
        let mut events = match events {
            Err(GatewayError::Unreachable { .. }) if !is_first => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            events => events?,
        };
        is_first = false;
        // A stream that ends or breaks is continued after the last event.
        while let Ok(Some(event)) = events.next().await {
            if args.kind.is_empty() || args.kind.contains(&event.kind) {
                session.print(&EventOutput(event));
                left = left.saturating_sub(1);
                if left == 0 {
                    return Ok(());
                }
            }
        }
        last = events.last().copied().or(last);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

impl fmt::Display for EventOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = &self.0;
        write!(formatter, "{}  {:<14}", utc(event.at), event.kind.to_string())?;
        if let Some(state) = event.dispute {
            write!(formatter, "  {state:?}")?;
        }
        if let (Some(amount), Some(currency)) = (event.amount, event.currency) {
            write!(formatter, "  {amount}u of {currency}")?;
        }
        if let Some(generations) = event.generations {
            write!(formatter, "  {generations} generations")?;
        }
        for (name, address) in
            [("work", event.work), ("channel", event.channel), ("person", event.person)]
        {
            if let Some(address) = address {
                write!(formatter, "  {name} {address}")?;
            }
        }
        match event.ends_at {
            Some(end) => write!(formatter, "  until {}", utc(end)),
            None => Ok(()),
        }
    }
}
