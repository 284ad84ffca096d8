use solana_pubkey::Pubkey;

use super::amount::{decimal, group};

/// Mints of USDC, on mainnet and devnet.
const USDC: [Pubkey; 2] = [
    Pubkey::from_str_const("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGkZwyTDt1v"),
    Pubkey::from_str_const("4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU"),
];

/// Display format of a currency's amounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denomination {
    /// Name of the token.
    pub name: String,
    /// Decimals of the token.
    pub decimals: u8,
    /// ISO 4217 code of the money that a token represents one to one, if any.
    pub iso_4217: Option<&'static str>,
}

impl Denomination {
    /// Returns the denomination of a well-known mint.
    pub fn known(mint: &Pubkey) -> Option<Self> {
        let usdc = Self { name: "USDC".to_owned(), decimals: 6, iso_4217: Some("USD") };
        USDC.contains(mint).then_some(usdc)
    }

    /// Creates the denomination of a mint with `decimals`.
    pub fn from_mint(mint: &Pubkey, decimals: u8) -> Self {
        let unnamed = || Self { name: format!("tokens of {mint}"), decimals, iso_4217: None };
        Self::known(mint).unwrap_or_else(unnamed)
    }

    /// Formats an amount with its name: `0.001 USDC`.
    pub fn show(&self, amount: u64) -> String {
        format!("{} {}", group(&self.decimal(amount)), self.name)
    }

    /// Formats an amount without its name: `0.001`.
    pub fn decimal(&self, amount: u64) -> String {
        decimal(amount.into(), self.decimals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amount_shows_tokens_and_currency() {
        let usdc = Denomination::known(&USDC[1]).unwrap();
        assert_eq!(usdc.show(1_000), "0.001 USDC");
        assert_eq!(usdc.show(1_234_500_000), "1,234.5 USDC");
        let mint = Pubkey::new_from_array([7; 32]);
        assert_eq!(Denomination::known(&mint), None);
        assert_eq!(Denomination::from_mint(&mint, 0).show(3), format!("3 tokens of {mint}"));
    }
}
