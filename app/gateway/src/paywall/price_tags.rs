use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use motif_sdk::gateway::wire::{
    Address, Digest, PaidRoute as RouteFacts, PriceTag, Quote, UseWord,
};

use super::PaidRoute;
use crate::{Gateway, problem::ApiError};

/// What routes cost, as the chain said it a short while ago: asking costs strangers nothing, and
/// must not cost a question to a node each time.
#[derive(Debug, Default)]
pub struct PriceTags {
    quotes: Mutex<HashMap<(Address, String), (Instant, Quote)>>,
}

impl PriceTags {
    const GOOD_FOR: Duration = Duration::from_secs(30);

    /// What a route costs.
    ///
    /// # Errors
    /// As [`Gateway::quote`]; what was known is good while the chain does not answer.
    pub async fn of(&self, gateway: &Gateway, route: &PaidRoute) -> Result<PriceTag, ApiError> {
        let quote = self.quote(gateway, route.work, route.licensed_use).await?;
        Ok(PriceTag {
            operator: Address(gateway.operator()),
            cluster: Digest(gateway.cluster().await?),
            quote,
            fixed_units: route.metered.fixed(),
            most_units: route.most_units,
            streams: route.streams,
            hold_seconds: route.hold_seconds(),
        })
    }

    /// What every route costs, those alone that can be licensed now.
    pub async fn all<'a>(
        &self,
        gateway: &Gateway,
        routes: impl IntoIterator<Item = &'a PaidRoute>,
    ) -> Vec<RouteFacts> {
        let mut facts = Vec::new();
        for route in routes {
            match self.of(gateway, route).await {
                Ok(price_tag) => facts.push(RouteFacts {
                    method: route.method.to_string(),
                    path: route.path.clone(),
                    price_tag,
                }),
                Err(error) => tracing::warn!(path = route.path, %error, "a route has no price now"),
            }
        }
        facts
    }

    async fn quote(
        &self,
        gateway: &Gateway,
        work: Address,
        licensed_use: UseWord,
    ) -> Result<Quote, ApiError> {
        let key = (work, licensed_use.to_string());
        let known = self.quotes().get(&key).cloned();
        if let Some((asked_at, quote)) = &known
            && asked_at.elapsed() < Self::GOOD_FOR
        {
            return Ok(quote.clone());
        }
        match gateway.quote(work.0, licensed_use).await {
            Ok(quote) => {
                self.quotes().insert(key, (Instant::now(), quote.clone()));
                Ok(quote)
            }
            Err(ApiError::ChainUnreachable(error)) => {
                known.map(|(_, quote)| quote).ok_or(ApiError::ChainUnreachable(error))
            }
            Err(error) => Err(error),
        }
    }

    /// As many as there are routes, at most.
    fn quotes(&self) -> MutexGuard<'_, HashMap<(Address, String), (Instant, Quote)>> {
        self.quotes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
