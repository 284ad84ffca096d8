use std::collections::{BTreeMap, BTreeSet};

use motif_sdk::voucher::Statement;
use motif_store::HoldId;

use super::reservation::PricedItem;

/// Units and prices by license, base units, on top of the open statement.
pub type Added = BTreeMap<u16, (u32, u64)>;

/// Generations of one voucher, as far as they are priced.
pub struct Draft {
    /// Units of the open statement with them.
    pub units: Statement,
    /// Priced items, in order.
    pub items: Vec<PricedItem>,
    /// What they add to the statement.
    pub added: Added,
    /// Holds that they capture.
    pub holds: BTreeSet<HoldId>,
}

impl Draft {
    /// Creates a draft without generations.
    pub fn new(open: &Statement) -> Self {
        let (items, added, holds) = (Vec::new(), Added::new(), BTreeSet::new());
        Self { units: open.clone(), items, added, holds }
    }
}
