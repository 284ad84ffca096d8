use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
    net::{Ipv4Addr, TcpListener},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{LocalnetConfig, LocalnetError};

/// Below the range systems take outgoing connections' ports from, so that no connection slips into
/// a port between our look and the server's bind.
const FIRST: u16 = 20_000;
const LAST: u16 = 31_999;

/// Ports promised to localnets of this process whose servers may not be listening yet.
static PROMISED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// The two ports of one localnet, kept from other localnets of this process until dropped.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) rpc: u16,
    pub(crate) websocket: u16,
}

impl Ports {
    pub(crate) fn choose(config: &LocalnetConfig) -> Result<Self, LocalnetError> {
        let mut promised = promised();
        let is_free = |port: u16| !promised.contains(&port) && can_listen(port);

        let (rpc, websocket) = match (config.rpc_port, config.ws_port) {
            (Some(rpc), websocket) => {
                // 65,535 has no neighbour; any port is then as good.
                let websocket = websocket.or(rpc.checked_add(1)).unwrap_or(LAST);
                (rpc, websocket)
            }
            (None, websocket) => pairs()
                .map(|(rpc, next)| (rpc, websocket.unwrap_or(next)))
                .find(|&(rpc, next)| {
                    rpc != next && is_free(rpc) && (websocket.is_some() || is_free(next))
                })
                .ok_or(LocalnetError::NoFreePorts { first: FIRST, last: LAST })?,
        };
        if let Some(taken) = [rpc, websocket].into_iter().find(|&port| !is_free(port)) {
            return Err(LocalnetError::PortTaken(taken));
        }
        promised.extend([rpc, websocket]);
        Ok(Self { rpc, websocket })
    }

    /// Nobody listens on either any more.
    pub(crate) fn are_released(&self) -> bool {
        can_listen(self.rpc) && can_listen(self.websocket)
    }
}

impl Drop for Ports {
    fn drop(&mut self) {
        let mut promised = promised();
        promised.remove(&self.rpc);
        promised.remove(&self.websocket);
    }
}

fn promised() -> MutexGuard<'static, BTreeSet<u16>> {
    // A set of numbers is whole even if its last user panicked.
    PROMISED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn can_listen(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Every pair of neighbours once, from a random one on: processes that start together look in
/// different places.
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
    use super::*;

    #[test]
    fn two_localnets_are_promised_different_ports() {
        let config = LocalnetConfig::new();
        let (one, other) = (Ports::choose(&config).unwrap(), Ports::choose(&config).unwrap());
        assert_ne!(one.rpc, other.rpc);
        assert_eq!((one.websocket, other.websocket), (one.rpc + 1, other.rpc + 1));
    }

    #[test]
    fn a_port_somebody_listens_on_is_refused_by_name() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let refused = Ports::choose(&LocalnetConfig::new().with_rpc_port(port));
        assert!(matches!(refused, Err(LocalnetError::PortTaken(taken)) if taken == port));
    }

    #[test]
    fn every_pair_stays_in_the_range_and_comes_once() {
        let pairs: BTreeSet<_> = pairs().collect();
        assert_eq!(pairs.len(), 6_000);
        assert_eq!(
            (pairs.first(), pairs.last()),
            (Some(&(20_000, 20_001)), Some(&(31_998, 31_999)))
        );
    }
}
