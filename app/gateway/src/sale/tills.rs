use std::{sync::Arc, time::Duration};

use motif_paywall::{PaidRoutes, SaleItem};
use motif_sdk::{
    Pubkey,
    channel::Currency,
    client::{sale_amount, sale_obstacle, sale_price},
    gateway::wire::Use,
    licensing::WorkStatus,
    pda,
    till::{TillShare, TillShares},
};
use motif_signer::Purpose;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    Sales,
    open_till::{OpenTill, SaleTerms},
};
use crate::{error::GatewayError, operator_keys::sign_blocking};

/// Parts of a work in a till whose operator takes a fee: the fee's basis points are the operator's.
const WORK_PARTS: u32 = 10_000;
/// Pause before the routes' terms are read again if all tills are open, and if one is not, in polls of the
/// cluster: ten seconds.
const OPEN_EVERY: Duration = Duration::from_secs(60);
const RETRY_POLLS: u32 = 20;

impl Sales {
    /// Opens the tills of the routes, and continues the payments of an earlier process; then opens the
    /// tills of new terms until `stop` is cancelled. No request opens a till.
    pub(crate) async fn run(self: Arc<Self>, routes: Option<PaidRoutes>, stop: CancellationToken) {
        let mut is_resumed = false;
        while !stop.is_cancelled() {
            if !is_resumed {
                let resumed = self.resume().await;
                is_resumed = resumed.is_ok();
                if let Err(error) = resumed {
                    tracing::error!(%error, "sent payments were not read, and will be read again");
                }
            }
            let opened = match &routes {
                Some(routes) => self.open_tills(routes).await,
                None => Ok(true),
            };
            let pause = match opened {
                Ok(true) if is_resumed => OPEN_EVERY,
                Ok(true) => self.cluster.poll_interval() * RETRY_POLLS,
                Ok(false) => self.cluster.poll_interval() * RETRY_POLLS,
                Err(error) => {
                    tracing::warn!(%error, "a till was not opened");
                    self.cluster.poll_interval() * RETRY_POLLS
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(pause) => {}
            }
        }
        self.stop.cancel();
    }

    /// Opens the tills of the routes that are sold without a channel. Returns whether the till of every
    /// such route is open.
    async fn open_tills(&self, routes: &PaidRoutes) -> Result<bool, GatewayError> {
        let mut are_open = true;
        for route in routes.paid() {
            if let Some(units) = route.fixed_sale_units() {
                are_open &= self.open_route(route.work.0, route.licensed_use, units).await?;
            }
        }
        Ok(are_open)
    }

    /// Opens the till of a route, if its work is sold. Returns whether it is open.
    async fn open_route(
        &self,
        work: Pubkey,
        licensed_use: Use,
        units: u32,
    ) -> Result<bool, GatewayError> {
        let Some(terms) = self.terms(work, licensed_use).await? else { return Ok(false) };
        let mint = terms.published.terms.currency;
        if self.tills.0.read().contains_key(&(work, mint)) {
            return Ok(true);
        }
        let shares = self.shares(work);
        let is_sold = self.price(&terms, &shares, licensed_use, units).is_some();
        if !is_sold || !self.serves(&mint) {
            return Ok(false);
        }
        let chain = self.cluster.chain();
        let Some((currency, decimals)) = chain.currency(&mint).await? else { return Ok(false) };
        let address = pda::till(&shares, &mint);
        if chain.till(&address).await?.is_none() {
            self.open_till(&shares, &currency).await?;
            tracing::info!(%work, %mint, "opened a till");
        }
        self.tills.0.write().insert((work, mint), OpenTill { address, shares, currency, decimals });
        Ok(true)
    }

    async fn open_till(
        &self,
        shares: &TillShares,
        currency: &Currency,
    ) -> Result<(), GatewayError> {
        let (chain, shares, currency) = (self.cluster.chain().clone(), shares.clone(), *currency);
        let opened =
            sign_blocking(self.keys.fee_payer(), Purpose::FeePayer, move |signer| async move {
                chain.open_till(&signer, &shares, &currency).await
            });
        Ok(opened.await??)
    }

    /// Returns how units of a work's use are sold now, or `None` if they are not.
    pub(super) async fn sale_item(
        &self,
        work: Pubkey,
        licensed_use: Use,
        units: u32,
    ) -> Result<Option<SaleItem>, GatewayError> {
        let now = self.cluster.now();
        if !self.budget.has_room(now) || self.funds.check_payable().is_err() {
            return Ok(None);
        }
        let Some(terms) = self.terms(work, licensed_use).await? else { return Ok(None) };
        let published = &terms.published;
        let till = self.tills.0.read().get(&(work, published.terms.currency)).cloned();
        let Some(till) = till else { return Ok(None) };
        let Some(amount) = self.price(&terms, &till.shares, licensed_use, units) else {
            return Ok(None);
        };
        Ok(Some(SaleItem {
            cluster: self.cluster.tag().await?,
            till: till.address,
            shares: till.shares,
            mint: till.currency.mint,
            token_program: till.currency.token_program,
            decimals: till.decimals,
            licensed_use,
            units,
            amount,
            terms_number: published.terms.number,
            terms_digest: published.digest,
            fee_payer: self.fee_payer(),
        }))
    }

    /// Returns the amount of units, base units; `None` if they are not sold.
    fn price(
        &self,
        terms: &SaleTerms,
        shares: &TillShares,
        licensed_use: Use,
        units: u32,
    ) -> Option<u64> {
        let now = self.cluster.now();
        let is_disputed = terms.work.status == WorkStatus::Disputed;
        if is_disputed || sale_obstacle(&terms.work, None, now).is_some() {
            return None;
        }
        let mint = &terms.published.terms.currency;
        let price = sale_price(&terms.published, shares, mint, licensed_use, units, now).ok()?;
        let parts = shares.works.first()?.parts;
        sale_amount(shares, parts, price, units).filter(|amount| *amount > 0)
    }

    /// Returns the shares of a work's till.
    fn shares(&self, work: Pubkey) -> TillShares {
        let fee = self.fee_bps();
        if fee == 0 {
            return TillShares::sole(work);
        }
        let works = vec![TillShare { work, parts: WORK_PARTS }];
        TillShares::new(works, Some((self.config.operator, fee.into())))
    }

    /// Returns whether the gateway serves a mint.
    pub(super) fn serves(&self, mint: &Pubkey) -> bool {
        self.config.mints.is_empty() || self.config.mints.contains(mint)
    }

    /// Returns a mint's currency and decimals.
    pub(super) async fn currency(
        &self,
        mint: Pubkey,
    ) -> Result<Option<(Currency, u8)>, GatewayError> {
        let chain = self.cluster.chain().clone();
        let read = async move { Ok(chain.currency(&mint).await?) };
        self.currencies.get(mint, || read).await
    }

    /// Returns a work with its latest terms, or `None` if it has none.
    async fn terms(
        &self,
        work: Pubkey,
        licensed_use: Use,
    ) -> Result<Option<Arc<SaleTerms>>, GatewayError> {
        let chain = self.cluster.chain().clone();
        let read = async move {
            let Some(account) = chain.work(&work).await? else { return Ok(None) };
            let published = chain.terms(&work, account.latest_terms).await?;
            Ok(published.map(|published| Arc::new(SaleTerms { work: account, published })))
        };
        self.terms.get((work, licensed_use.to_string()), || read).await
    }

    /// Returns whether a till is at an address that pays this operator at least its fee: one of the
    /// routes, or another seller's.
    pub(super) async fn has_till(&self, address: &Pubkey) -> Result<bool, GatewayError> {
        if self.tills.0.read().values().any(|open| open.address == *address) {
            return Ok(true);
        }
        let till = self.cluster.chain().till(address).await?;
        let fee = u64::from(self.fee_bps());
        // Tills are opened by any key: one with a trifle for the operator earns it no fees.
        let pays = |shares: &TillShares| {
            let works: u64 = shares.works.iter().map(|share| u64::from(share.parts)).sum();
            let operator = u64::from(shares.operator_parts) * u64::from(WORK_PARTS);
            fee > 0 && shares.operator == self.config.operator && operator >= fee * works
        };
        Ok(till.is_some_and(|till| pays(&till.shares)))
    }

    /// Returns the operator's fee of a sale, basis points.
    fn fee_bps(&self) -> u16 {
        self.sales.fee_bps.unwrap_or(self.config.operator_fee_bps)
    }
}
