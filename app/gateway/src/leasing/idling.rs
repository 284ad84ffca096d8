use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{desk::Desk, store::Lease};

/// Since when nothing has been paid for at each desk.
#[derive(Debug, Default)]
pub struct Idling(HashMap<Lease, (Place, Instant)>);

/// How far a channel's statements have come.
type Place = (u64, u32);

impl Idling {
    /// Those desks that have stood still for so long, that hold room for nobody and settle
    /// nothing; `now` is in unix seconds. Call it again and again: it sees what has changed between two looks.
    pub fn look(&mut self, desks: &[Arc<Desk>], standing: Duration, now: i64) -> Vec<Arc<Desk>> {
        let looked_at = Instant::now();
        let mut seen = HashMap::with_capacity(desks.len());
        let mut idle = Vec::new();
        for desk in desks {
            let (place, is_free) = {
                let book = desk.book();
                let open = book.ledger.open_statement();
                let is_free =
                    book.ledger.holds_nothing(now) && book.ledger.cut_statements().is_empty();
                ((open.number, open.receipts), is_free)
            };
            let before = self.0.get(&desk.lease).filter(|(before, _)| *before == place);
            let since = before.map_or(looked_at, |(_, since)| *since);
            if is_free && looked_at.duration_since(since) >= standing {
                idle.push(desk.clone());
            }
            seen.insert(desk.lease, (place, since));
        }
        self.0 = seen;
        idle
    }
}
