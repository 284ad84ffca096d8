use std::collections::BTreeMap;

use motif_sdk::gateway::wire::SettlementReport;

/// Settle requests of a channel's payer. Each settles what was unsettled when it first arrived, however
/// often it is repeated while it is fresh.
#[derive(Debug, Default)]
pub struct SettleRequests(BTreeMap<i64, SettleRequest>);

/// Settle request that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleRequest {
    /// Unix second of its first arrival.
    pub arrived_at: i64,
    /// Number of the first statement that it does not settle.
    pub before: u64,
    /// Statements that it has settled, oldest first.
    pub reports: Vec<SettlementReport>,
}

impl SettleRequests {
    /// Time for which requests are remembered, seconds. A request is fresh for at most ten minutes.
    const KEPT_SECONDS: i64 = 900;

    /// Returns an earlier request with this time of issue. Requests of one second cannot be told apart:
    /// until its end a repeated one counts as another.
    pub fn earlier(&self, issued_at: i64, now: i64) -> Option<&SettleRequest> {
        self.0.get(&issued_at).filter(|earlier| earlier.arrived_at < now)
    }

    /// Remembers a request that settles the statements before a number.
    pub fn begin(&mut self, issued_at: i64, before: u64, now: i64) {
        self.0.retain(|_, earlier| earlier.arrived_at.saturating_add(Self::KEPT_SECONDS) >= now);
        let new = SettleRequest { arrived_at: now, before, reports: Vec::new() };
        let request = self.0.entry(issued_at).or_insert(new);
        request.before = request.before.max(before);
    }

    /// Records the statements that a request has settled.
    pub fn record(&mut self, issued_at: i64, reports: &[SettlementReport]) {
        if let Some(request) = self.0.get_mut(&issued_at) {
            request.reports.extend_from_slice(reports);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_remembered_while_fresh() {
        let mut requests = SettleRequests::default();
        requests.begin(100, 1, 1_000);
        assert_eq!(requests.earlier(100, 1_000), None, "the same second");
        requests.begin(100, 3, 1_000);
        let expected = SettleRequest { arrived_at: 1_000, before: 3, reports: Vec::new() };
        assert_eq!(requests.earlier(100, 1_001), Some(&expected));
        assert_eq!(requests.earlier(101, 1_001), None);
        requests.begin(700, 4, 1_900);
        assert!(requests.earlier(100, 1_901).is_some());
        requests.begin(701, 4, 1_901);
        assert!(requests.earlier(100, 1_902).is_none());
    }
}
