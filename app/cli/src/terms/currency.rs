//! How amounts of a currency are read and shown.

use motif_localnet::TestDollar;
use motif_sdk::{Pubkey, client::Client, terms::Denomination};

use crate::error::CliError;

/// A currency that needs no cluster to be known.
pub fn known(mint: &Pubkey) -> Option<Denomination> {
    // A test dollar stands for no money, whatever it is called.
    let test_dollars = || Denomination {
        name: "test dollars".to_owned(),
        decimals: TestDollar::DECIMALS,
        iso_4217: None,
    };
    let is_test_dollar = *mint == TestDollar::new().mint;
    is_test_dollar.then(test_dollars).or_else(|| Denomination::known(mint))
}

/// A currency as the cluster has it.
///
/// # Errors
/// [`motif_sdk::Error::NotFound`] without such a mint; [`motif_sdk::Error::Transport`].
pub async fn denomination(client: &Client, mint: &Pubkey) -> Result<Denomination, CliError> {
    let decimals = client.decimals(mint).await?;
    let known = known(mint).filter(|known| known.decimals == decimals);
    Ok(known.unwrap_or_else(|| Denomination::of(mint, decimals)))
}
