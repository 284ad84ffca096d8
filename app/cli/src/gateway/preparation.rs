use std::time::Duration;

use motif_gateway::GatewayConfig;
use motif_sdk::Error;

use crate::{error::CliError, operator::prepare_operator, session::Session};

/// Pause between two attempts to reach a node.
const PAUSE: Duration = Duration::from_secs(2);

/// Prepares the operator of a configuration, once a node of the cluster responds: see
/// [`prepare_operator`]. Returns whether one does.
///
/// # Errors
/// As [`prepare_operator`]. [`CliError::NodeUnreachable`] if a rotation of a key is pending, whose time
/// is on chain.
pub async fn prepare(session: &Session, config: &mut GatewayConfig) -> Result<bool, CliError> {
    match session.first_of(&config.rpc_urls).await {
        Ok(client) => {
            prepare_operator(&client, config).await?;
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
) -> Result<Option<GatewayConfig>, CliError> {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Ok(client) = session.reachable(&config.rpc_urls).await else { continue };
        let mut prepared = config.clone();
        match prepare_operator(&client, &mut prepared).await {
            Ok(_) => {}
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
