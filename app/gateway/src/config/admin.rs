use std::net::SocketAddr;

use super::Secret;

/// Where operators are listened to. There is no such listener without a secret.
#[derive(Clone, Debug)]
pub struct AdminConfig {
    /// Where; port 0 for any free one. Plain HTTP: keep it on loopback or a private network.
    pub listen: SocketAddr,
    /// Who knows it may do everything.
    pub secret: Secret,
}
