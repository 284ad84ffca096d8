use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use clap::Args;

use crate::{error::CliError, model_server};

/// Ports of `motif up`, all on loopback.
#[derive(Args)]
pub struct PortArgs {
    /// Port of the Solana network's JSON-RPC server; the next one serves websockets. 0 selects two free ports
    #[arg(long, value_name = "PORT", default_value_t = 8_899, value_parser = clap::value_parser!(u16).range(..=65_534))]
    rpc_port: u16,

    /// Port of the gateway's API and the studio; 0 selects a free port
    #[arg(long, value_name = "PORT", default_value_t = 8_787)]
    api_port: u16,

    /// Port of the paywall; 0 selects a free port
    #[arg(long, value_name = "PORT", default_value_t = 8_790)]
    paywall_port: u16,

    /// Port of the example of a model server; 0 selects a free port
    #[arg(long, value_name = "PORT", default_value_t = model_server::PORT)]
    model_port: u16,
}

/// Ports that were free when they were chosen.
pub struct Ports {
    /// JSON-RPC port, with a free neighbor; `None` if the network selects them.
    pub rpc: Option<u16>,
    pub api: SocketAddr,
    pub paywall: SocketAddr,
    pub model: SocketAddr,
}

/// Listeners that keep chosen ports from being chosen again.
#[derive(Default)]
struct Held(Vec<TcpListener>);

impl PortArgs {
    /// Chooses the ports, all before anything starts.
    ///
    /// # Errors
    /// [`CliError::PortUnavailable`], with the option that selects another port.
    pub fn choose(&self) -> Result<Ports, CliError> {
        let mut held = Held::default();
        let rpc = (self.rpc_port != 0).then_some(self.rpc_port);
        for port in rpc.into_iter().chain(rpc.and_then(|port| port.checked_add(1))) {
            held.add(port, "--rpc-port")?;
        }
        Ok(Ports {
            rpc,
            api: held.add(self.api_port, "--api-port")?,
            paywall: held.add(self.paywall_port, "--paywall-port")?,
            model: held.add(self.model_port, "--model-port")?,
        })
    }
}

impl Held {
    fn add(&mut self, port: u16, option: &'static str) -> Result<SocketAddr, CliError> {
        let refuse = |error| CliError::PortUnavailable { port, option, error };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        self.0.push(listener);
        Ok(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_given_twice_is_rejected() {
        let free = PortArgs { rpc_port: 0, api_port: 0, paywall_port: 0, model_port: 0 };
        let ports = free.choose().unwrap();
        let api_port = ports.api.port();
        assert_ne!(api_port, ports.paywall.port());
        let twice = PortArgs { api_port, paywall_port: api_port, ..free };
        let refused = twice.choose();
        let refused = refused.err().and_then(|error| error.hint()).unwrap();
        assert!(refused.contains("--paywall-port"), "{refused}");
    }
}
