use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use motif_sdk::gateway::wire::{
    Address, Digest, PaidRoute as RouteFacts, PriceTag, Quote, Use,
};

use super::PaidRoute;
use crate::{App, error::GatewayError};

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
    /// As [`crate::catalogue::Catalogue::quote`]; what was known is good while the chain does not answer.
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

    /// What every route costs, those alone that can be licensed now.
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
                Err(error) => tracing::warn!(path = route.path, %error, "a route has no price now"),
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
        let known = self.quotes().get(&key).cloned();
        if let Some((asked_at, quote)) = &known
            && asked_at.elapsed() < Self::GOOD_FOR
        {
            return Ok(quote.clone());
        }
        match app.catalogue.quote(work.0, licensed_use).await {
            Ok(quote) => {
                self.quotes().insert(key, (Instant::now(), quote.clone()));
                Ok(quote)
            }
            Err(GatewayError::ChainUnreachable(error)) => {
                known.map(|(_, quote)| quote).ok_or(GatewayError::ChainUnreachable(error))
            }
            Err(error) => Err(error),
        }
    }

    /// As many as there are routes, at most.
    fn quotes(&self) -> MutexGuard<'_, HashMap<(Address, String), (Instant, Quote)>> {
        self.quotes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
