use std::time::Duration;

use motif_gateway::GatewayConfig;
use motif_sdk::{Error, client::ConfirmedTransaction};

use crate::{
    amount::percent,
    error::CliError,
    operator::{GivenConditions, prepare_operator},
    session::Session,
};

/// Pause between two attempts to reach a node.
const PAUSE: Duration = Duration::from_secs(2);

/// Prepares the operator of a configuration, once a node of the cluster responds: see
/// [`prepare_operator`]. Returns whether one does.
///
/// # Errors
/// As [`prepare_operator`]. [`CliError::NodeUnreachable`] if a rotation of a key is pending, whose time
/// is on chain.
pub async fn prepare(
    session: &Session,
    config: &mut GatewayConfig,
    given: GivenConditions,
) -> Result<bool, CliError> {
    match session.first_of(&config.rpc_urls).await {
        Ok(client) => {
            let written = prepare_operator(&client, config, given).await?;
            announce(session, config, &written);
            Ok(true)
        }
        Err(CliError::NodeUnreachable { .. }) if !is_rotating(config) => {
            session.status(
                "no node of the cluster responds: the gateway serves the channels that it knows, \
                 and is not ready before one responds",
            );
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Prints the conditions that a gateway has written into its operator's account.
fn announce(session: &Session, config: &GatewayConfig, written: &[ConfirmedTransaction]) {
    if !written.is_empty() {
        let (fee, grace) = (percent(config.operator_fee_bps), config.min_grace_seconds);
        session.status(format_args!(
            "wrote to the account of operator {}: fee {fee}, grace period at least {grace} s",
            config.operator
        ));
    }
}

fn is_rotating(config: &GatewayConfig) -> bool {
    config.keys.settle.next.is_some() || config.keys.receipt.next.is_some()
}

/// Waits for a node and prepares the operator of a running gateway. Returns the configuration to
/// restart it with, if the operator's account has other conditions.
///
/// # Errors
/// As [`prepare_operator`].
pub async fn prepare_later(
    session: &Session,
    config: &GatewayConfig,
    given: GivenConditions,
) -> Result<Option<GatewayConfig>, CliError> {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Ok(client) = session.reachable(&config.rpc_urls).await else { continue };
        let mut prepared = config.clone();
        match prepare_operator(&client, &mut prepared, given).await {
            Ok(written) => announce(session, &prepared, &written),
            Err(CliError::Sdk(Error::Transport(_))) => continue,
            Err(error) => return Err(error),
        }
        session.status("a node of the cluster responds");
        let conditions =
            |config: &GatewayConfig| (config.operator_fee_bps, config.min_grace_seconds);
        let is_other = conditions(&prepared) != conditions(config);
        return Ok(is_other.then_some(prepared));
    }
}
