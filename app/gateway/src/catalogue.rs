//! Works, terms and prices.

use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use motif_sdk::{
    Pubkey,
    bps::{WHOLE_BPS, floor_share},
    channel::{self, Channel},
    client::{CatalogueEntry, PublishedTerms},
    gateway::wire::{
        Address, Amount, Digest, LineageFacts, Operator, Quote, TermsFacts, Use, WorkDetailsFacts,
        WorkFacts, WorkList, WorkQuery,
    },
    licensing::{self, Terms},
    terms::{
        Denomination,
        rsl::{self, Licensed, Placement},
    },
};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    GatewayConfig,
    cache::{Cache, MaxAges},
    chain::Chain,
    cluster::Cluster,
    error::GatewayError,
};

/// Default page size.
const WORKS_PER_PAGE: u32 = 100;
const MAX_WORKS_PER_PAGE: u32 = 1_000;
/// Maximum number of the catalogue's concurrent reads from the cluster, and the wait for one.
const MAX_READS: usize = 16;
const MAX_WAIT: Duration = Duration::from_secs(10);
/// Maximum numbers of results kept.
const MAX_LISTINGS: usize = 32;
const MAX_WORKS: usize = 1_024;

/// Works on chain, their terms and prices, and this gateway's own facts.
///
/// Results are kept for [`GatewayConfig::catalogue_seconds`], and concurrent requests for the same
/// facts share a read from the cluster.
pub struct Catalogue {
    cluster: Arc<Cluster>,
    config: Arc<GatewayConfig>,
    reads: Arc<Semaphore>,
    /// Matching works by query without its page.
    listings: Cache<String, Arc<Vec<CatalogueEntry>>>,
    works: Cache<Pubkey, Arc<WorkDetailsFacts>>,
    lineages: Cache<Pubkey, Arc<LineageFacts>>,
    quotes: Cache<(Pubkey, String), Quote>,
}

impl Catalogue {
    /// Maximum age of an error.
    const ERROR_AGE: Duration = Duration::from_secs(1);

    /// Creates a catalogue. Nothing is read until it is needed.
    pub fn new(cluster: Arc<Cluster>, config: Arc<GatewayConfig>) -> Self {
        let ages = Self::ages(&config);
        Self {
            cluster,
            config,
            reads: Arc::new(Semaphore::new(MAX_READS)),
            listings: Cache::new(ages, MAX_LISTINGS),
            works: Cache::new(ages, MAX_WORKS),
            lineages: Cache::new(ages, MAX_WORKS),
            quotes: Cache::new(ages, MAX_WORKS),
        }
    }

    /// Returns the maximum ages of facts about works.
    pub(crate) fn ages(config: &GatewayConfig) -> MaxAges {
        let value = Duration::from_secs(config.catalogue_seconds.into());
        MaxAges { value, error: Self::ERROR_AGE.min(value) }
    }

    /// Returns the operator and the requirements of channels at this gateway.
    ///
    /// # Errors
    /// [`GatewayError::ChainUnreachable`].
    pub async fn operator(&self) -> Result<Operator, GatewayError> {
        let config = &self.config;
        Ok(Operator {
            operator: Address(config.operator),
            cluster: Digest(self.cluster.tag().await?),
            licensing_program: Address(licensing::PROGRAM_ID),
            payments_program: Address(channel::PROGRAM_ID),
            operator_fee_bps: config.operator_fee_bps,
            min_grace_seconds: config.min_grace_seconds.max(Channel::MIN_GRACE_SECONDS),
            min_voucher_seconds: config
                .min_voucher_seconds
                .saturating_add(config.min_useful_seconds),
            mints: config.mints.iter().copied().map(Address).collect(),
        })
    }

    /// Returns all on-chain facts of a work.
    ///
    /// # Errors
    /// [`GatewayError::UnknownWork`], [`GatewayError::ChainUnreachable`],
    /// [`GatewayError::ReadsBusy`].
    pub async fn work(&self, address: Pubkey) -> Result<Arc<WorkDetailsFacts>, GatewayError> {
        let read = self.reading(move |chain| async move {
            let details = chain.work_details(&address).await?;
            let details = details.ok_or(GatewayError::UnknownWork(address))?;
            Ok(Arc::new(WorkDetailsFacts::from(&details)))
        });
        self.works.get(address, || read).await
    }

