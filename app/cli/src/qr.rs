//! QR codes of Solana Pay links, for wallets on phones.

use std::fmt;

use motif_sdk::{Pubkey, terms::Denomination};
use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};
use serde::{Serialize, Serializer};
use url::form_urlencoded;

use crate::error::CliError;

/// Link of Solana Pay, with its QR code. JSON has the link.
pub struct PayLink {
    link: String,
    code: QrCode,
}

impl PayLink {
    /// Creates a request for a transfer of tokens to a party, for a wallet that knows no Motif.
    ///
    /// # Errors
    /// [`CliError::Usage`] if the link is too long for a code.
    pub fn transfer(
        recipient: &Pubkey,
        currency: &Denomination,
        mint: &Pubkey,
        amount: Option<u64>,
    ) -> Result<Self, CliError> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(amount) = amount {
            query.append_pair("amount", &currency.decimal(amount));
        }
        query.append_pair("spl-token", &mint.to_string());
        Self::new(format!("solana:{recipient}?{}", query.finish()))
    }

    /// Creates a request for a transaction that a server offers at a URL.
    ///
    /// # Errors
    /// As [`PayLink::transfer`].
    pub fn transaction(url: &str) -> Result<Self, CliError> {
        let url: String = form_urlencoded::byte_serialize(url.as_bytes()).collect();
        Self::new(format!("solana:{url}"))
    }

    fn new(link: String) -> Result<Self, CliError> {
        let code = QrCode::with_error_correction_level(&link, EcLevel::L);
        let code = code.map_err(|error| {
            CliError::usage(format!("the link has no QR code: {error}"), "shorten it")
        })?;
        Ok(Self { link, code })
    }
}

impl Serialize for PayLink {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.link)
    }
}

impl fmt::Display for PayLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Light modules as blocks: terminals are dark, and codes are read either way.
        let code = self.code.render::<Dense1x2>().build();
        write!(formatter, "{code}\n{}", self.link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfer_names_token_and_amount() {
        let (till, mint) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        let dollar = Denomination::from_mint(&mint, 6);
        let link = PayLink::transfer(&till, &dollar, &mint, Some(1_500)).unwrap();
        assert_eq!(link.link, format!("solana:{till}?amount=0.0015&spl-token={mint}"));
        let any = PayLink::transfer(&till, &dollar, &mint, None).unwrap();
        assert_eq!(any.link, format!("solana:{till}?spl-token={mint}"));
        let lines = link.to_string().lines().count();
        assert!((15..40).contains(&lines), "{lines}");
    }

    #[test]
    fn transaction_url_is_escaped() {
        let link = PayLink::transaction("https://gw.example/v1/a?use=generate&deposit=5").unwrap();
        let escaped = "https%3A%2F%2Fgw.example%2Fv1%2Fa%3Fuse%3Dgenerate%26deposit%3D5";
        assert_eq!(link.link, format!("solana:{escaped}"));
        assert!(PayLink::transaction(&"x".repeat(5_000)).is_err());
    }
}
