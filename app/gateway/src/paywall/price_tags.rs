use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use motif_sdk::gateway::wire::{Address, Digest, PaidRoute as RouteFacts, PriceTag, Quote, Use};

use super::PaidRoute;
use crate::{App, error::GatewayError};

/// Cache of the routes' prices, so that unpaid requests cause no request to a node each.
#[derive(Debug, Default)]
pub struct PriceTags {
    quotes: Mutex<HashMap<(Address, String), (Instant, Quote)>>,
}

impl PriceTags {
    const MAX_AGE: Duration = Duration::from_secs(30);

    /// Returns the price of a route.
    ///
    /// # Errors
    /// As [`crate::catalogue::Catalogue::quote`]; a cached price of any age is used while the chain
    /// is unreachable.
    pub async fn of(&self, app: &App, route: &PaidRoute) -> Result<PriceTag, GatewayError> {
        let quote = self.quote(app, route.work, route.licensed_use).await?;
        Ok(PriceTag {
            operator: Address(app.operator()),
            cluster: Digest(app.cluster.tag().await?),
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
        app: &App,
        routes: impl IntoIterator<Item = &'a PaidRoute>,
    ) -> Vec<RouteFacts> {
        let mut facts = Vec::new();
        for route in routes {
            match self.of(app, route).await {
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
        app: &App,
        work: Address,
        licensed_use: Use,
    ) -> Result<Quote, GatewayError> {
        let key = (work, licensed_use.to_string());
        let cached = self.quotes().get(&key).cloned();
        if let Some((fetched_at, quote)) = &cached
            && fetched_at.elapsed() < Self::MAX_AGE
        {
            return Ok(quote.clone());
        }
        match app.catalogue.quote(work.0, licensed_use).await {
            Ok(quote) => {
                self.quotes().insert(key, (Instant::now(), quote.clone()));
                Ok(quote)
            }
            Err(GatewayError::ChainUnreachable(error)) => {
                cached.map(|(_, quote)| quote).ok_or(GatewayError::ChainUnreachable(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the cache, which has at most one entry per route.
    fn quotes(&self) -> MutexGuard<'_, HashMap<(Address, String), (Instant, Quote)>> {
        self.quotes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
