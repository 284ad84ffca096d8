//! What the gateway says without changing anything: works, prices, itself, receipts.

use std::time::Duration;

use motif_sdk::{
    Pubkey,
    channel::{self, Channel},
    gateway::wire::{
        Address, Amount, ChannelState, Digest, LineageFacts, Operator, Quote, ReceiptPage,
        ReceiptParts, TermsFacts, UsageBy, UsageReport, UseWord, WorkDetailsFacts, WorkFacts,
        WorkList, WorkQuery,
    },
    licensing::{self, Terms},
    receipt::proof::ReceiptProof,
    terms::{
        Denomination,
        rsl::{self, Licensed, Placement},
    },
};

use crate::{Gateway, desk::Desk, problem::ApiError, store::UsageAsked, view::channel_state};

/// Longer than a worker may need for one channel, with a chain that answers slowly.
const WORKER_SILENT: Duration = Duration::from_secs(900);

/// Where the query names no number.
const WORKS_PER_PAGE: u32 = 100;
const MAX_WORKS_PER_PAGE: u32 = 1_000;

impl Gateway {
    /// Whether it works: its store has not failed, its worker makes progress. What fails here is
    /// cured by starting it again, unlike what [`Gateway::ready`] asks.
    ///
    /// # Errors
    /// [`ApiError::StoreFailed`], [`ApiError::WorkerStalled`].
    pub fn alive(&self) -> Result<(), ApiError> {
        if let Some(failure) = self.store().failure() {
            return Err(ApiError::StoreFailed(failure));
        }
        let silent = self.worker_silent_for();
        if silent > WORKER_SILENT { Err(ApiError::WorkerStalled(silent.as_secs())) } else { Ok(()) }
    }

    /// Whether it can serve: its store takes writes, its cluster answers.
    ///
    /// # Errors
    /// [`ApiError::StoreFailed`], [`ApiError::ChainUnreachable`].
    pub async fn ready(&self) -> Result<(), ApiError> {
        self.store().probe().await?;
        Ok(self.chain().reach().await?)
    }

    /// Who runs it, and which channels it serves.
    ///
    /// # Errors
    /// [`ApiError::ChainUnreachable`].
    pub async fn describe(&self) -> Result<Operator, ApiError> {
        let config = self.config();
        Ok(Operator {
            operator: Address(self.operator()),
            cluster: Digest(self.cluster().await?),
            licensing_program: Address(licensing::PROGRAM_ID),
            payments_program: Address(channel::PROGRAM_ID),
            operator_fee_bps: config.operator_fee_bps,
            min_grace_seconds: config.min_grace_seconds.max(Channel::MIN_GRACE_SECONDS),
            min_voucher_seconds: config.min_voucher_seconds,
            mints: config.mints.iter().copied().map(Address).collect(),
        })
    }

    /// A channel as the gateway has it. All of it is on disk: no crash undoes what was shown.
    ///
    /// # Errors
    /// [`ApiError::StoreFailed`].
    pub async fn state(&self, desk: &Desk) -> Result<ChannelState, ApiError> {
        let state = channel_state(&desk.book());
        self.store().flush().await?;
        Ok(state)
    }

    /// Everything the chain says about a work.
    ///
    /// # Errors
    /// [`ApiError::UnknownWork`], [`ApiError::ChainUnreachable`].
    pub async fn work(&self, address: Pubkey) -> Result<WorkDetailsFacts, ApiError> {
        let details = self.chain().work_details(&address).await?;
        let details = details.ok_or(ApiError::UnknownWork(address))?;
        Ok(WorkDetailsFacts::from(&details))
    }

    /// A work's ancestors and descendants.
    ///
    /// # Errors
    /// [`ApiError::UnknownWork`], [`ApiError::ChainUnreachable`].
    pub async fn lineage(&self, address: Pubkey) -> Result<LineageFacts, ApiError> {
        let lineage = self.chain().lineage(&address).await?;
        let lineage = lineage.ok_or(ApiError::UnknownWork(address))?;
        Ok(LineageFacts::from(&lineage))
    }

    /// A page of the works that match.
    ///
    /// # Errors
    /// [`ApiError::ChainUnreachable`].
    pub async fn works(&self, query: &WorkQuery) -> Result<WorkList, ApiError> {
        let entries = self.chain().catalogue(&query.into(), &query.into()).await?;
        let offset = query.offset.unwrap_or(0);
        let limit = query.limit.unwrap_or(WORKS_PER_PAGE).min(MAX_WORKS_PER_PAGE);
        let page = entries.iter().skip(offset as usize).take(limit as usize);
        let works = page.map(WorkFacts::from).collect();
        Ok(WorkList { total: entries.len() as u64, offset, works })
    }

