use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::Person;

/// Instructions and who signs them: one transaction.
#[derive(Clone)]
pub struct Call {
    /// In order.
    pub instructions: Vec<Instruction>,
    signers: Vec<Person>,
}

impl Call {
    /// The first signer pays the fee; without any, the host does.
    pub fn new(instructions: impl IntoIterator<Item = Instruction>, signers: &[&Person]) -> Self {
        Self {
            instructions: instructions.into_iter().collect(),
            signers: signers.iter().map(|&signer| signer.clone()).collect(),
        }
    }

    /// Names another account wherever this one stood.
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

    /// Without this person's signature; its account stays.
    pub fn unsigned_by(mut self, person: &Person) -> Self {
        let metas = self.instructions.iter_mut().flat_map(|call| &mut call.accounts);
        metas.filter(|meta| meta.pubkey == person.key()).for_each(|meta| meta.is_signer = false);
        self.signers.retain(|signer| signer.key() != person.key());
        self
    }

    /// With another signature.
    pub fn signed_by(mut self, person: &Person) -> Self {
        self.signers.push(person.clone());
        self
    }

    /// With the fee paid by a signer of this address.
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

    /// With another call after it, in the same transaction.
    pub fn then(mut self, next: Self) -> Self {
        self.instructions.extend(next.instructions);
        for signer in next.signers {
            if self.signers.iter().all(|other| other.key() != signer.key()) {
                self.signers.push(signer);
            }
        }
        self
    }

    /// With changed instructions.
    pub fn changed(mut self, change: impl FnOnce(&mut Vec<Instruction>)) -> Self {
        change(&mut self.instructions);
        self
    }

    pub(super) fn signers(&self, host: &Person) -> Vec<Person> {
        if self.signers.is_empty() { vec![host.clone()] } else { self.signers.clone() }
    }
}
