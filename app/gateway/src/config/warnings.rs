use std::net::IpAddr;

use reqwest::Url;

use super::{Faults, GatewayConfig, host::is_local};

impl GatewayConfig {
    /// Returns warnings about valid settings that expose the gateway or send data unencrypted.
    pub fn warnings(&self) -> Faults {
        let mut warnings = Faults::default();
        let mut warn = |is_risky: bool, key: &str, what: &str| {
            if is_risky {
                warnings.add(key, "", what);
            }
        };
        let trusts_all = self.trusted_proxies.iter().any(|network| network.prefix_len() < 8);
        let what =
            "trusts much of the internet: any client can choose the address that it is limited by";
        warn(trusts_all, "proxies.trusted", what);
        let admin = self.admin.as_ref().is_some_and(|admin| is_public(admin.listen.ip()));
        let what = "reachable from outside in clear text: use loopback or a private network";
        warn(admin, "admin.listen", what);
        let clear = self.store.server().is_some_and(|url| url.is_remote() && !url.is_encrypted());
        let what = "connects to a remote server that need not encrypt: add ?sslmode=verify-full";
        warn(clear, "store", what);
        let clear = self.rpc_urls.iter().any(|url| is_remote_and_clear(url));
        let what = "reaches a remote node in clear text, which others can change: use https://";
        warn(clear, "rpc_url", what);
        let limits = &self.limits;
        let rates = [limits.address, limits.channel, limits.key, limits.settlements];
        let none = rates.iter().all(|rate| rate.count == 0);
        warn(none, "limits", "no rate is limited");
        for (key, path) in &self.keys.files {
            let what = format!("{} is accessible to all users: chmod 600", path.display());
            warn(motif_sdk::keypair::is_exposed(path), key, &what);
        }
        warnings
    }
}

/// Returns whether an address can be reached from other than private networks.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

fn is_remote_and_clear(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "http" && !is_local(&url))
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, sync::Arc};

    use solana_keypair::Keypair;

    use super::*;
    use crate::config::{AdminConfig, Rate};

    fn config() -> GatewayConfig {
        let keypair = Arc::new(Keypair::new_from_array([8; 32]));
        let store = std::path::PathBuf::from("gateway.sqlite");
        GatewayConfig::new("http://127.0.0.1:8899", keypair, store)
    }

    fn keys(change: impl FnOnce(&mut GatewayConfig)) -> Vec<String> {
        let mut config = config();
        change(&mut config);
        config.warnings().iter().map(|warning| warning.key.clone()).collect()
    }

    #[test]
    fn risky_settings_are_warned_of() {
        assert!(keys(|_| ()).is_empty());
        let trusted = keys(|config| config.trusted_proxies = vec!["128.0.0.0/1".parse().unwrap()]);
        assert_eq!(trusted, ["proxies.trusted"]);
        let trusted = keys(|config| config.trusted_proxies = vec!["::/0".parse().unwrap()]);
        assert_eq!(trusted, ["proxies.trusted"]);
        let unlimited = keys(|config| {
            let none = Rate::per_second(0, 0);
            let limits = &mut config.limits;
            (limits.address, limits.channel) = (none, none);
            (limits.key, limits.settlements) = (none, none);
        });
        assert_eq!(unlimited, ["limits"]);
    }

    #[test]
    fn public_admin_listener_is_warned_of() {
        let warned = |listen: &str| {
            let (listen, secret) = (listen.parse().unwrap(), "x".repeat(32).parse().unwrap());
            keys(|config| config.admin = Some(AdminConfig { listen, secret }))
        };
        for public in ["0.0.0.0:1", "[::]:1", "8.8.8.8:1"] {
            assert_eq!(warned(public), ["admin.listen"], "{public}");
        }
        for private in ["127.0.0.1:1", "10.0.0.1:1", "192.168.1.1:1", "[::1]:1", "[fd00::1]:1"] {
            assert!(warned(private).is_empty(), "{private}");
        }
    }

    #[test]
    fn clear_text_connection_is_warned_of() {
        let node = |url: &str| keys(|config| config.rpc_urls.push(url.to_owned()));
        for local in ["http://localhost:1", "http://[::1]:1", "https://rpc.example"] {
            assert!(node(local).is_empty(), "{local}");
        }
        assert_eq!(node("http://rpc.example"), ["rpc_url"]);
        assert_eq!(node("http://10.0.0.5:8899"), ["rpc_url"]);
        let store = |url: &str| keys(|config| config.store = url.parse().unwrap());
        for risky in ["", "?sslmode=disable", "?sslmode=prefer", "?a=b&sslmode=allow"] {
            assert_eq!(store(&format!("postgres://db.example/motif{risky}")), ["store"], "{risky}");
        }
        for good in [
            "postgres://db.example/motif?sslmode=verify-full",
            "postgres://db.example/motif?sslmode=require",
            "postgres://127.0.0.1/motif?sslmode=disable",
            "postgres://%2Fvar%2Frun%2Fpostgresql/motif",
        ] {
            assert!(store(good).is_empty(), "{good}");
        }
    }

    #[test]
    fn exposed_keypair_is_warned_of() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let warned = |mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(file.path(), permissions).unwrap();
            keys(|config| config.keys.files = vec![("keys.settle", file.path().to_owned())])
        };
        assert_eq!((warned(0o644), warned(0o600)), (vec!["keys.settle".to_owned()], vec![]));
    }
}
