use std::net::IpAddr;

use reqwest::Url;

/// Returns whether a URL's host is this machine. A URL without a host is a path on it.
pub fn is_local(url: &Url) -> bool {
    match url.host_str() {
        None | Some("" | "localhost") => true,
        // The folder of a socket.
        Some(host) if host.to_uppercase().starts_with("%2F") => true,
        Some(host) => {
            let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
            ip.is_ok_and(|ip| ip.is_loopback())
        }
    }
}
