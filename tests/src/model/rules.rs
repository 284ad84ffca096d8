use crate::world::Code;

/// Why an operation has to be refused: every rule it breaks. Which of them a program names
/// first is its own affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub Vec<Code>);

/// The rules an operation broke so far.
#[derive(Debug, Default)]
pub struct Rules(Vec<Code>);

impl Rules {
    /// Notes a broken rule; returns whether it holds.
    pub fn require(&mut self, holds: bool, otherwise: impl Into<Code>) -> bool {
        if !holds {
            self.0.push(otherwise.into());
        }
        holds
    }

    /// Whether nothing is broken so far.
    pub fn hold(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets the operation happen, or not.
    ///
    /// # Errors
    /// Every rule that is broken.
    pub fn check(self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(Refused(self.0)) }
    }
}

/// One rule is broken, whatever else may be.
pub fn refused<T>(code: impl Into<Code>) -> Result<T, Refused> {
    Err(Refused(vec![code.into()]))
}