    /// A page of the works that match and offer something, as an RSL document. `base_url` is where
    /// this gateway is reached.
    ///
    /// # Errors
    /// [`ApiError::ChainUnreachable`].
    pub async fn rsl(&self, query: &WorkQuery, base_url: &str) -> Result<String, ApiError> {
        let entries = self.chain().catalogue(&query.into(), &query.into()).await?;
        let offset = query.offset.unwrap_or(0) as usize;
        let limit = query.limit.unwrap_or(WORKS_PER_PAGE).min(MAX_WORKS_PER_PAGE) as usize;
        let offered = entries.iter().filter_map(|entry| Some((entry, entry.terms.as_ref()?)));
        let licensed: Vec<_> = offered
            .skip(offset)
            .take(limit)
            .map(|(entry, published)| {
                let Terms { number, currency, offer, .. } = &published.terms;
                let placement = Placement {
                    content_url: rsl::content_url(&entry.work.content_digest),
                    licensing_url: Some(format!("{base_url}/v1/works/{}", entry.address)),
                    source: format!("Motif terms {number} of {}", entry.address),
                };
                // Decimals matter only where an amount is money, and then they are known.
                let denomination = Denomination::of(currency, 0);
                Licensed { offer: offer.clone(), denomination, placement }
            })
            .collect();
        let document = rsl::feed(&licensed, self.now());
        document.map_err(|error| ApiError::Internal(Box::new(error)))
    }

    /// What a use of a work costs here.
    ///
    /// # Errors
    /// [`ApiError::UnknownWork`], [`ApiError::NoTerms`], [`ApiError::UseNotLicensed`],
    /// [`ApiError::ChainUnreachable`].
    pub async fn quote(&self, address: Pubkey, licensed_use: UseWord) -> Result<Quote, ApiError> {
        let work = self.chain().work(&address).await?.ok_or(ApiError::UnknownWork(address))?;
        let terms = self.chain().terms(&address, work.latest_terms).await?;
        let terms = terms.ok_or(ApiError::NoTerms(address))?;
        let terms = TermsFacts::new(&terms.terms, terms.digest);
        let priced = terms.uses.iter().find(|priced| priced.licensed_use == licensed_use);
        let priced = priced.ok_or_else(|| ApiError::UseNotLicensed {
            work: address,
            licensed_use: licensed_use.to_string(),
        })?;
        let operator_fee_bps = self.config().operator_fee_bps;
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

    /// Receipts of a statement, or of the open one, in order.
    ///
    /// # Errors
    /// [`ApiError::UnknownChannel`], [`ApiError::StoreFailed`].
    pub async fn receipt_page(
        &self,
        channel: Pubkey,
        statement: Option<u64>,
        limit: u32,
        offset: u32,
    ) -> Result<ReceiptPage, ApiError> {
        let desk = self.desk(&channel).await?;
        let open = desk.book().ledger.open_statement().number;
        let statement = statement.unwrap_or(open);
        let generations = self.store().generations(desk.id(), statement, limit, offset).await?;
        let total = self.store().count(desk.id(), statement).await?;
        let parts = generations.iter().map(|generation| ReceiptParts::from(&generation.receipt));
        Ok(ReceiptPage { statement, offset, total, receipts: parts.collect() })
    }

    /// What was used and spent, settled or not: on a channel, or on all.
    ///
    /// # Errors
    /// [`ApiError::UnknownChannel`], [`ApiError::StoreFailed`].
    pub async fn usage(
        &self,
        channel: Option<Pubkey>,
        by: UsageBy,
        from: Option<i64>,
        until: Option<i64>,
    ) -> Result<UsageReport, ApiError> {
        let channel_id = match channel {
            Some(channel) => Some(self.desk(&channel).await?.id()),
            None => None,
        };
        let asked = UsageAsked { by, channel_id, from, until };
        Ok(UsageReport { by, from, until, rows: self.store().usage(&asked).await? })
    }

    /// What proves a settled receipt against its channel's account.
    ///
    /// # Errors
    /// [`ApiError::UnknownReceipt`], [`ApiError::ReceiptNotSettled`],
    /// [`ApiError::ReceiptUnprovable`], [`ApiError::StoreFailed`].
    pub async fn proof(&self, receipt: &[u8; 32]) -> Result<ReceiptProof, ApiError> {
        Ok(self.store().proof(receipt).await?)
    }
}

/// A price with the fee on it, rounded up.
fn with_fee(price: Amount, fee_bps: u16) -> Amount {
    let fee = (u128::from(price.0) * u128::from(fee_bps)).div_ceil(10_000);
    let total = u128::from(price.0) + fee;
    Amount(u64::try_from(total).unwrap_or(u64::MAX))
}
