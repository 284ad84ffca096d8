use std::net::{IpAddr, Ipv6Addr};

use axum::{extract::Request, http::HeaderMap};
use ipnet::IpNet;

/// Address of the client of a request. The connection adds it to the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    const HEADER: &str = "x-forwarded-for";

    /// Returns the client behind a peer.
    ///
    /// `X-Forwarded-For` is read from the right while each hop is a trusted proxy. The first
    /// address that is not a trusted proxy is the client.
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
            // Trusted proxies write valid addresses only.
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            client = address.to_canonical();
        }
        Self(client)
    }

    /// Returns the client address from a request's extensions.
    pub fn of<B>(request: &Request<B>) -> Self {
        let client = request.extensions().get::<Self>();
        client.copied().unwrap_or(Self(IpAddr::from([0; 4])))
    }
}

/// Returns the network of a client: an IPv4 address, or the /64 prefix of an IPv6 address.
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
    fn untrusted_peer_cannot_forge_address() {
        assert_eq!(client("1.1.1.1", &["2.2.2.2"], &[]), "1.1.1.1");
        assert_eq!(client("1.1.1.1", &["2.2.2.2"], &["10.0.0.0/8"]), "1.1.1.1");
        // The proxy appends the address it saw at the right.
        let forged = client("10.0.0.1", &["3.3.3.3", "2.2.2.2, 1.1.1.1"], &["10.0.0.0/8"]);
        assert_eq!(forged, "1.1.1.1");
    }

    #[test]
    fn client_is_found_behind_trusted_hops() {
        let trusted = ["10.0.0.0/8", "fd00::/8"];
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 10.0.0.2"], &trusted), "1.1.1.1");
        assert_eq!(client("::ffff:10.0.0.1", &["1.1.1.1"], &trusted), "1.1.1.1");
        assert_eq!(client("fd00::1", &["2001:db8::1"], &trusted), "2001:db8::1");
        assert_eq!(client("10.0.0.1", &["unknown"], &trusted), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[], &trusted), "10.0.0.1");
    }

    #[test]
    fn ipv6_prefix_shares_one_limit() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:1.2.3.4"), of("1.2.3.4"));
    }
}