    /// Returns a work's ancestors and descendants.
    ///
    /// # Errors
    /// As [`Catalogue::work`].
    pub async fn lineage(&self, address: Pubkey) -> Result<Arc<LineageFacts>, GatewayError> {
        let read = self.reading(move |chain| async move {
            let lineage = chain.lineage(&address).await?;
            let lineage = lineage.ok_or(GatewayError::UnknownWork(address))?;
            Ok(Arc::new(LineageFacts::from(&lineage)))
        });
        self.lineages.get(address, || read).await
    }

    /// Returns a page of matching works.
    ///
    /// # Errors
    /// [`GatewayError::ChainUnreachable`], [`GatewayError::ReadsBusy`].
    pub async fn works(&self, query: &WorkQuery) -> Result<WorkList, GatewayError> {
        let entries = self.entries(query).await?;
        let (offset, limit) = page(query);
        let works = entries.iter().skip(offset as usize).take(limit as usize);
        let works = works.map(WorkFacts::from).collect();
        Ok(WorkList { total: entries.len() as u64, offset, works })
    }

    /// Returns a page of matching works with terms as an RSL document. `base_url` is the URL of
    /// this gateway.
    ///
    /// # Errors
    /// As [`Catalogue::works`].
    pub async fn rsl(&self, query: &WorkQuery, base_url: &str) -> Result<String, GatewayError> {
        let entries = self.entries(query).await?;
        let (offset, limit) = page(query);
        let offered = entries.iter().filter_map(|entry| Some((entry, entry.terms.as_ref()?)));
        let licensed: Vec<_> = offered
            .skip(offset as usize)
            .take(limit as usize)
            .map(|(entry, published)| {
                let content_url = rsl::content_url(&entry.work.content_digest);
                let licensing_url = format!("{base_url}/v1/works/{}", entry.address);
                licensed(entry, published, content_url, licensing_url)
            })
            .collect();
        rsl::feed(&licensed, self.cluster.now()).map_err(GatewayError::internal)
    }

    /// Returns the terms of works as an RSL document, each for a URL where the work is sold. Works
    /// without terms are left out.
    ///
    /// # Errors
    /// As [`Catalogue::works`].
    pub async fn rsl_of(&self, sold: &[(Pubkey, String)]) -> Result<String, GatewayError> {
        let entries = self.entries(&WorkQuery::default()).await?;
        let entries: HashMap<_, _> = entries.iter().map(|entry| (entry.address, entry)).collect();
        let licensed = sold.iter().filter_map(|(work, url)| {
            let entry = entries.get(work)?;
            Some(licensed(entry, entry.terms.as_ref()?, url.clone(), url.clone()))
        });
        let licensed: Vec<_> = licensed.collect();
        rsl::feed(&licensed, self.cluster.now()).map_err(GatewayError::internal)
    }

    /// Returns the price of a work's use at this gateway.
    ///
    /// # Errors
    /// [`GatewayError::UnknownWork`], [`GatewayError::NoTerms`],
    /// [`GatewayError::UseNotLicensed`], [`GatewayError::ChainUnreachable`],
    /// [`GatewayError::ReadsBusy`].
    pub async fn quote(&self, address: Pubkey, licensed_use: Use) -> Result<Quote, GatewayError> {
        let operator_fee_bps = self.config.operator_fee_bps;
        let read = self.reading(move |chain| async move {
            read_quote(&*chain, address, licensed_use, operator_fee_bps).await
        });
        self.quotes.get((address, licensed_use.to_string()), || read).await
    }

    /// Returns a work with its latest terms; `None` if it does not exist.
    ///
    /// # Errors
    /// As [`Catalogue::works`].
    pub async fn entry(&self, address: &Pubkey) -> Result<Option<CatalogueEntry>, GatewayError> {
        let entries = self.entries(&WorkQuery::default()).await?;
        Ok(entries.iter().find(|entry| entry.address == *address).cloned())
    }

