//! Figures about a running gateway, as Prometheus reads them.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, atomic::Ordering},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::chain::NodeStanding;

/// A gateway's figures. Labels have few values: nothing that clients choose is one.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    /// Both of these, by route: most requests find theirs without a label being made.
    answers: RwLock<HashMap<String, Vec<Answers>>>,
    refusals: Family<Refused, Counter>,
    /// Generations that were paid for.
    pub generations: Counter,
    /// Their prices, base units of any mint.
    pub prices: Counter,
    /// Answers to retries, from the store.
    pub repeated: Counter,
    /// Answers that a model server has made behind the paywall.
    pub answers_made: Counter,
    /// Answers that were handed over, paid; repeated ones, too.
    pub answers_handed_over: Counter,
    /// Settlement transactions that landed.
    pub settlements: Counter,
    /// Settlements that have to be tried again.
    pub settlement_failures: Counter,
    /// What they cost.
    pub settlement_lamports: Counter,
    /// Questions to the cluster that got no answer.
    pub chain_failures: Counter,
    /// How often the cluster was seen to have taken settlements back.
    pub rollbacks: Counter,
    /// Attempts to send spans that no collector took.
    pub trace_failures: Counter,
    /// Open connections.
    pub connections: Gauge,
    /// Connections that were refused because there were too many.
    pub connections_refused: Counter,
    standing: Standing,
}

/// Figures that are taken when they are asked for.
#[derive(Debug, Default)]
struct Standing {
    channels: Gauge,
    unsettled_receipts: Gauge,
    oldest_unsettled_seconds: Gauge,
    blind_seconds: Gauge,
    exposed: Family<Currency, Gauge>,
    node_requests: Family<NodeLabel, Counter>,
    node_failures: Family<NodeLabel, Counter>,
    node_behind: Family<NodeLabel, Counter>,
    node_up: Family<NodeLabel, Gauge>,
}

/// A node of the cluster: its place among the settings, and its host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NodeLabel {
    node: u32,
    host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// The figures of one route's answers to a method with a status.
#[derive(Clone, Debug)]
struct Answers {
    method: &'static str,
    status: u16,
    requests: Counter,
    seconds: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    slug: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Currency {
    mint: String,
}

/// What waits for settlement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Channels that are served.
    pub channels: u64,
    /// Receipts that have not settled.
    pub receipts: u64,
    /// Age of the oldest of them.
    pub oldest_seconds: i64,
    /// How long ago the channel was looked at on chain that waits longest for it.
    pub blind_seconds: u64,
    /// Prices and fees of the receipts, base units by mint.
    pub amounts: Vec<(String, u64)>,
}

