use std::str::FromStr;

/// Configuration of sales without a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleConfig {
    /// URL of the paywall as clients reach it, without a slash at the end. Clients compare it with the
    /// URL that they requested.
    pub public_url: String,
    /// Network that payments name.
    pub network: SaleNetwork,
    /// Minimum amount of a sale, base units; below it only channels pay.
    pub least_price: u64,
    /// Whether version 1 of x402 is offered.
    pub x402_v1: bool,
    /// Whether MPP is offered.
    pub mpp: bool,
    /// Time for which a response waits for the end of a payment, seconds.
    pub settle_seconds: u32,
}

/// Network of payments, with its names in the protocols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaleNetwork {
    /// Solana's main network.
    #[default]
    Mainnet,
    /// Solana's development network.
    Devnet,
    /// Solana's test network.
    Testnet,
    /// A network on this machine, under the x402 names of the development network: clients know no
    /// other ones.
    Localnet,
}

/// Error returned when a text names no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected mainnet, devnet, testnet or localnet")]
pub struct UnknownNetwork;

impl SaleConfig {
    /// Creates a configuration with the defaults: the main network, no least price, both versions of x402,
    /// MPP, and 60 seconds for a payment.
    pub fn new(public_url: impl Into<String>) -> Self {
        let public_url = public_url.into();
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            network: SaleNetwork::default(),
            least_price: 0,
            x402_v1: true,
            mpp: true,
            settle_seconds: 60,
        }
    }

    /// Returns the host of the public URL, MPP's realm.
    pub fn realm(&self) -> &str {
        let rest = self.public_url.split_once("://").map_or(&self.public_url[..], |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }
}

impl SaleNetwork {
    /// Returns the CAIP-2 identifier, as in version 2 of x402.
    pub fn caip2(self) -> &'static str {
        match self {
            Self::Mainnet => "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
            Self::Devnet | Self::Localnet => "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1",
            Self::Testnet => "solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z",
        }
    }

    /// Returns the name in version 1 of x402.
    pub fn v1(self) -> &'static str {
        match self {
            Self::Mainnet => "solana",
            Self::Devnet | Self::Localnet => "solana-devnet",
            Self::Testnet => "solana-testnet",
        }
    }

    /// Returns the name in MPP.
    pub fn mpp(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet-beta",
            Self::Devnet => "devnet",
            Self::Testnet => "testnet",
            Self::Localnet => "localnet",
        }
    }
}

impl FromStr for SaleNetwork {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, UnknownNetwork> {
        match text {
            "mainnet" => Ok(Self::Mainnet),
            "devnet" => Ok(Self::Devnet),
            "testnet" => Ok(Self::Testnet),
            "localnet" => Ok(Self::Localnet),
            _ => Err(UnknownNetwork),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn realm_is_the_host() {
        let realm = |url: &str| SaleConfig::new(url).realm().to_owned();
        assert_eq!(realm("https://gw.example/"), "gw.example");
        assert_eq!(realm("http://127.0.0.1:8790/api"), "127.0.0.1:8790");
        assert_eq!("other".parse::<SaleNetwork>(), Err(UnknownNetwork));
    }
}
