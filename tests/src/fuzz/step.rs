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
    /// Attack that the call is a move of.
    pub attack: Option<&'static str>,
    expectation: Expectation,
}

impl Step {
    pub fn new(
        name: &'static str,
        call: Call,
        expectation: impl Fn(&mut Ledger) -> Result<(), Refused> + 'static,
    ) -> Self {
        Self { name, call, attack: None, expectation: Rc::new(expectation) }
    }

    /// Joins steps into one transaction; `None` without steps.
    pub fn joined(name: &'static str, steps: Vec<Self>) -> Option<Self> {
        let call = steps.iter().map(|step| step.call.clone()).reduce(Call::then)?;
        Some(Self::new(name, call, move |ledger| {
            let mut after = ledger.clone();
            steps.iter().try_for_each(|step| step.expect(&mut after))?;
            *ledger = after;
            Ok(())
        }))
    }

    /// Marks the call as a move of an attack.
    pub fn of_attack(self, attack: &'static str) -> Self {
        Self { attack: Some(attack), ..self }
    }

    /// Applies the call to the model.
    pub fn expect(&self, ledger: &mut Ledger) -> Result<(), Refused> {
        (self.expectation)(ledger)
    }
}
