use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use motif_sdk::gateway::{
    ProblemType,
    wire::{Address, Digest, PaidRoute as RouteFacts, PriceTag, Quote, Use},
};

use crate::{
    engine::PaymentEngine,
    error::PaywallError,
    route::{PaidRoute, route_key},
    unpaid::Unpaid,
};

/// Cache of prices, so that unpaid requests cause no request to a node each, and of the responses that name
/// them.
#[derive(Debug, Default)]
pub struct PriceTags {
    quotes: Mutex<HashMap<(Address, Use), CachedQuote>>,
    /// By route, with the quote that the response was written for.
    unpaid: Mutex<HashMap<usize, WrittenResponse>>,
}

/// Quote, and the response that was written for it.
type WrittenResponse = (Arc<Quote>, Arc<Unpaid>);

/// Quote with the time of its fetch, locked while it is fetched.
type CachedQuote = Arc<tokio::sync::Mutex<Option<(Instant, Arc<Quote>)>>>;

impl PriceTags {
    const MAX_AGE: Duration = Duration::from_secs(30);
    /// Pause between attempts while the chain is unreachable.
    const RETRY_AFTER: Duration = Duration::from_secs(1);

    /// Returns the response that names the price of a route.
    ///
    /// # Errors
    /// Those of [`PaymentEngine::quote`]; a cached price of any age is used while the chain is
    /// unreachable.
    pub(crate) async fn unpaid(
        &self,
        engine: &dyn PaymentEngine,
        route: &Arc<PaidRoute>,
    ) -> Result<Arc<Unpaid>, PaywallError> {
        let quote = self.quote(engine, route.work, route.licensed_use).await?;
        let key = route_key(route);
        if let Some((written_for, unpaid)) = lock(&self.unpaid).get(&key)
            && Arc::ptr_eq(written_for, &quote)
        {
            return Ok(unpaid.clone());
        }
        let seller = engine.seller().await?;
        let unpaid = Arc::new(Unpaid::new(PriceTag {
            operator: seller.operator,
            cluster: Digest(seller.cluster),
            quote: (*quote).clone(),
            fixed_units: route.metered.fixed(),
            most_units: route.most_units,
            streams: route.streams,
            hold_seconds: route.hold_seconds(),
        }));
        lock(&self.unpaid).insert(key, (quote, unpaid.clone()));
        Ok(unpaid)
    }

    async fn quote(
        &self,
        engine: &dyn PaymentEngine,
        work: Address,
        licensed_use: Use,
    ) -> Result<Arc<Quote>, PaywallError> {
        let entry = lock(&self.quotes).entry((work, licensed_use)).or_default().clone();
        // Requests that arrive meanwhile wait for this one's quote.
        let mut cached = entry.lock().await;
        if let Some((fetched_at, quote)) = &*cached
            && fetched_at.elapsed() < Self::MAX_AGE
        {
            return Ok(quote.clone());
        }
        match engine.quote(work.0, licensed_use).await {
            Ok(quote) => {
                let quote = Arc::new(quote);
                *cached = Some((Instant::now(), quote.clone()));
                Ok(quote)
            }
            Err(error) if error.problem_type() == ProblemType::ChainUnreachable => {
                let (fetched_at, quote) = cached.take().ok_or(error)?;
                // The next request after a second tries again.
                let retry_after = Self::MAX_AGE.saturating_sub(Self::RETRY_AFTER);
                let aged = Instant::now().checked_sub(retry_after).unwrap_or(fetched_at);
                *cached = Some((aged, quote.clone()));
                Ok(quote)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the prices of the routes whose work can be licensed now.
    pub async fn all<'a>(
        &self,
        engine: &dyn PaymentEngine,
        routes: impl IntoIterator<Item = &'a Arc<PaidRoute>>,
    ) -> Vec<RouteFacts> {
        let mut facts = Vec::new();
        for route in routes {
            match self.unpaid(engine, route).await {
                Ok(unpaid) => facts.push(RouteFacts {
                    method: route.method.to_string(),
                    path: route.path.clone(),
                    price_tag: unpaid.price_tag().clone(),
                }),
                Err(error) => tracing::warn!(path = route.path, %error, "route has no price"),
            }
        }
        facts
    }
}

/// Locks a cache, which has at most one entry per route.
fn lock<T>(cache: &Mutex<T>) -> MutexGuard<'_, T> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}
