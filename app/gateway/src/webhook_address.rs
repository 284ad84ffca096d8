//! Which URLs and addresses webhooks may have.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::LazyLock,
};

use ipnet::IpNet;
use motif_sdk::gateway::wire::NewWebhook;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

/// Networks of IPv4 that are not public: RFC 6890 and multicast.
const PRIVATE_V4: [&str; 15] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];
/// Global unicast of IPv6.
const GLOBAL_V6: &str = "2000::/3";
/// Parts of it that are not public: protocols and Teredo, documentation, 6to4.
const PRIVATE_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

static NOT_PUBLIC: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    let all = PRIVATE_V4.iter().chain(&PRIVATE_V6);
    all.filter_map(|network| network.parse().ok()).collect()
});
static GLOBAL: LazyLock<Option<IpNet>> = LazyLock::new(|| GLOBAL_V6.parse().ok());

/// Error returned when events cannot be sent to a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// Error returned when a URL cannot be parsed, is too long, or has a user name or a password.
    #[error("expected a URL of at most 512 bytes, with a host, without user name and password")]
    Malformed,
    /// Error returned when a URL has another scheme.
    #[error("expected an `https` URL")]
    NotEncrypted,
    /// Error returned when an address is not public.
    #[error("the address is not public")]
    NotPublic,
}

/// Checks a webhook's URL. Names are resolved when events are sent.
///
/// # Errors
/// [`InvalidUrl`].
pub fn check_url(text: &str, allows_private: bool) -> Result<Url, InvalidUrl> {
    let url = Url::parse(text).map_err(|_| InvalidUrl::Malformed)?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    if text.len() > NewWebhook::MAX_URL_BYTES || has_user {
        return Err(InvalidUrl::Malformed);
    }
    let is_encrypted = url.scheme() == "https" || (allows_private && url.scheme() == "http");
    if !is_encrypted {
        return Err(InvalidUrl::NotEncrypted);
    }
    let host = url.host_str().ok_or(InvalidUrl::Malformed)?;
    // The client connects to literal addresses without its resolver.
    let literal = host.trim_matches(['[', ']']).parse().ok();
    match literal.is_some_and(|address| !allows_private && !is_public(address)) {
        true => Err(InvalidUrl::NotPublic),
        false => Ok(url),
    }
}

/// Returns whether an address is reached over the Internet, and is no other machine's way to one that is
/// not.
pub fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical(); // IPv4 in IPv6
    let is_global = address.is_ipv4() || GLOBAL.is_some_and(|global| global.contains(&address));
    is_global && !NOT_PUBLIC.iter().any(|network| network.contains(&address))
}

/// Resolver of the client that sends events. The addresses that it returns are those that the client
/// connects to, so that a name which changes its address gains nothing.
pub struct PublicResolver {
    /// Whether every address is returned.
    pub allows_private: bool,
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allows_private = self.allows_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> =
                found.filter(|found| allows_private || is_public(found.ip())).collect();
            if public.is_empty() {
                return Err(InvalidUrl::NotPublic.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Returns whether a request failed because its name has no public address.
pub fn is_not_public(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<InvalidUrl>().is_some() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_networks_are_not_public() {
        assert_eq!(NOT_PUBLIC.len(), PRIVATE_V4.len() + PRIVATE_V6.len());
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.0.8",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in
            ["1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2a00::1"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn disguised_private_urls_are_rejected() {
        for disguised in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://017700000001/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://10.0.0.1:8443/hook",
            "https://169.254.169.254/",
            "https://0/",
            "https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
            "https://[fd00::1]/",
        ] {
            assert_eq!(
                check_url(disguised, false).err(),
                Some(InvalidUrl::NotPublic),
                "{disguised}"
            );
            assert!(check_url(disguised, true).is_ok(), "{disguised}");
        }
        for other in ["http://example.com/", "ftp://example.com/", "file:///etc/passwd"] {
            assert_eq!(check_url(other, false).err(), Some(InvalidUrl::NotEncrypted), "{other}");
        }
        let long = format!("https://example.com/{}", "a".repeat(NewWebhook::MAX_URL_BYTES));
        for broken in ["", "example.com", "https://", "https://a:b@example.com/", &long] {
            assert_eq!(check_url(broken, false).err(), Some(InvalidUrl::Malformed), "{broken}");
        }
        assert!(check_url("https://hooks.example.com:8443/a?b=c", false).is_ok());
    }

    #[tokio::test]
    async fn name_of_private_address_is_not_resolved() {
        let resolve = async |allows_private| {
            let resolver = PublicResolver { allows_private };
            resolver.resolve("localhost".parse().unwrap()).await
        };
        let refused = resolve(false).await.err().unwrap();
        assert!(is_not_public(&*refused), "{refused}");
        assert!(resolve(true).await.unwrap().next().unwrap().ip().is_loopback());
    }
}
