//! Where the money of works and persons is, and what happened: the chain's accounts and this gateway's
//! books side by side.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::HeaderMap;
use motif_sdk::{
    Pubkey,
    gateway::wire::{
        Address, Amount, PaidChannel, PaidChannels, ParentPart, PersonEarnings, PersonProof,
        PersonWork, ReceiptParts, RecipientPart, Role, Standing, WorkEarnings, WorkReceipts,
        WorkUsageBy, WorkUsageReport,
    },
    licensing::Share,
    record::{Amounts, ChainRecord},
    terms::Denomination,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{
    GatewayConfig,
    cache::Cache,
    catalogue::Catalogue,
    clock::system_now,
    cluster::Cluster,
    error::GatewayError,
    store::{Store, WorkUsage, WorkUsageQuery},
};

/// Maximum number of mints whose decimals are kept.
const MAX_MINTS: usize = 1_024;
const SECONDS_PER_DAY: i64 = 86_400;
/// Pause between two looks at the books.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// While payers pay, the share of time in which their generations are added up is one in this many.
const DUTY: u32 = 50;

/// Record of works and persons. What the chain has is read whole and kept as long as the catalogue.
pub struct Record {
    cluster: Arc<Cluster>,
    store: Store,
    operator: Pubkey,
    chain: Cache<(), Arc<ChainRecord>>,
    decimals: Cache<Pubkey, Option<u8>>,
}

impl Record {
    /// Creates a record. Nothing is read until it is needed.
    pub fn new(cluster: Arc<Cluster>, store: Store, config: &GatewayConfig) -> Self {
        let ages = Catalogue::ages(config);
        Self {
            cluster,
            store,
            operator: config.operator,
            chain: Cache::new(ages, 1),
            decimals: Cache::new(ages, MAX_MINTS),
        }
    }

    /// Adds up usage in the background until the gateway stops, so that no report has many generations to read.
    pub async fn run(&self, stop: CancellationToken) {
        let mut left = 0;
        while !stop.is_cancelled() {
            let began = Instant::now();
            // A store that fails is reported by those who need it.
            let now_left = self.books().add_some().await.unwrap_or(0);
            let is_growing = now_left > left;
            left = now_left;
            let pause = match (left, is_growing) {
                (0, _) => LOOK_EVERY,
                (_, true) => began.elapsed().saturating_mul(DUTY),
                (_, false) => Duration::ZERO,
            };
            let _ = timeout(pause, stop.cancelled()).await;
        }
    }

    /// Returns the person that a request proves with the header `motif-person`; `None` without one.
    ///
    /// # Errors
    /// [`GatewayError::NotThePerson`], [`GatewayError::RequestStale`].
    pub fn reader(&self, headers: &HeaderMap) -> Result<Option<Pubkey>, GatewayError> {
        let Some(header) = headers.get(PersonProof::HEADER) else { return Ok(None) };
        let proof = header.to_str().ok().and_then(|text| PersonProof::from_header(text).ok());
        let proof = proof.filter(|proof| proof.verifies(&self.operator));
        let proof = proof.ok_or(GatewayError::NotThePerson)?;
        let now = system_now();
        let left = proof.expires_at.saturating_sub(now);
        match left {
            0..=PersonProof::MAX_SECONDS => {}
            ..0 => return Err(GatewayError::RequestStale { late: left.saturating_neg(), now }),
            _ => {
                let late = PersonProof::MAX_SECONDS.saturating_sub(left);
                return Err(GatewayError::RequestStale { late, now });
            }
        }
        Ok(Some(proof.address.0))
    }

    /// Returns whether a person has a part in anything on chain that events are about.
    ///
    /// # Errors
    /// [`GatewayError::ChainUnreachable`].
    pub async fn has_part(&self, person: &Pubkey) -> Result<bool, GatewayError> {
        let chain = self.chain().await?;
        Ok(persons(&chain).any(|one| one == person))
    }

    /// Returns the channels that an address pays for.
    ///
    /// # Errors
    /// [`GatewayError::ChainUnreachable`].
    pub async fn channels(&self, payer: Pubkey) -> Result<PaidChannels, GatewayError> {
        let chain = self.chain().await?;
        let own = chain.channels.iter().filter(|(_, account)| account.channel.payer == payer);
        let mut channels: Vec<_> =
            own.map(|(address, account)| PaidChannel::new(*address, account)).collect();
        channels.sort_by_key(|channel| channel.channel.0);
        Ok(PaidChannels { channels })
    }

    /// Returns the earnings of a person; with the amounts at this gateway if `reader` is the person.
    ///
    /// # Errors
    /// [`GatewayError::ChainUnreachable`], [`GatewayError::ReadsBusy`], [`GatewayError::StoreFailed`].
    pub async fn person(
        &self,
        person: Pubkey,
        reader: Option<Pubkey>,
    ) -> Result<PersonEarnings, GatewayError> {
        let chain = self.chain().await?;
        let mut totals: BTreeMap<Pubkey, (Amounts, Option<u64>)> = BTreeMap::new();
        let mut works = Vec::new();
        let records = chain.of_person(&person);
        let mut all = match reader == Some(person) {
            true => {
                let paying =
                    records.iter().filter(|one| one.is_recipient || one.work.owner == person);
                let paying: Vec<_> = paying.map(|one| one.address).collect();
                self.books().vouched(&paying).await?
            }
            false => BTreeMap::new(),
        };
        for record in records {
            let is_owner = record.work.owner == person;
            let mut roles = Vec::new();
            for (role, holds) in [
                (Role::Creator, record.work.creator == person),
                (Role::Owner, is_owner),
                (Role::Recipient, record.is_recipient),
            ] {
                roles.extend(holds.then_some(role));
            }
            let mut vouched = all.remove(&record.address);
            let mut currencies = Vec::new();
            let mints = record.amounts.keys().chain(vouched.iter().flat_map(|sums| sums.keys()));
            for mint in mints.copied().collect::<std::collections::BTreeSet<_>>() {
                let amounts = record.amounts.get(&mint).copied().unwrap_or_default();
                let own = vouched.as_mut().map(|sums| sums.remove(&mint).unwrap_or(0));
                let total = totals.entry(mint).or_default();
                total.0.add(&amounts);
                total.1 = sum(total.1, own);
                currencies.push(self.standing(mint, &amounts, own).await?);
            }
            works.push(PersonWork {
                work: Address(record.address),
                title: record.work.title.clone(),
                roles,
                currencies,
            });
        }
        let mut sums = Vec::new();
        for (mint, (amounts, vouched)) in totals {
            sums.push(self.standing(mint, &amounts, vouched).await?);
        }
        let as_of = self.cluster.now();
        Ok(PersonEarnings { person: Address(person), as_of, totals: sums, works })
    }

    /// Returns the earnings of a work; with the amount at this gateway if the work pays `reader`.
    ///
    /// # Errors
    /// [`GatewayError::UnknownWork`]; as [`Record::person`].
    pub async fn work(
        &self,
        address: Pubkey,
        reader: Option<Pubkey>,
    ) -> Result<WorkEarnings, GatewayError> {
        let chain = self.chain().await?;
        let work = chain.work(&address).ok_or(GatewayError::UnknownWork(address))?;
        let is_read = reader.is_some_and(|reader| pays(&chain, &address, &reader));
        let mut vouched = self.vouched(&address, is_read).await?;
        let amounts = chain.of_work(&address);
        let mints = amounts.keys().chain(vouched.iter().flat_map(|sums| sums.keys()));
        let mut currencies = Vec::new();
        for mint in mints.copied().collect::<std::collections::BTreeSet<_>>() {
            let amounts = amounts.get(&mint).copied().unwrap_or_default();
            let own = vouched.as_mut().map(|sums| sums.remove(&mint).unwrap_or(0));
            currencies.push(self.standing(mint, &amounts, own).await?);
        }
        let (head, mut recipients, mut parents) = (work.head(), Vec::new(), Vec::new());
        for account in chain.earnings_of(&address) {
            let currency = Address(account.earnings.mint);
            recipients.extend(account.recipients.iter().enumerate().map(|(position, part)| {
                RecipientPart {
                    currency,
                    recipient: Address(part.key),
                    share_bps: part.share_bps,
                    entitled: Amount(account.entitled(position)),
                    claimed: Amount(part.taken),
                    claimable: Amount(account.claimable(position, &head)),
                }
            }));
            parents.extend(account.parents.iter().enumerate().map(|(position, part)| ParentPart {
                currency,
                work: Address(part.key),
                share_bps: part.share_bps,
                entitled: Amount(account.parent_entitled(position)),
                pulled: Amount(part.taken),
                waiting: Amount(account.pullable(position, &head)),
            }));
        }
        let as_of = self.cluster.now();
        Ok(WorkEarnings { work: Address(address), as_of, currencies, recipients, parents })
    }

    /// Returns the usage of a work for a person whom it pays.
    ///
    /// # Errors
    /// [`GatewayError::UnknownWork`], [`GatewayError::NotThePerson`]; as [`Record::person`].
    pub async fn usage(
        &self,
        address: Pubkey,
        by: WorkUsageBy,
        from: Option<i64>,
        until: Option<i64>,
        reader: Option<Pubkey>,
    ) -> Result<WorkUsageReport, GatewayError> {
        self.check_reader(&address, reader).await?;
        let rows = self.books().report(&WorkUsageQuery { work: address, by, from, until }).await?;
        let begin =
            |second: i64| second.div_euclid(SECONDS_PER_DAY).saturating_mul(SECONDS_PER_DAY);
        let end = |second: i64| begin(second.saturating_sub(1)).saturating_add(SECONDS_PER_DAY);
        let (from, until) = (from.map(begin), until.map(end));
        Ok(WorkUsageReport { work: Address(address), by, from, until, rows })
    }

    /// Returns receipts of a work on a channel, for a person whom the work pays.
    ///
    /// # Errors
    /// As [`Record::usage`].
    pub async fn receipts(
        &self,
        address: Pubkey,
        channel: Pubkey,
        from: (u64, u32),
        limit: u32,
        reader: Option<Pubkey>,
    ) -> Result<WorkReceipts, GatewayError> {
        self.check_reader(&address, reader).await?;
        let queries = self.store.reporting().queries();
        let found = queries.generations_of_work(&address, &channel, from, limit).await?;
        let parts = found.iter().map(|generation| ReceiptParts::from(&generation.receipt));
        Ok(WorkReceipts { receipts: parts.collect() })
    }

    /// Checks that a work pays a reader.
    async fn check_reader(
        &self,
        address: &Pubkey,
        reader: Option<Pubkey>,
    ) -> Result<(), GatewayError> {
        let chain = self.chain().await?;
        chain.work(address).ok_or(GatewayError::UnknownWork(*address))?;
        match reader.is_some_and(|reader| pays(&chain, address, &reader)) {
            true => Ok(()),
            false => Err(GatewayError::NotThePerson),
        }
    }

    async fn vouched(
        &self,
        work: &Pubkey,
        is_read: bool,
    ) -> Result<Option<BTreeMap<Pubkey, u64>>, GatewayError> {
        if !is_read {
            return Ok(None);
        }
        Ok(self.books().vouched(std::slice::from_ref(work)).await?.remove(work))
    }

    async fn standing(
        &self,
        mint: Pubkey,
        amounts: &Amounts,
        vouched: Option<u64>,
    ) -> Result<Standing, GatewayError> {
        let known = Denomination::known(&mint);
        let decimals = match &known {
            Some(known) => Some(known.decimals),
            None => self.decimals(mint).await?,
        };
        Ok(Standing {
            currency: Address(mint),
            decimals,
            dollars: known.as_ref().is_some_and(|known| known.iso_4217 == Some("USD")),
            symbol: known.map(|known| known.name),
            vouched: vouched.map(Amount),
            settled: Amount(amounts.settled),
            collected: Amount(amounts.collected),
            waiting: Amount(amounts.waiting),
            disputed: Amount(amounts.disputed),
            claimable: Amount(amounts.claimable),
            claimed: Amount(amounts.claimed),
        })
    }

    async fn decimals(&self, mint: Pubkey) -> Result<Option<u8>, GatewayError> {
        let chain = self.cluster.chain().clone();
        let read = async move { Ok(chain.currency(&mint).await?.map(|(_, decimals)| decimals)) };
        self.decimals.get(mint, || read).await
    }

    /// Returns what the chain has of works, earnings and channels.
    ///
    /// # Errors
    /// [`GatewayError::ChainUnreachable`].
    pub(crate) async fn chain(&self) -> Result<Arc<ChainRecord>, GatewayError> {
        let chain = self.cluster.chain().clone();
        self.chain.get((), || async move { Ok(Arc::new(chain.record().await?)) }).await
    }

    fn books(&self) -> &WorkUsage {
        self.store.reporting().works()
    }
}

/// Returns the persons with a part in anything on chain that events are about: owners, creators and recipients of
/// works, former ones too, those who consented, recipients of proposed splits, claimants of disputes, and payers.
/// Some are returned more than once.
pub fn persons(chain: &ChainRecord) -> impl Iterator<Item = &Pubkey> {
    let works = chain.works.iter().flat_map(|(_, work)| {
        let consent = work.consent.iter().map(|consent| &consent.person);
        [&work.owner, &work.creator].into_iter().chain(consent).chain(recipients(&work.split))
    });
    let paid = chain.earnings.iter().flat_map(|account| account.recipients.iter());
    let proposed = chain.split_changes.iter().flat_map(|change| recipients(&change.split));
    works
        .chain(paid.map(|part| &part.key))
        .chain(proposed)
        .chain(chain.disputes.iter().map(|dispute| &dispute.claimant))
        .chain(chain.channels.iter().map(|(_, account)| &account.channel.payer))
}

fn recipients(split: &[Share]) -> impl Iterator<Item = &Pubkey> {
    split.iter().map(|share| &share.recipient)
}

/// Returns whether a work pays a person: its owner, a recipient, or a former one with earnings left.
fn pays(chain: &ChainRecord, work: &Pubkey, person: &Pubkey) -> bool {
    let is_listed = chain.work(work).is_some_and(|account| {
        account.owner == *person || account.split.iter().any(|share| share.recipient == *person)
    });
    is_listed || chain.earnings_of(work).any(|account| account.position(person).is_some())
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    }
}
