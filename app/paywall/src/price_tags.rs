use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use motif_sdk::gateway::{
    ProblemType,
    wire::{Address, Digest, PaidRoute as RouteFacts, PriceTag, Quote, Use},
};

use crate::{engine::PaymentEngine, error::PaywallError, route::PaidRoute};

/// Cache of the routes' prices, so that unpaid requests cause no request to a node each.
#[derive(Debug, Default)]
pub struct PriceTags {
    quotes: Mutex<HashMap<(Address, String), CachedQuote>>,
}

/// Quote with the time of its fetch, locked while it is fetched.
type CachedQuote = Arc<tokio::sync::Mutex<Option<(Instant, Quote)>>>;

impl PriceTags {
    const MAX_AGE: Duration = Duration::from_secs(30);
    /// Pause between attempts while the chain is unreachable.
    const RETRY_AFTER: Duration = Duration::from_secs(1);

    /// Returns the price of a route.
    ///
    /// # Errors
    /// Those of [`PaymentEngine::quote`]; a cached price of any age is used while the chain is
    /// unreachable.
    pub async fn of(
        &self,
        engine: &dyn PaymentEngine,
        route: &PaidRoute,
    ) -> Result<PriceTag, PaywallError> {
        let quote = self.quote(engine, route.work, route.licensed_use).await?;
        let seller = engine.seller().await?;
        Ok(PriceTag {
            operator: seller.operator,
            cluster: Digest(seller.cluster),
            quote,
            fixed_units: route.metered.fixed(),
            most_units: route.most_units,
            streams: route.streams,
            hold_seconds: route.hold_seconds(),
        })
    }

    /// Returns the prices of the routes whose work can be licensed now.
    pub async fn all<'a>(
        &self,
        engine: &dyn PaymentEngine,
        routes: impl IntoIterator<Item = &'a PaidRoute>,
    ) -> Vec<RouteFacts> {
        let mut facts = Vec::new();
        for route in routes {
            match self.of(engine, route).await {
                Ok(price_tag) => facts.push(RouteFacts {
                    method: route.method.to_string(),
                    path: route.path.clone(),
                    price_tag,
                }),
                Err(error) => tracing::warn!(path = route.path, %error, "route has no price"),
            }
        }
        facts
    }

    async fn quote(
        &self,
        engine: &dyn PaymentEngine,
        work: Address,
        licensed_use: Use,
    ) -> Result<Quote, PaywallError> {
        let entry = self.quotes().entry((work, licensed_use.to_string())).or_default().clone();
        // Requests that arrive meanwhile wait for this one's quote.
        let mut cached = entry.lock().await;
        if let Some((fetched_at, quote)) = &*cached
            && fetched_at.elapsed() < Self::MAX_AGE
        {
            return Ok(quote.clone());
        }
        match engine.quote(work.0, licensed_use).await {
            Ok(quote) => {
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

    /// Returns the cache, which has at most one entry per route.
    fn quotes(&self) -> MutexGuard<'_, HashMap<(Address, String), CachedQuote>> {
        self.quotes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
