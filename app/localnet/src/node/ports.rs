use std::{
    hash::{BuildHasher, RandomState},
    io::{self, ErrorKind},
    net::{Ipv4Addr, TcpListener},
};

use super::config::LocalnetConfig;
use crate::LocalnetError;

/// First port of the range, which lies below the ports that systems give to outgoing connections.
const FIRST: u16 = 20_000;
const LAST: u16 = 31_999;

/// The two bound listeners of one localnet, on loopback.
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) rpc: TcpListener,
    pub(crate) websocket: TcpListener,
}

impl Listeners {
    /// Binds the configured ports, or a free pair of neighbors.
    pub(crate) fn bind(config: &LocalnetConfig) -> Result<Self, LocalnetError> {
        let none_free = LocalnetError::NoFreePorts { first: FIRST, last: LAST };
        match (config.rpc_port, config.ws_port) {
            (Some(rpc), websocket) => {
                let websocket = websocket.or(rpc.checked_add(1)).unwrap_or_default();
                Ok(Self { rpc: bind(rpc)?, websocket: bind(websocket)? })
            }
            (None, Some(websocket)) => {
                let websocket = bind(websocket)?;
                let rpc = pairs().find_map(|(rpc, _)| bind(rpc).ok()).ok_or(none_free)?;
                Ok(Self { rpc, websocket })
            }
            (None, None) => pairs()
                .find_map(|(rpc, next)| {
                    Some(Self { rpc: bind(rpc).ok()?, websocket: bind(next).ok()? })
                })
                .ok_or(none_free),
        }
    }

    /// Returns the ports of the JSON-RPC and the websocket listener.
    pub(crate) fn ports(&self) -> io::Result<(u16, u16)> {
        Ok((self.rpc.local_addr()?.port(), self.websocket.local_addr()?.port()))
    }
}

fn bind(port: u16) -> Result<TcpListener, LocalnetError> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => LocalnetError::PortTaken(port),
            _ => LocalnetError::NotStarted(error),
        })?;
    listener.set_nonblocking(true).map_err(LocalnetError::NotStarted)?;
    Ok(listener)
}

/// Returns every pair of neighbors once, starting at a random one so that processes started
/// together try different pairs.
fn pairs() -> impl Iterator<Item = (u16, u16)> {
    let count = (LAST - FIRST).div_ceil(2);
    let first = (RandomState::new().hash_one(std::process::id()) % u64::from(count)) as u16;
    (0..count).map(move |step| {
        let rpc = FIRST + (first + step) % count * 2;
        (rpc, rpc + 1)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn two_localnets_bind_different_ports() {
        let config = LocalnetConfig::new();
        let (one, other) = (Listeners::bind(&config).unwrap(), Listeners::bind(&config).unwrap());
        let ((one, next), (other, _)) = (one.ports().unwrap(), other.ports().unwrap());
        assert_ne!(one, other);
        assert_eq!(next, one + 1);
    }

    #[test]
    fn port_in_use_is_named_in_the_error() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let refused = Listeners::bind(&LocalnetConfig::new().with_rpc_port(port));
        assert!(matches!(refused, Err(LocalnetError::PortTaken(taken)) if taken == port));
    }

    #[test]
    fn pairs_cover_the_range_once() {
        let pairs: BTreeSet<_> = pairs().collect();
        assert_eq!(pairs.len(), 6_000);
        assert_eq!(
            (pairs.first(), pairs.last()),
            (Some(&(20_000, 20_001)), Some(&(31_998, 31_999)))
        );
    }
}
