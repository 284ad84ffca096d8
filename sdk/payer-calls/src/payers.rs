use motif_frame::CallError;
use motif_payer::{Machine, PayerError};

/// Payers by handle.
#[derive(Debug, Default)]
pub struct Payers {
    pub(crate) machines: Vec<(u32, Payer)>,
    next: u32,
}

#[derive(Debug)]
pub(crate) struct Payer {
    pub machine: Machine,
    /// Last error of an answer.
    pub error: Option<PayerError>,
}

impl Payers {
    pub(crate) fn add(&mut self, machine: Machine) -> u32 {
        self.next = self.next.wrapping_add(1);
        self.machines.push((self.next, Payer { machine, error: None }));
        self.next
    }

    #[inline(never)]
    pub(crate) fn payer(&mut self, handle: u32) -> Result<&mut Payer, CallError> {
        let found = self.machines.iter_mut().find(|(known, _)| *known == handle);
        let unknown = || CallError::new("unknown-payer", format!("no payer has handle {handle}"));
        found.map(|(_, payer)| payer).ok_or_else(unknown)
    }

    /// Returns the state machine of a payer.
    ///
    /// # Errors
    /// `unknown-payer`.
    #[inline(never)]
    pub fn machine(&mut self, handle: u32) -> Result<&mut Machine, CallError> {
        self.payer(handle).map(|payer| &mut payer.machine)
    }
}
