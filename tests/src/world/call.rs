use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::Person;

/// Instructions and signers of one transaction.
#[derive(Clone)]
pub struct Call {
    /// Instructions in order.
    pub instructions: Vec<Instruction>,
    signers: Vec<Person>,
}

impl Call {
    /// Creates a transaction. The first signer pays the fee, or the host if there are no signers.
    pub fn new(instructions: impl IntoIterator<Item = Instruction>, signers: &[&Person]) -> Self {
        Self {
            instructions: instructions.into_iter().collect(),
            signers: signers.iter().map(|&signer| signer.clone()).collect(),
        }
    }

    /// Replaces an account wherever it occurs.
    pub fn instead_of(mut self, account: Pubkey, other: Pubkey) -> Self {
        let metas = self.instructions.iter_mut().flat_map(|call| &mut call.accounts);
        let mut replaced = 0;
        for meta in metas.filter(|meta| meta.pubkey == account) {
            meta.pubkey = other;
            replaced += 1;
        }
        assert!(replaced > 0, "no instruction names {account}");
        self
    }

    /// Removes a person's signature and keeps its account.
    pub fn unsigned_by(mut self, person: &Person) -> Self {
        let metas = self.instructions.iter_mut().flat_map(|call| &mut call.accounts);
        metas.filter(|meta| meta.pubkey == person.key()).for_each(|meta| meta.is_signer = false);
        self.signers.retain(|signer| signer.key() != person.key());
        self
    }

    /// Adds a signature.
    pub fn signed_by(mut self, person: &Person) -> Self {
        self.signers.push(person.clone());
        self
    }

    /// Sets the signer that pays the fee.
    pub fn paid_by(mut self, payer: &Pubkey) -> Self {
        let place = self.signers.iter().position(|signer| signer.key() == *payer);
        let signer = self.signers.remove(place.expect("a signer"));
        self.signers = std::iter::once(signer)
            .chain(self.signers.into_iter().filter(|signer| {
                let metas = self.instructions.iter().flat_map(|call| &call.accounts);
                let mut signing = metas.filter(|meta| meta.is_signer);
                signing.any(|meta| meta.pubkey == signer.key())
            }))
            .collect();
        self
    }

    /// Appends another call to the transaction.
    pub fn then(mut self, next: Self) -> Self {
        self.instructions.extend(next.instructions);
        for signer in next.signers {
            if self.signers.iter().all(|other| other.key() != signer.key()) {
                self.signers.push(signer);
            }
        }
        self
    }

    /// Changes the instructions.
    pub fn changed(mut self, change: impl FnOnce(&mut Vec<Instruction>)) -> Self {
        change(&mut self.instructions);
        self
    }

    pub(super) fn signers(&self, host: &Person) -> Vec<Person> {
        if self.signers.is_empty() { vec![host.clone()] } else { self.signers.clone() }
    }
}
