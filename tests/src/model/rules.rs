use crate::world::Code;

/// Every rule that an operation breaks. A program reports one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub Vec<Code>);

/// Broken rules of an operation so far.
#[derive(Debug, Default)]
pub struct Rules(Vec<Code>);

impl Rules {
    /// Records a rule if it is broken; returns whether it holds.
    pub fn require(&mut self, holds: bool, otherwise: impl Into<Code>) -> bool {
        if !holds {
            self.0.push(otherwise.into());
        }
        holds
    }

    /// Returns whether no rule is broken so far.
    pub fn hold(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that no rule is broken.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn check(self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(Refused(self.0)) }
    }
}

/// Returns an error with one broken rule.
pub fn refused<T>(code: impl Into<Code>) -> Result<T, Refused> {
    Err(Refused(vec![code.into()]))
}
