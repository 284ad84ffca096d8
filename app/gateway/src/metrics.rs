//! Metrics of a running gateway in the OpenMetrics format.

use std::{collections::HashMap, sync::atomic::Ordering, time::Duration};

use parking_lot::RwLock;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::{chain::NodeStatus, store::ExpenseKind};

/// Metrics of a gateway. Label values are bounded: clients choose none of them.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabel, Histogram, fn() -> Histogram>,
    /// Both families by route, so that most requests build no label.
    routes: RwLock<HashMap<String, Vec<RouteMetrics>>>,
    refusals: Family<ProblemLabel, Counter>,
    /// Number of paid generations.
    pub generations: Counter,
    /// Sum of their prices, base units of any mint.
    pub prices: Counter,
    /// Number of retries answered from the store.
    pub repeated: Counter,
    /// Number of answers from the paywall's model server.
    pub answers_made: Counter,
    /// Number of paid answers sent to clients, repeats included.
    pub answers_handed_over: Counter,
    /// Number of stored answers that were changed on disk.
    pub answers_damaged: Counter,
    /// Number of payments to tills that have landed.
    pub sales_landed: Counter,
    /// Number of payments to tills that have failed or expired.
    pub sales_failed: Counter,
    /// Number of confirmed settlement transactions.
    pub settlements: Counter,
    /// Number of settlement transactions signed.
    pub settlement_attempts: Counter,
    /// Number of failed settlement attempts.
    pub settlement_failures: Counter,
    lamports_spent: Family<KindLabel, Counter>,
    /// Number of settlements whose priority fee the daily cap has lowered.
    pub priority_fee_capped: Counter,
    /// Number of failed reads of the cluster.
    pub chain_failures: Counter,
    /// Number of observed rollbacks of settlements.
    pub rollbacks: Counter,
    /// Number of failed trace exports.
    pub trace_failures: Counter,
    /// Number of open connections.
    pub connections: Gauge,
    /// Number of connections refused at the limit.
    pub connections_refused: Counter,
    /// Number of idle connections closed at the limit in favor of an address with fewer.
    pub connections_evicted: Counter,
    snapshot: SnapshotMetrics,
}

/// Metrics that are computed when they are read.
#[derive(Debug, Default)]
struct SnapshotMetrics {
    channels: Gauge,
    channels_stopped: Gauge,
    channels_unreadable: Gauge,
    rows_damaged: Gauge,
    channels_delayed: Gauge,
    channels_dormant: Gauge,
    priority_fees: Gauge,
    sale_fees: Gauge,
    unsettled_receipts: Gauge,
    oldest_unsettled_seconds: Gauge,
    blind_seconds: Gauge,
    operator_lamports: Gauge,
    exposed: Family<MintLabel, Gauge>,
    node_requests: Family<NodeLabel, Counter>,
    node_failures: Family<NodeLabel, Counter>,
    node_behind: Family<NodeLabel, Counter>,
    node_up: Family<NodeLabel, Gauge>,
}

/// Node of the cluster: its index in the configuration and its host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NodeLabel {
    node: u32,
    host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

