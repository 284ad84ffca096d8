use motif_sdk::{Pubkey, channel::Currency, client::Client, earnings::till_tokens, pda};
use serde_json::{Value, json};

use crate::{amount::grouped, answer::pairs, error::CliError};

/// A till, and what it holds.
pub struct Report {
    work: Pubkey,
    mint: Pubkey,
    till: Pubkey,
    /// Where payments go.
    tokens: Pubkey,
    holds: u64,
    swept: u64,
}

impl Report {
    pub async fn read(
        client: &Client,
        work: &Pubkey,
        currency: &Currency,
    ) -> Result<Self, CliError> {
        let till = client.till(work, &currency.mint).await?;
        let address = pda::till(work, &currency.mint);
        Ok(Self {
            work: *work,
            mint: currency.mint,
            till: address,
            tokens: till_tokens(work, currency),
            holds: client.token_balance(&address, currency).await?,
            swept: till.swept,
        })
    }

    pub fn json(&self) -> Value {
        json!({
            "work": self.work.to_string(),
            "mint": self.mint.to_string(),
            "till": self.till.to_string(),
            "tokens": self.tokens.to_string(),
            "holds": self.holds,
            "swept": self.swept,
        })
    }

    pub fn text(&self) -> String {
        pairs([
            ("work", self.work.to_string()),
            ("mint", self.mint.to_string()),
            ("pay to", self.till.to_string()),
            ("token account", self.tokens.to_string()),
            ("holds", grouped(self.holds)),
            ("swept, ever", grouped(self.swept)),
        ])
    }
}
