use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use axum::{extract::Request, http::HeaderMap};
use ipnet::IpNet;

/// Address of the client of a request. The connection adds it to the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Header in which trusted proxies name the client. The other one is ignored, because a proxy that
/// writes one of them may pass the client's own value of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`: a list of addresses, with or without ports.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Error returned when a text names no [`ForwardingHeader`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected x-forwarded-for or forwarded")]
pub struct ParseForwardingHeaderError;

impl ForwardingHeader {
    fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }

    /// Returns the address of one hop, or `None` if it has none.
    fn address(self, hop: &str) -> Option<IpAddr> {
        match self {
            Self::XForwardedFor => parse_node(hop.trim()),
            Self::Forwarded => hop.split(';').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                let is_client = name.trim().eq_ignore_ascii_case("for");
                is_client.then(|| parse_node(value.trim().trim_matches('"'))).flatten()
            }),
        }
    }
}

impl FromStr for ForwardingHeader {
    type Err = ParseForwardingHeaderError;

    fn from_str(text: &str) -> Result<Self, ParseForwardingHeaderError> {
        let all = [Self::XForwardedFor, Self::Forwarded];
        let named = all.into_iter().find(|header| header.name().eq_ignore_ascii_case(text));
        named.ok_or(ParseForwardingHeaderError)
    }
}

/// Parses an address, with or without brackets and port.
fn parse_node(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok();
    address.or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

impl ClientAddress {
    /// Returns the client behind a peer.
    ///
    /// The header is read from the right while each hop is a trusted proxy. The first address that
    /// is not a trusted proxy is the client.
    pub fn find(
        peer: IpAddr,
        headers: &HeaderMap,
        trusted: &[IpNet],
        header: ForwardingHeader,
    ) -> Self {
        let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
        let mut client = peer.to_canonical();
        if !is_trusted(&client) {
            return Self(client);
        }
        let lines = headers.get_all(header.name()).iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for hop in hops {
            if !is_trusted(&client) {
                break;
            }
            // Trusted proxies write valid addresses only.
            let Some(address) = header.address(hop) else { break };
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
        client_by(ForwardingHeader::XForwardedFor, peer, forwarded, trusted)
    }

    fn client_by(
        header: ForwardingHeader,
        peer: &str,
        forwarded: &[&str],
        trusted: &[&str],
    ) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(header.name(), line.parse().unwrap());
        }
        let trusted: Vec<_> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        ClientAddress::find(peer.parse().unwrap(), &headers, &trusted, header).0.to_string()
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
    fn port_does_not_hide_client() {
        let trusted = ["10.0.0.0/8"];
        for (forwarded, address) in [
            ("1.2.3.4:5678", "1.2.3.4"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
        ] {
            assert_eq!(client("10.0.0.1", &[forwarded], &trusted), address);
        }
    }

    #[test]
    fn forwarded_header_names_client() {
        let by = |forwarded: &[&str]| {
            client_by(ForwardingHeader::Forwarded, "10.0.0.1", forwarded, &["10.0.0.0/8"])
        };
        assert_eq!(by(&["for=1.1.1.1;proto=https;by=10.0.0.1"]), "1.1.1.1");
        assert_eq!(by(&["proto=http; For=\"[2001:db8::1]:80\", for=10.0.0.2"]), "2001:db8::1");
        assert_eq!(by(&["for=2.2.2.2", "for=1.1.1.1"]), "1.1.1.1");
        assert_eq!(by(&["for=_hidden"]), "10.0.0.1");
    }

    #[test]
    fn other_forwarding_header_is_ignored() {
        let mut headers = HeaderMap::new();
        headers.append("forwarded", "for=6.6.6.6".parse().unwrap());
        let (peer, trusted) = ("10.0.0.1".parse().unwrap(), ["10.0.0.0/8".parse().unwrap()]);
        let header = ForwardingHeader::XForwardedFor;
        assert_eq!(ClientAddress::find(peer, &headers, &trusted, header).0, peer);
    }

    #[test]
    fn ipv6_prefix_shares_one_limit() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:1.2.3.4"), of("1.2.3.4"));
    }
}