    /// Returns all matching works.
    async fn entries(&self, query: &WorkQuery) -> Result<Arc<Vec<CatalogueEntry>>, GatewayError> {
        let query = WorkQuery { limit: None, offset: None, ..query.clone() };
        let key = query.to_string();
        let read = self.reading(move |chain| async move {
            Ok(Arc::new(chain.catalogue(&(&query).into(), &(&query).into()).await?))
        });
        self.listings.get(key, || read).await
    }

    /// Returns a future that reads from the cluster once few enough others do.
    fn reading<T: 'static, R>(
        &self,
        read: impl FnOnce(Arc<dyn Chain>) -> R + Send + 'static,
    ) -> BoxFuture<'static, Result<T, GatewayError>>
    where
        R: Future<Output = Result<T, GatewayError>> + Send + 'static,
    {
        let (chain, reads) = (self.cluster.chain().clone(), self.reads.clone());
        Box::pin(async move {
            let permit = timeout(MAX_WAIT, reads.acquire()).await;
            let _permit = permit.map_err(|_| GatewayError::ReadsBusy)?;
            read(chain).await
        })
    }
}

async fn read_quote(
    chain: &dyn Chain,
    address: Pubkey,
    licensed_use: Use,
    operator_fee_bps: u16,
) -> Result<Quote, GatewayError> {
    let work = chain.work(&address).await?.ok_or(GatewayError::UnknownWork(address))?;
    let terms = chain.terms(&address, work.latest_terms).await?;
    let terms = terms.ok_or(GatewayError::NoTerms(address))?;
    let terms = TermsFacts::new(&terms.terms, terms.digest);
    let priced = terms.uses.iter().find(|priced| priced.licensed_use == licensed_use);
    let priced = priced.ok_or_else(|| GatewayError::UseNotLicensed {
        work: address,
        licensed_use: licensed_use.to_string(),
    })?;
    Ok(Quote {
        work: Address(address),
        licensed_use,
        unit: priced.unit,
        price: priced.price,
        operator_fee_bps,
        price_with_fee: with_fee(priced.price, operator_fee_bps),
        currency: terms.currency,
        terms_number: terms.number,
        terms_digest: terms.digest,
        upfront_fee: terms.upfront_fee,
        free_units: terms.free_units,
    })
}

/// Returns the terms of a work for RSL: for content at a URL, licensed at another.
fn licensed(
    entry: &CatalogueEntry,
    published: &PublishedTerms,
    content_url: String,
    licensing_url: String,
) -> Licensed {
    let Terms { number, currency, offer, .. } = &published.terms;
    let source = format!("Motif terms {number} of {}", entry.address);
    let placement = Placement { content_url, licensing_url: Some(licensing_url), source };
    // RSL states decimals for known currencies only, which define their own.
    let denomination = Denomination::from_mint(currency, 0);
    Licensed { offer: offer.clone(), denomination, placement }
}

/// Returns the offset and the limit of a query.
fn page(query: &WorkQuery) -> (u32, u32) {
    let limit = query.limit.unwrap_or(WORKS_PER_PAGE).min(MAX_WORKS_PER_PAGE);
    (query.offset.unwrap_or(0), limit)
}

/// Adds the fee to a price, rounded up.
fn with_fee(price: Amount, fee_bps: u16) -> Amount {
    // What the floor of the rest leaves is the fee, rounded up.
    let fee = price.0 - floor_share(price.0, WHOLE_BPS.saturating_sub(fee_bps));
    Amount(price.0.saturating_add(fee))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fee_is_rounded_up() {
        for (price, fee_bps, total) in [
            (0, 200, 0),
            (1, 0, 1),
            (1, 200, 2),
            (1_000, 200, 1_020),
            (1_001, 200, 1_022),
            (u64::MAX, 1, u64::MAX),
        ] {
            assert_eq!(with_fee(Amount(price), fee_bps), Amount(total), "{price} at {fee_bps}");
        }
    }
}
