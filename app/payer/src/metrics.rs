use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::callers::Caller;

/// Metrics of a service in the OpenMetrics format. Label values are bounded: clients choose none of them.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    problems: Family<ProblemLabel, Counter>,
    parts: Family<CallerLabel, Counter>,
    payments: Family<CallerLabel, Counter>,
    spent_today: Family<CallerLabel, Gauge>,
    available: Family<ChannelLabel, Gauge>,
    lamports_today: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    caller: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProblemLabel {
    slug: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallerLabel {
    caller: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelLabel {
    channel: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("motif_payer"),
            requests: Family::default(),
            problems: Family::default(),
            parts: Family::default(),
            payments: Family::default(),
            spent_today: Family::default(),
            available: Family::default(),
            lamports_today: Gauge::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("requests", "Requests through the proxy", self.requests.clone());
        registry.register("problems", "Requests that were not bought", self.problems.clone());
        registry.register("parts", "Paid parts of streams", self.parts.clone());
        registry.register("payments", "Payments over the JSON interface", self.payments.clone());
        let about = "Spending of this UTC day, base units, fees and upfront fees included";
        registry.register("spent_today", about, self.spent_today.clone());
        let about = "Part of the deposit that is neither owed nor signed, base units";
        registry.register("available", about, self.available.clone());
        let about = "Rent and transaction fees of the wallet on this UTC day, lamports";
        registry.register("lamports_today", about, self.lamports_today.clone());
        self
    }

    /// Counts a request through the proxy that was not bought.
    pub fn count_problem(&self, caller: &Caller, slug: &'static str) {
        self.problems.get_or_create(&ProblemLabel { slug }).inc();
        self.count(caller, "problem");
    }

    /// Counts a request through the proxy.
    pub fn count(&self, caller: &Caller, outcome: &'static str) {
        let caller = caller.to_string();
        self.requests.get_or_create(&RequestLabels { caller, outcome }).inc();
    }

    /// Counts a paid part of a stream.
    pub fn count_part(&self, caller: &Caller) {
        self.parts.get_or_create(&CallerLabel { caller: caller.to_string() }).inc();
    }

    /// Counts a payment over the JSON interface.
    pub fn count_payment(&self, caller: &Caller) {
        self.payments.get_or_create(&CallerLabel { caller: caller.to_string() }).inc();
    }

    /// Returns the text that a scraper reads, with the spending of callers today and what is available on
    /// channels, base units, and with rent and fees of today, lamports.
    pub fn text(
        &self,
        spent: impl IntoIterator<Item = (String, u64)>,
        available: impl IntoIterator<Item = (String, u64)>,
        lamports: u64,
    ) -> String {
        let signed = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
        for (caller, spent) in spent {
            self.spent_today.get_or_create(&CallerLabel { caller }).set(signed(spent));
        }
        self.lamports_today.set(signed(lamports));
        self.available.clear(); // channels close
        for (channel, available) in available {
            self.available.get_or_create(&ChannelLabel { channel }).set(signed(available));
        }
        let mut text = String::new();
        // Writing to a `String` succeeds.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
