use std::rc::Rc;

use crate::{
    model::{Ledger, Refused},
    world::Call,
};

/// What an instruction should do.
type Expectation = Rc<dyn Fn(&mut Ledger) -> Result<(), Refused>>;

/// A call, and what the ledger makes of it. Both can be had again at any later time.
#[derive(Clone)]
pub(super) struct Step {
    pub name: &'static str,
    pub call: Call,
    expectation: Expectation,
}

impl Step {
    pub fn new(
        name: &'static str,
        call: Call,
        expectation: impl Fn(&mut Ledger) -> Result<(), Refused> + 'static,
    ) -> Self {
        Self { name, call, expectation: Rc::new(expectation) }
    }

    /// Tells the ledger.
    pub fn expect(&self, ledger: &mut Ledger) -> Result<(), Refused> {
        (self.expectation)(ledger)
    }
}