fn seconds() -> Histogram {
    Histogram::new([0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 120.0])
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("motif");
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            answers: RwLock::default(),
            refusals: Family::default(),
            generations: Counter::default(),
            prices: Counter::default(),
            repeated: Counter::default(),
            answers_made: Counter::default(),
            answers_handed_over: Counter::default(),
            settlements: Counter::default(),
            settlement_failures: Counter::default(),
            settlement_lamports: Counter::default(),
            chain_failures: Counter::default(),
            rollbacks: Counter::default(),
            trace_failures: Counter::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            standing: Standing::default(),
            registry: Registry::default(),
        };
        let Self { standing, .. } = &metrics;
        registry.register("requests", "Requests by route and status", metrics.requests.clone());
        let help = "How long answers took";
        registry.register_with_unit("request", help, Unit::Seconds, metrics.seconds.clone());
        registry.register("refusals", "Refusals by the problem's slug", metrics.refusals.clone());
        for (name, help, counter) in [
            ("generations", "Generations that were paid for", &metrics.generations),
            ("prices", "Prices of generations, base units of any mint", &metrics.prices),
            ("repeated", "Retries answered from the store", &metrics.repeated),
            ("answers_made", "Answers made behind the paywall", &metrics.answers_made),
            (
                "answers_handed_over",
                "Paid answers handed over, repeated ones too",
                &metrics.answers_handed_over,
            ),
            ("settlements", "Settlement transactions that landed", &metrics.settlements),
            (
                "settlement_failures",
                "Settlements that have to be tried again",
                &metrics.settlement_failures,
            ),
            ("settlement_lamports", "What settlements cost", &metrics.settlement_lamports),
            (
                "chain_failures",
                "Questions to the cluster that got no answer",
                &metrics.chain_failures,
            ),
            ("rollbacks", "Looks at settlements that were taken back", &metrics.rollbacks),
            (
                "trace_failures",
                "Attempts to send spans that no collector took",
                &metrics.trace_failures,
            ),
            (
                "connections_refused",
                "Connections refused because there were too many",
                &metrics.connections_refused,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
        for (name, help, gauge) in [
            ("connections", "Open connections", &metrics.connections),
            ("channels", "Channels that are served", &standing.channels),
            ("unsettled_receipts", "Receipts that have not settled", &standing.unsettled_receipts),
            (
                "oldest_unsettled_seconds",
                "Age of the oldest unsettled receipt",
                &standing.oldest_unsettled_seconds,
            ),
            (
                "blind_seconds",
                "How long no answer came about the channel that waits longest for one",
                &standing.blind_seconds,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        for (name, help, family) in [
            ("node_requests", "Questions to a node of the cluster", &standing.node_requests),
            ("node_failures", "Those that it did not answer", &standing.node_failures),
            ("node_behind", "Answers older than what was known", &standing.node_behind),
        ] {
            registry.register(name, help, family.clone());
        }
        let help = "Whether a node answers: 0 while others are asked first";
        registry.register("node_up", help, standing.node_up.clone());
        let help = "Prices and fees that wait for settlement, base units";
        registry.register("exposed", help, standing.exposed.clone());
        Self { registry, ..metrics }
    }
}

impl Answers {
    fn count(&self, took: Duration) {
        self.seconds.observe(took.as_secs_f64());
        self.requests.inc();
    }
}

impl Metrics {
    /// What `GET /metrics` is answered with: OpenMetrics text, version 1.0.0.
    pub const CONTENT_TYPE: &'static str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// An answered request.
    pub fn answered(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        {
            let known = self.answers.read().unwrap_or_else(PoisonError::into_inner);
            let mut answers = known.get(route).into_iter().flatten();
            if let Some(own) = answers.find(|own| own.method == method && own.status == status) {
                return own.count(took);
            }
        }
        let label = Route { route: route.to_owned() };
        let seconds = self.seconds.get_or_create_owned(&label);
        let label = Answered { route: label.route, method, status };
        let requests = self.requests.get_or_create_owned(&label);
        let own = Answers { method, status, requests, seconds };
        own.count(took);
        let mut known = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        // Twice where two are the first: both count the same.
        known.entry(label.route).or_default().push(own);
    }

    /// A refusal.
    pub fn refused(&self, slug: &'static str) {
        self.refusals.get_or_create(&Refused { slug }).inc();
    }

    /// All figures, with what waits for settlement now.
    pub fn text(&self, exposure: &Exposure, nodes: &[NodeStanding]) -> String {
        let standing = &self.standing;
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        standing.channels.set(signed(exposure.channels));
        standing.unsettled_receipts.set(signed(exposure.receipts));
        standing.oldest_unsettled_seconds.set(exposure.oldest_seconds);
        standing.blind_seconds.set(signed(exposure.blind_seconds));
        standing.exposed.clear();
        for (mint, amount) in &exposure.amounts {
            let mint = Currency { mint: mint.clone() };
            standing.exposed.get_or_create(&mint).set(signed(*amount));
        }
        for (node, standing_of) in (0..).zip(nodes) {
            let label = NodeLabel { node, host: standing_of.host.clone() };
            for (family, count) in [
                (&standing.node_requests, standing_of.asked),
                (&standing.node_failures, standing_of.failed),
                (&standing.node_behind, standing_of.behind),
            ] {
                // The node counts itself, and never backwards.
                family.get_or_create(&label).inner().store(count, Ordering::Relaxed);
            }
            standing.node_up.get_or_create(&label).set(i64::from(!standing_of.is_resting));
        }
        let mut text = String::new();
        // It writes into a string, which takes everything.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
