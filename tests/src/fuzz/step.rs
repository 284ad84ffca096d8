use std::rc::Rc;

use crate::{
    model::{Ledger, Refused},
    world::Call,
};

/// Expected effect of an instruction.
type Expectation = Rc<dyn Fn(&mut Ledger) -> Result<(), Refused>>;

/// Call with its expected effect on the model. Both can be repeated later.
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

    /// Applies the call to the model.
    pub fn expect(&self, ledger: &mut Ledger) -> Result<(), Refused> {
        (self.expectation)(ledger)
    }
}
