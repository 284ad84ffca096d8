use std::net::SocketAddr;

use super::Secret;

/// Admin listener. It requires a secret.
#[derive(Clone, Debug)]
pub struct AdminConfig {
    /// Listen address; port 0 takes a free one. Plain HTTP: use loopback or a private network.
    pub listen: SocketAddr,
    /// Secret that grants every scope.
    pub secret: Secret,
}
