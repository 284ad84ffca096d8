use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use serde::Deserialize;

use crate::problem::PayerError;

/// Host, or host and port, that may be fetched although it is on a private or loopback network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AllowedTarget {
    host: String,
    port: Option<u16>,
}

/// Error returned when a text is not `HOST` or `HOST:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected HOST or HOST:PORT, such as 127.0.0.1:9000")]
pub struct InvalidTarget;

/// URL that the proxy fetches. Its host is on a public network or allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Url);

/// Resolver that returns addresses on public networks, and all addresses of allowed hosts.
pub struct PublicResolver {
    allowed: Arc<[AllowedTarget]>,
}

impl Target {
    /// Parses the path and query of a request to the proxy: `/https://host/path?query`.
    ///
    /// # Errors
    /// [`PayerError::InvalidTarget`], [`PayerError::ForbiddenTarget`].
    pub fn from_path(path: &str, allowed: &[AllowedTarget]) -> Result<Self, PayerError> {
        let text = path.strip_prefix('/').unwrap_or(path);
        // Some clients join the two slashes.
        for scheme in ["https:/", "http:/"] {
            if let Some(rest) = text.strip_prefix(scheme) {
                let rest = rest.strip_prefix('/').unwrap_or(rest);
                return Self::parse(&format!("{scheme}/{rest}"), allowed);
            }
        }
        Err(PayerError::NotFound)
    }

    /// Parses a URL.
    ///
    /// # Errors
    /// [`PayerError::InvalidTarget`], [`PayerError::ForbiddenTarget`].
    pub fn parse(text: &str, allowed: &[AllowedTarget]) -> Result<Self, PayerError> {
        let url: Url = text.parse().map_err(|_| PayerError::InvalidTarget("invalid URL"))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(PayerError::InvalidTarget("expected http or https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PayerError::InvalidTarget("expected no user name in the URL"));
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(PayerError::InvalidTarget("expected a host"));
        };
        let is_allowed = allowed.iter().any(|target| target.matches(host, port));
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        if ip.is_some_and(|ip| !is_public(ip)) && !is_allowed {
            return Err(PayerError::ForbiddenTarget);
        }
        // A name is checked when it is resolved; a port that is not allowed, here.
        let is_listed = allowed.iter().any(|target| target.host == host);
        if ip.is_none() && is_listed && !is_allowed {
            return Err(PayerError::ForbiddenTarget);
        }
        Ok(Self(url))
    }

    /// Returns the URL.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns scheme, host and port.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Returns the URL without its query and fragment, which may have secrets.
    pub fn shown(&self) -> String {
        let mut shown = self.0.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        let query = if self.0.query().is_some() { "?…" } else { "" };
        format!("{shown}{query}")
    }

    /// Resolves the location of a redirect; returns `None` if it is invalid or leaves the origin.
    pub fn redirect(&self, location: &str) -> Option<String> {
        let url = self.0.join(location).ok()?;
        (url.origin() == self.0.origin()).then(|| url.into())
    }
}

impl AllowedTarget {
    fn matches(&self, host: &str, port: u16) -> bool {
        self.host == host && self.port.is_none_or(|own| own == port)
    }
}

impl FromStr for AllowedTarget {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        // The host in the form that URLs have.
        let url: Url = format!("http://{text}/").parse().map_err(|_| InvalidTarget)?;
        let is_origin = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let host = url.host_str().filter(|_| is_origin && url.username().is_empty());
        let port = match text.rsplit_once(':') {
            Some((_, digits)) if !digits.contains(']') => {
                Some(digits.parse().map_err(|_| InvalidTarget)?)
            }
            _ => None,
        };
        Ok(Self { host: host.ok_or(InvalidTarget)?.to_owned(), port })
    }
}

impl TryFrom<String> for AllowedTarget {
    type Error = InvalidTarget;

    fn try_from(text: String) -> Result<Self, InvalidTarget> {
        text.parse()
    }
}

