use std::net::{IpAddr, Ipv6Addr};

use axum::{extract::Request, http::HeaderMap};
use ipnet::IpNet;

/// Who asks. Each request has it among its extensions, from its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    const HEADER: &str = "x-forwarded-for";

    /// The client behind a peer. What a peer says in `X-Forwarded-For` is believed only of
    /// trusted proxies, and only as far back as each hop is one: the first address from the
    /// right that is none of them is the client.
    pub fn find(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
        let mut client = peer.to_canonical();
        if !is_trusted(&client) {
            return Self(client);
        }
        let lines = headers.get_all(Self::HEADER).iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for hop in hops {
            if !is_trusted(&client) {
                break;
            }
            // What a trusted proxy could not have written ends the way back.
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            client = address.to_canonical();
        }
        Self(client)
    }

    /// The client that a request says it is from.
    pub fn of<B>(request: &Request<B>) -> Self {
        let client = request.extensions().get::<Self>();
        client.copied().unwrap_or(Self(IpAddr::from([0; 4])))
    }
}

/// Whom an address stands for: an IPv6 host has a whole /64 to choose addresses from.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let host = u128::MAX >> 64;
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !host))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(ClientAddress::HEADER, line.parse().unwrap());
        }
        let trusted: Vec<_> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        ClientAddress::find(peer.parse().unwrap(), &headers, &trusted).0.to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_its_address() {
        assert_eq!(client("1.1.1.1", &["2.2.2.2"], &[]), "1.1.1.1");
        assert_eq!(client("1.1.1.1", &["2.2.2.2"], &["10.0.0.0/8"]), "1.1.1.1");
        // Whatever it sends, the proxy adds the address it saw at the right.
        let forged = client("10.0.0.1", &["3.3.3.3", "2.2.2.2, 1.1.1.1"], &["10.0.0.0/8"]);
        assert_eq!(forged, "1.1.1.1");
    }

    #[test]
    fn trusted_hops_are_walked_back_to_the_client() {
        let trusted = ["10.0.0.0/8", "fd00::/8"];
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 10.0.0.2"], &trusted), "1.1.1.1");
        assert_eq!(client("::ffff:10.0.0.1", &["1.1.1.1"], &trusted), "1.1.1.1");
        assert_eq!(client("fd00::1", &["2001:db8::1"], &trusted), "2001:db8::1");
        assert_eq!(client("10.0.0.1", &["unknown"], &trusted), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[], &trusted), "10.0.0.1");
    }

    #[test]
    fn a_host_has_one_allowance_for_all_its_addresses() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:1.2.3.4"), of("1.2.3.4"));
    }
}
