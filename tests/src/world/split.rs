use motif_sdk::licensing::{
    Share, apply_split_change, approve_split_change, cancel_split_change, propose_split_in_parts,
    revoke_split_approval,
};

use super::{Call, Person, RegisteredWork, World};

impl RegisteredWork {
    /// Returns the calls that propose a split, one per part.
    pub fn proposing(&self, split: &[Share]) -> Vec<Call> {
        self.proposing_by(&self.creator, split)
    }

    /// Returns an owner's calls that propose a split, one per part.
    pub fn proposing_by(&self, owner: &Person, split: &[Share]) -> Vec<Call> {
        let parts = propose_split_in_parts(&owner.key(), &self.address, split, None);
        parts.into_iter().map(|part| Call::new([part], &[owner])).collect()
    }

    /// Returns the call that approves a proposed split.
    pub fn approving_split(&self, recipient: &Person, split: &[Share]) -> Call {
        let approve = approve_split_change(&recipient.key(), &self.address, split);
        Call::new([approve], &[recipient])
    }

    /// Returns the call that revokes this recipient's approval of the proposed split.
    pub fn revoking_split(&self, recipient: &Person) -> Call {
        let revoke = revoke_split_approval(&recipient.key(), &self.address);
        Call::new([revoke], &[recipient])
    }

    /// Returns the call that applies the creator's proposed split, paid by this person.
    pub fn applying_split(&self, payer: &Person) -> Call {
        let apply = apply_split_change(&payer.key(), &self.address, &self.creator.key());
        Call::new([apply], &[payer])
    }

    /// Returns the call that cancels the creator's proposed split.
    pub fn cancelling_split(&self) -> Call {
        self.cancelling_split_by(&self.creator)
    }

    /// Returns an owner's call that cancels the creator's proposed split.
    pub fn cancelling_split_by(&self, owner: &Person) -> Call {
        let cancel = cancel_split_change(&owner.key(), &self.address, &self.creator.key());
        Call::new([cancel], &[owner])
    }
}

impl World {
    /// Proposes a whole split.
    #[track_caller]
    pub fn propose_split(&mut self, work: &RegisteredWork, split: &[Share]) {
        for call in work.proposing(split) {
            self.send(call).assert_ok();
        }
    }

    /// Changes a work's split with the consent of all its recipients.
    #[track_caller]
    pub fn change_split(&mut self, work: &RegisteredWork, split: &[Share]) {
        self.propose_split(work, split);
        for recipient in &work.recipients {
            self.send(work.approving_split(recipient, split)).assert_ok();
        }
        let host = self.host.clone();
        self.send(work.applying_split(&host)).assert_ok();
    }
}

/// Returns a split of people and basis points.
pub fn shares(list: &[(&Person, u16)]) -> Vec<Share> {
    let share =
        |&(person, share_bps): &(&Person, u16)| Share { recipient: person.key(), share_bps };
    list.iter().map(share).collect()
}
