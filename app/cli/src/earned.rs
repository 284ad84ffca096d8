//! `motif earnings`: where the money of a person's works is.

use std::{collections::BTreeMap, fmt};

use motif_sdk::{Pubkey, gateway::wire::PersonEarnings, record::Amounts};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    amount::{Money, Scale},
    currency,
    error::CliError,
    output::table,
    person::prove,
    reference::AccountReference,
    session::Session,
};

/// Output of `motif earnings`.
#[derive(Serialize)]
struct EarnedOutput {
    person: String,
    works: Vec<EarnedWork>,
    totals: Vec<Earned>,
}

/// Earnings of one work.
#[derive(Serialize)]
struct EarnedWork {
    work: String,
    title: String,
    #[serde(flatten)]
    earned: Earned,
}

/// Amounts in one currency.
#[derive(Serialize)]
struct Earned {
    mint: String,
    work_sums: WorkSums,
    own_part: OwnPart,
}

/// Amounts of whole works, of which a part is the person's.
#[derive(Serialize)]
struct WorkSums {
    /// Signed for at the gateway and not settled; `None` if the gateway did not say.
    vouched: Option<Money>,
    /// Settled and not collected.
    settled: Money,
    /// Owed to parents that have not pulled it.
    waiting: Money,
}

/// The person's part of what was collected.
#[derive(Serialize)]
struct OwnPart {
    collected: Money,
    disputed: Money,
    claimable: Money,
    claimed: Money,
}

impl Earned {
    fn new(mint: &Pubkey, vouched: Option<u64>, amounts: &Amounts, scale: Scale) -> Self {
        Self {
            mint: mint.to_string(),
            work_sums: WorkSums {
                vouched: vouched.map(|amount| scale.money(amount)),
                settled: scale.money(amounts.settled),
                waiting: scale.money(amounts.waiting),
            },
            own_part: OwnPart {
                collected: scale.money(amounts.collected),
                disputed: scale.money(amounts.disputed),
                claimable: scale.money(amounts.claimable),
                claimed: scale.money(amounts.claimed),
            },
        }
    }
}

/// Shows the earnings of a person, or of the keypair's owner: those on chain, and those that payers have
/// signed for at the gateway, if it answers.
///
/// # Errors
/// [`CliError`]
pub async fn show(person: Option<AccountReference>, session: &Session) -> Result<(), CliError> {
    let (person, keypair) = match person {
        Some(person) => (person.address()?, None),
        None => {
            let keypair = session.keypair()?;
            (keypair.pubkey(), Some(keypair))
        }
    };
    let client = session.client().await?;
    let record = client.record().await?;
    let mut at_gateway = match &keypair {
        Some(keypair) => vouched(keypair, session).await,
        None => None,
    };
    let is_answered = at_gateway.is_some();
    let mut scales = BTreeMap::new();
    let mut totals: BTreeMap<Pubkey, (Amounts, u64)> = BTreeMap::new();
    let mut works = Vec::new();
    for own in record.of_person(&person) {
        let mut amounts = own.amounts.clone();
        let mut signed = BTreeMap::new();
        if let Some(at_gateway) = &mut at_gateway {
            signed = at_gateway.remove(&own.address).unwrap_or_default();
            for mint in signed.keys() {
                amounts.entry(*mint).or_default();
            }
        }
        for (mint, amounts) in &amounts {
            let scale = match scales.get(mint) {
                Some(scale) => *scale,
                None => *scales.entry(*mint).or_insert(currency::scale(&client, mint).await?),
            };
            let signed = signed.get(mint).copied().unwrap_or(0);
            let total = totals.entry(*mint).or_default();
            total.0.add(amounts);
            total.1 = total.1.saturating_add(signed);
            works.push(EarnedWork {
                work: own.address.to_string(),
                title: own.work.title.clone(),
                earned: Earned::new(mint, is_answered.then_some(signed), amounts, scale),
            });
        }
    }
    let total = |(mint, (amounts, signed)): (&Pubkey, &(Amounts, u64))| {
        let scale = scales.get(mint).copied().unwrap_or(Scale::BaseUnits);
        Earned::new(mint, is_answered.then_some(*signed), amounts, scale)
    };
    let totals = totals.iter().map(total).collect();
    session.print(&EarnedOutput { person: person.to_string(), works, totals });
    Ok(())
}

/// Returns what payers have signed for at the gateway, by work and mint; `None` if it does not answer.
async fn vouched(
    keypair: &Keypair,
    session: &Session,
) -> Option<BTreeMap<Pubkey, BTreeMap<Pubkey, u64>>> {
    match at_gateway(keypair, session).await {
        Ok(earnings) => Some(by_work(&earnings)),
        Err(error) => {
            session.status(format_args!(
                "the gateway does not say what is signed for and not settled: {error}"
            ));
            None
        }
    }
}

async fn at_gateway(keypair: &Keypair, session: &Session) -> Result<PersonEarnings, CliError> {
    let gateway = session.gateway().await.patience(std::time::Duration::from_secs(2));
    let proof = prove(&gateway, session).await?;
    Ok(gateway.person_earnings(&keypair.pubkey(), Some(&proof)).await?)
}

fn by_work(earnings: &PersonEarnings) -> BTreeMap<Pubkey, BTreeMap<Pubkey, u64>> {
    let of_work = |one: &motif_sdk::gateway::wire::PersonWork| {
        let standing = one.currencies.iter().filter_map(|standing| {
            let vouched = standing.vouched?.0;
            Some((standing.currency.0, vouched))
        });
        (one.work.0, standing.collect())
    };
    earnings.works.iter().map(of_work).collect()
}

impl fmt::Display for EarnedOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = |name: &str, earned: &Earned| {
            let (sums, own) = (&earned.work_sums, &earned.own_part);
            let vouched = sums.vouched.as_ref().map_or("-".to_owned(), ToString::to_string);
            [
                name.to_owned(),
                vouched,
                sums.settled.to_string(),
                sums.waiting.to_string(),
                own.collected.to_string(),
                own.disputed.to_string(),
                own.claimable.to_string(),
                own.claimed.to_string(),
            ]
        };
        let works = self.works.iter().map(|one| {
            let name = if one.title.is_empty() { &one.work } else { &one.title };
            cells(name, &one.earned)
        });
        let totals = self.totals.iter().map(|total| cells("total", total));
        let rows: Vec<_> = works.chain(totals).collect();
        let header = [
            "work",
            "vouched\nwhole work",
            "settled\nwhole work",
            "for parents\nwhole work",
            "collected\nown part",
            "disputed\nown part",
            "claimable\nown part",
            "claimed\nown part",
        ];
        write!(formatter, "{}", table(header, &[1, 2, 3, 4, 5, 6, 7], rows))
    }
}
