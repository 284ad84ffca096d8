//! A sale without a channel: one plain transfer into a till.

use motif_sdk::{
    Error, Pubkey,
    channel::{Currency, Use},
    client::{Client, Sale},
    fingerprint::content_digest,
    pda,
    till::{TillShare, TillShares},
};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{claimable, expected::OPERATOR_FEE_BPS};
use crate::{amount::Money, error::CliError};

/// Who takes part in the sale.
pub struct Parties<'a> {
    pub visitor: &'a Keypair,
    pub operator: &'a Pubkey,
    /// Recipients with the works that they earn by, children first.
    pub recipients: [(&'a Keypair, &'a Pubkey); 3],
    /// The model that is sold, and the picture that it was made from.
    pub works: [&'a Pubkey; 2],
}

/// Base units that the sale moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sold {
    pub paid: u64,
    pub to_creators: u64,
    pub to_operator: u64,
    /// Left in the vault and in the till: rounding that is too small to share yet.
    pub waiting: u64,
}

/// The sale in the report.
#[derive(Serialize)]
pub struct SaleReport {
    pub paid: Money,
    pub to_creators: Money,
    pub to_operator: Money,
    pub waiting: Money,
}

impl Sold {
    /// Returns whether everything that was paid is accounted for.
    pub fn adds_up(&self) -> bool {
        let parts = [self.to_creators, self.to_operator, self.waiting];
        parts.iter().try_fold(0, |sum: u64, part| sum.checked_add(*part)) == Some(self.paid)
    }
}

/// Sells one generation, verifies the sale from the chain, and pays out what it brought.
pub async fn sell(
    client: &Client,
    parties: &Parties<'_>,
    currency: &Currency,
) -> Result<Sold, CliError> {
    let Parties { visitor, operator, recipients, works: [model, _] } = parties;
    let mint = &currency.mint;
    let works = vec![TillShare { work: **model, parts: 10_000 }];
    let shares = TillShares::new(works, Some((**operator, u32::from(OPERATOR_FEE_BPS))));
    client.open_till(*visitor, &shares, currency).await?;
    let before = holdings(client, parties, &shares, currency).await?;

    let request = content_digest(b"Paris, same style");
    let prepared = client.prepare_sale(&shares, mint, (Use::Generate, 1), request, 1).await?;
    let (acceptance, terms_numbers) = prepared;
    let payment = client.pay_till(&shares, currency, acceptance.amount).acceptance(acceptance);
    let signature = payment.send(*visitor).await?.signature;
    let sale = Sale { shares: shares.clone(), terms_numbers, acceptance, signature };
    let paid = client.verify_sale(&sale).await?.paid;

    client.sweep_till(*visitor, &shares, currency).await?;
    client.pull(*visitor, model, mint).await?;
    for (recipient, work) in recipients {
        // The program rejects a claim of nothing, which tiny prices lead to.
        if claimable(client, work, &recipient.pubkey(), mint).await? > 0 {
            client.claim(work, &recipient.pubkey(), currency).send(*visitor).await?;
        }
    }
    let after = holdings(client, parties, &shares, currency).await?;
    let [to_creators, to_operator, waiting] =
        [0, 1, 2].map(|position| after[position].saturating_sub(before[position]));
    Ok(Sold { paid, to_creators, to_operator, waiting })
}

/// Returns what creators, the operator, and vault and till hold, base units.
async fn holdings(
    client: &Client,
    parties: &Parties<'_>,
    shares: &TillShares,
    currency: &Currency,
) -> Result<[u64; 3], Error> {
    let balance = async |owner: &Pubkey| client.token_balance(owner, currency).await;
    let mut creators: Vec<_> =
        parties.recipients.iter().map(|(recipient, _)| recipient.pubkey()).collect();
    creators.sort_unstable();
    creators.dedup();
    let mut held = [0, balance(parties.operator).await?, 0];
    for creator in &creators {
        held[0] += balance(creator).await?; // parts of the test dollar's supply
    }
    let (vault, till) = (pda::vault(&currency.mint), pda::till(shares, &currency.mint));
    held[2] = balance(&vault).await? + balance(&till).await?;
    Ok(held)
}
