//! Currencies of amounts: the mint that a command uses, and how its amounts are read and printed.

use std::collections::BTreeMap;

use clap::Args;
use motif_localnet::TestDollar;
use motif_sdk::{Error, Pubkey, channel::Currency, client::Client, terms::Denomination};

use crate::{
    amount::{AmountArg, Scale},
    error::CliError,
};

/// Currency of a command's amounts.
#[derive(Args)]
pub struct CurrencyArgs {
    /// Mint of the currency [default: the localnet's test dollar]
    #[arg(long, env = "MOTIF_CURRENCY", hide_env_values = true, value_name = "MINT")]
    currency: Option<Pubkey>,
}

impl CurrencyArgs {
    /// Returns the mint that was given, or else the localnet's test dollar.
    pub fn mint(&self) -> Pubkey {
        self.currency.unwrap_or_else(test_dollar)
    }

    /// Returns the mint that was given.
    pub fn given(&self) -> Option<Pubkey> {
        self.currency
    }
}

/// Returns the mint of the localnet's test dollar.
pub fn test_dollar() -> Pubkey {
    TestDollar::new().mint
}

/// Returns the denomination of a mint that is known without asking a cluster.
pub fn known_denomination(mint: &Pubkey) -> Option<Denomination> {
    // `iso_4217` stays empty: a test dollar is worth nothing.
    let test_dollars = || Denomination {
        name: "test dollars".to_owned(),
        decimals: TestDollar::DECIMALS,
        iso_4217: None,
    };
    (*mint == test_dollar()).then(test_dollars).or_else(|| Denomination::known(mint))
}

/// Returns the denomination of a mint, with the decimals that the cluster has.
///
/// # Errors
/// [`Error::NotFound`] if there is no such mint; [`Error::Transport`].
pub async fn denomination(client: &Client, mint: &Pubkey) -> Result<Denomination, CliError> {
    let decimals = client.decimals(mint).await?;
    let known = known_denomination(mint).filter(|known| known.decimals == decimals);
    Ok(known.unwrap_or_else(|| Denomination::from_mint(mint, decimals)))
}

/// Returns how amounts of a mint are printed: as dollars if it is the test dollar or stands for USD.
///
/// # Errors
/// [`Error::Transport`].
pub async fn scale(client: &Client, mint: &Pubkey) -> Result<Scale, CliError> {
    let decimals = match client.decimals(mint).await {
        Ok(decimals) => decimals,
        // Terms may name any mint; one that does not exist must not stop a list.
        Err(Error::NotFound { .. }) => return Ok(Scale::BaseUnits),
        Err(error) => return Err(error.into()),
    };
    Ok(known_scale(mint)
        .filter(|known| *known == Scale::Dollars(decimals))
        .unwrap_or(Scale::Tokens(decimals)))
}

/// Returns how amounts of a mint are printed, or base units if no cluster was asked about it.
pub fn known_scale(mint: &Pubkey) -> Option<Scale> {
    let known = known_denomination(mint)?;
    let is_dollar = known.iso_4217 == Some("USD") || *mint == test_dollar();
    Some(if is_dollar { Scale::Dollars(known.decimals) } else { Scale::Tokens(known.decimals) })
}

/// Reads an amount of a mint from the command line, in base units.
///
/// # Errors
/// [`CliError::Amount`] if the amount does not fit the currency; [`Error::NotFound`] if there is no
/// such mint; [`Error::Transport`].
pub async fn base_units(
    client: &Client,
    mint: &Pubkey,
    amount: &AmountArg,
) -> Result<u64, CliError> {
    Ok(amount.base_units(client.decimals(mint).await?)?)
}

/// Scales of the mints that one command prints amounts of; reads each mint once.
pub struct Scales<'a> {
    client: &'a Client,
    scales: BTreeMap<Pubkey, Scale>,
}

impl<'a> Scales<'a> {
    pub fn new(client: &'a Client) -> Self {
        Self { client, scales: BTreeMap::new() }
    }

    /// As [`scale`].
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn get(&mut self, mint: &Pubkey) -> Result<Scale, CliError> {
        if let Some(scale) = self.scales.get(mint) {
            return Ok(*scale);
        }
        let scale = scale(self.client, mint).await?;
        self.scales.insert(*mint, scale);
        Ok(scale)
    }
}

/// Checks that an account holds enough tokens to pay an amount.
///
/// # Errors
/// [`CliError::InsufficientTokens`]; [`Error::Transport`].
pub async fn check_balance(
    client: &Client,
    payer: &Pubkey,
    currency: &Currency,
    amount: u64,
) -> Result<(), CliError> {
    let held = client.token_balance(payer, currency).await?;
    if held < amount {
        let scale = scale(client, &currency.mint).await?;
        let (held, wanted) = (scale.money(held), scale.money(amount));
        return Err(CliError::InsufficientTokens { payer: *payer, held, wanted });
    }
    Ok(())
}