impl PublicResolver {
    /// Creates a resolver.
    pub fn new(allowed: &[AllowedTarget]) -> Self {
        Self { allowed: allowed.into() }
    }
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.allowed.clone();
        Box::pin(async move {
            let is_allowed = allowed.iter().any(|target| target.host == name.as_str());
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> =
                found.filter(|address| is_allowed || is_public(address.ip())).collect();
            if found.is_empty() {
                return Err(Box::from(PrivateHost));
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Error returned when a host has no address on a public network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host has no address on a public network")]
pub struct PrivateHost;

/// Returns whether an address is on the public Internet.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [first, second, third, _] = ip.octets();
    let is_special = matches!(
        (first, second, third),
        // This network, shared addresses, protocol assignments, benchmarks, multicast and reserved.
        (0, ..)
            | (100, 64..=127, _)
            | (192, 0, 0)
            | (192, 88, 99)
            | (198, 18..=19, _)
            | (224.., ..)
    );
    let is_local = ip.is_loopback() || ip.is_private() || ip.is_link_local();
    !is_special && !is_local && !ip.is_documentation()
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(ip) = ip.to_ipv4_mapped() {
        return is_public_v4(ip);
    }
    let segments = ip.segments();
    // Global unicast, without translation, tunnels and documentation.
    let is_global = segments[0] & 0xe000 == 0x2000;
    let is_tunnel = segments[0] == 0x2002 || (segments[0] == 0x2001 && segments[1] < 0x0200);
    let is_documentation = segments[..2] == [0x2001, 0x0db8] || segments[0] & 0xfff0 == 0x3ff0;
    is_global && !is_tunnel && !is_documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> Vec<AllowedTarget> {
        vec!["127.0.0.1:9000".parse().unwrap(), "shop.internal:8443".parse().unwrap()]
    }

    #[test]
    fn proxy_path_names_a_url() {
        let read = |path: &str| Target::from_path(path, &[]);
        for (path, url) in [
            ("/https://shop.example/v1/a%2Fb?q=1&r=%20", "https://shop.example/v1/a%2Fb?q=1&r=%20"),
            ("/http://shop.example:81/", "http://shop.example:81/"),
            ("/https:/shop.example/v1", "https://shop.example/v1"),
        ] {
            assert_eq!(read(path).unwrap().as_str(), url, "{path}");
        }
        assert!(matches!(read("/v1/pay"), Err(PayerError::NotFound)));
        assert!(matches!(read("/ftp://shop.example/"), Err(PayerError::NotFound)));
        assert!(matches!(read("/https://u:p@shop.example/"), Err(PayerError::InvalidTarget(_))));
        assert!(matches!(read("/https://"), Err(PayerError::InvalidTarget(_))));
    }

    #[test]
    fn private_address_is_forbidden() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "2130706433",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[ff02::1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001:0:1::]",
        ] {
            let read = Target::parse(&format!("http://{host}/"), &[]);
            assert!(matches!(read, Err(PayerError::ForbiddenTarget)), "{host}");
        }
        for host in ["93.184.216.34", "[2606:2800:220:1::1]", "shop.example"] {
            assert!(Target::parse(&format!("https://{host}/"), &[]).is_ok(), "{host}");
        }
    }

    #[test]
    fn allowed_target_is_one_port() {
        let fits = |url: &str| Target::parse(url, &allowed()).is_ok();
        assert!(fits("http://127.0.0.1:9000/a") && fits("https://shop.internal:8443/"));
        assert!(!fits("http://127.0.0.1:9001/a") && !fits("http://127.0.0.2:9000/"));
        assert!(!fits("https://shop.internal/"));
        assert_eq!("a/b".parse::<AllowedTarget>(), Err(InvalidTarget));
        assert_eq!("a:70000".parse::<AllowedTarget>(), Err(InvalidTarget));
        let any: AllowedTarget = "[::1]".parse().unwrap();
        assert!(Target::parse("http://[::1]:5/", &[any]).is_ok());
    }

    #[tokio::test]
    async fn private_name_is_not_resolved() {
        let resolve = |allowed: &[AllowedTarget]| {
            PublicResolver::new(allowed).resolve("localhost".parse().unwrap())
        };
        assert!(resolve(&[]).await.is_err());
        assert!(resolve(&["localhost:1".parse().unwrap()]).await.is_ok());
    }

    #[test]
    fn redirect_stays_at_its_origin() {
        let target = Target::parse("https://shop.example/a/b", &[]).unwrap();
        assert_eq!(target.redirect("../c").as_deref(), Some("https://shop.example/c"));
        assert_eq!(target.redirect("https://shop.example:444/"), None);
        assert_eq!(target.redirect("//other.example/"), None);
        assert_eq!(target.redirect("http://shop.example/"), None);
    }

    #[test]
    fn shown_url_has_no_query() {
        let target = Target::parse("https://shop.example/a?key=secret#f", &[]).unwrap();
        assert_eq!(target.shown(), "https://shop.example/a?…");
    }
}