/// Metrics of a route by method and status.
#[derive(Clone, Debug)]
struct RouteMetrics {
    method: &'static str,
    status: u16,
    requests: Counter,
    seconds: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProblemLabel {
    slug: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MintLabel {
    mint: String,
}

/// Unsettled amounts of all channels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Number of channels.
    pub channels: u64,
    /// Number of channels with a statement that can never settle.
    pub stopped: u64,
    /// Number of channels that cannot be loaded because their stored state is corrupt.
    pub unreadable: u64,
    /// Number of rows of the store that were read and had been changed since they were written.
    pub damaged_rows: u64,
    /// Number of channels whose settlement has taken three attempts or more.
    pub delayed: u64,
    /// Number of channels that are not read periodically, because they have not been used for days.
    pub dormant: u64,
    /// Priority fees of settlements today, lamports.
    pub priority_fees: u64,
    /// Fees for buyers today, lamports, as the daily budget counts them.
    pub sale_fees: u64,
    /// Number of unsettled receipts.
    pub receipts: u64,
    /// Age of the oldest unsettled receipt, seconds.
    pub oldest_seconds: i64,
    /// Longest time since a channel's last read from the cluster, seconds. Dormant channels are left
    /// out.
    pub blind_seconds: u64,
    /// Balance of the fee payer, lamports; `None` before it is read.
    pub operator_lamports: Option<u64>,
    /// Unsettled prices and fees by mint, base units.
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
            routes: RwLock::default(),
            refusals: Family::default(),
            generations: Counter::default(),
            prices: Counter::default(),
            repeated: Counter::default(),
            answers_made: Counter::default(),
            answers_handed_over: Counter::default(),
            answers_damaged: Counter::default(),
            sales_landed: Counter::default(),
            sales_failed: Counter::default(),
            settlements: Counter::default(),
            settlement_attempts: Counter::default(),
            settlement_failures: Counter::default(),
            lamports_spent: Family::default(),
            priority_fee_capped: Counter::default(),
            chain_failures: Counter::default(),
            rollbacks: Counter::default(),
            trace_failures: Counter::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            connections_evicted: Counter::default(),
            snapshot: SnapshotMetrics::default(),
            registry: Registry::default(),
        };
        let Self { snapshot, .. } = &metrics;
        registry.register("requests", "Requests by route and status", metrics.requests.clone());
        let help = "Duration of requests";
        registry.register_with_unit("request", help, Unit::Seconds, metrics.seconds.clone());
        registry.register("refusals", "Problem responses by slug", metrics.refusals.clone());
        for (name, help, counter) in [
            ("generations", "Paid generations", &metrics.generations),
            ("prices", "Prices of paid generations, base units of any mint", &metrics.prices),
            ("repeated", "Retries answered from the store", &metrics.repeated),
            ("answers_made", "Answers from the paywall's model server", &metrics.answers_made),
            (
                "answers_handed_over",
                "Paid answers sent to clients, repeats included",
                &metrics.answers_handed_over,
            ),
            (
                "answers_damaged",
                "Stored answers that were changed on disk and are withheld",
                &metrics.answers_damaged,
            ),
            ("sales_landed", "Payments to tills that have landed", &metrics.sales_landed),
            (
                "sales_failed",
                "Payments to tills that have failed or expired",
                &metrics.sales_failed,
            ),
            ("settlements", "Confirmed settlement transactions", &metrics.settlements),
            ("settlement_attempts", "Settlement transactions signed", &metrics.settlement_attempts),
            ("settlement_failures", "Failed settlement attempts", &metrics.settlement_failures),
            (
                "priority_fee_capped",
                "Settlements whose priority fee the daily cap has lowered",
                &metrics.priority_fee_capped,
            ),
            ("chain_failures", "Failed reads of the cluster", &metrics.chain_failures),
            ("rollbacks", "Observed rollbacks of settlements", &metrics.rollbacks),
            ("trace_failures", "Failed trace exports", &metrics.trace_failures),
            (
                "connections_refused",
                "Connections refused at the limit",
                &metrics.connections_refused,
            ),
            (
                "connections_evicted",
                "Idle connections closed at the limit in favor of an address with fewer",
                &metrics.connections_evicted,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
        for (name, help, gauge) in [
            ("connections", "Open connections", &metrics.connections),
            ("channels", "Channels held by this process", &snapshot.channels),
            (
                "channels_stopped",
                "Channels with a statement that can never settle",
                &snapshot.channels_stopped,
            ),
            (
                "channels_unreadable",
                "Channels whose stored state is corrupt",
                &snapshot.channels_unreadable,
            ),
            (
                "rows_damaged",
                "Rows of the store that were read and had been changed since they were written",
                &snapshot.rows_damaged,
            ),
            (
                "channels_delayed",
                "Channels whose settlement has taken three transactions or more",
                &snapshot.channels_delayed,
            ),
            (
                "channels_dormant",
                "Channels that are read again when they are used",
                &snapshot.channels_dormant,
            ),
            (
                "priority_fees_today_lamports",
                "Priority fees of settlements today, UTC",
                &snapshot.priority_fees,
            ),
            (
                "sale_fees_today_lamports",
                "Fees for buyers today, UTC, as the daily budget counts them",
                &snapshot.sale_fees,
            ),
            ("unsettled_receipts", "Unsettled receipts", &snapshot.unsettled_receipts),
            (
                "oldest_unsettled_seconds",
                "Age of the oldest unsettled receipt",
                &snapshot.oldest_unsettled_seconds,
            ),
            (
                "blind_seconds",
                "Longest time since a channel was read from the cluster",
                &snapshot.blind_seconds,
            ),
            (
                "operator_lamports",
                "Balance of the fee payer, lamports; -1 before it is read",
                &snapshot.operator_lamports,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        for (name, help, family) in [
            ("node_requests", "Requests to a node of the cluster", &snapshot.node_requests),
            ("node_failures", "Failed requests to a node", &snapshot.node_failures),
            (
                "node_behind",
                "Responses of a node behind the highest slot seen",
                &snapshot.node_behind,
            ),
        ] {
            registry.register(name, help, family.clone());
        }
        let help = "Transaction fees that the operator paid, lamports";
        registry.register("lamports_spent", help, metrics.lamports_spent.clone());
        let help = "Whether a node answers; 0 while it is in backoff";
        registry.register("node_up", help, snapshot.node_up.clone());
        let help = "Unsettled prices and fees, base units";
        registry.register("exposed", help, snapshot.exposed.clone());
        Self { registry, ..metrics }
    }
}

impl RouteMetrics {
    fn count(&self, took: Duration) {
        self.seconds.observe(took.as_secs_f64());
        self.requests.inc();
    }
}

impl Metrics {
    /// Content type of OpenMetrics text, version 1.0.0.
    pub const CONTENT_TYPE: &'static str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Counts a request.
    pub fn count_request(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        {
            let routes = self.routes.read();
            let mut metrics = routes.get(route).into_iter().flatten();
            if let Some(own) = metrics.find(|own| own.method == method && own.status == status) {
                return own.count(took);
            }
        }
        let label = RouteLabel { route: route.to_owned() };
        let seconds = self.seconds.get_or_create_owned(&label);
        let label = RequestLabels { route: label.route, method, status };
        let requests = self.requests.get_or_create_owned(&label);
        let own = RouteMetrics { method, status, requests, seconds };
        own.count(took);
        // A concurrent first request adds a second entry with the same counters.
        self.routes.write().entry(label.route).or_default().push(own);
    }

    /// Counts a transaction fee that the operator paid, lamports.
    pub fn count_lamports(&self, kind: ExpenseKind, lamports: u64) {
        let kind = KindLabel { kind: kind.as_str() };
        self.lamports_spent.get_or_create(&kind).inc_by(lamports);
    }

    /// Counts a problem response.
    pub fn count_problem(&self, slug: &'static str) {
        self.refusals.get_or_create(&ProblemLabel { slug }).inc();
    }

    /// Returns all metrics as OpenMetrics text.
    pub fn text(&self, exposure: &Exposure, nodes: &[NodeStatus]) -> String {
        let snapshot = &self.snapshot;
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        snapshot.channels.set(signed(exposure.channels));
        snapshot.channels_stopped.set(signed(exposure.stopped));
        snapshot.channels_unreadable.set(signed(exposure.unreadable));
        snapshot.rows_damaged.set(signed(exposure.damaged_rows));
        snapshot.channels_delayed.set(signed(exposure.delayed));
        snapshot.channels_dormant.set(signed(exposure.dormant));
        snapshot.priority_fees.set(signed(exposure.priority_fees));
        snapshot.sale_fees.set(signed(exposure.sale_fees));
        snapshot.unsettled_receipts.set(signed(exposure.receipts));
        snapshot.oldest_unsettled_seconds.set(exposure.oldest_seconds);
        snapshot.blind_seconds.set(signed(exposure.blind_seconds));
        snapshot.operator_lamports.set(exposure.operator_lamports.map_or(-1, signed));
        snapshot.exposed.clear();
        for (mint, amount) in &exposure.amounts {
            let mint = MintLabel { mint: mint.clone() };
            snapshot.exposed.get_or_create(&mint).set(signed(*amount));
        }
        for (node, status) in (0..).zip(nodes) {
            let label = NodeLabel { node, host: status.host.clone() };
            for (family, count) in [
                (&snapshot.node_requests, status.requests),
                (&snapshot.node_failures, status.failures),
                (&snapshot.node_behind, status.behind),
            ] {
                // The node's own counter never decreases.
                family.get_or_create(&label).inner().store(count, Ordering::Relaxed);
            }
            snapshot.node_up.get_or_create(&label).set(i64::from(!status.is_in_backoff));
        }
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
