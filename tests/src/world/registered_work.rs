use motif_sdk::{
    licensing::{self, AcceptOwnershipArgs, Purpose, Work, WorkStatus},
    till::TillShares,
};
use solana_pubkey::Pubkey;

use super::{Call, Person, World};

/// Work on chain with its recipients.
#[derive(Clone, Debug)]
pub struct RegisteredWork {
    /// Address of the account.
    pub address: Pubkey,
    /// Creator and owner.
    pub creator: Person,
    /// Recipients in the order of the split.
    pub recipients: Vec<Person>,
    /// Shares of the recipients, basis points.
    pub split: Vec<u16>,
    /// Parents and their shares, basis points.
    pub parents: Vec<(Pubkey, u16)>,
}

impl RegisteredWork {
    /// Returns the division of a till that gives everything to this work.
    pub fn till(&self) -> TillShares {
        TillShares::sole(self.address)
    }

    /// Returns the call that grants an approval under terms of this number.
    pub fn approving(&self, number: u32, grantee: &Person, purpose: Purpose) -> Call {
        let (owner, grantee) = (self.creator.key(), grantee.key());
        let approve = licensing::grant_approval(&owner, &self.address, number, &grantee, purpose);
        Call::new([approve], &[&self.creator])
    }

    /// Returns the call that revokes the creator's approval.
    pub fn revoking(&self, number: u32, grantee: &Person, purpose: Purpose) -> Call {
        self.revoking_by(&self.creator, number, grantee, purpose)
    }

    /// Returns an owner's call that revokes the creator's approval.
    pub fn revoking_by(
        &self,
        owner: &Person,
        number: u32,
        grantee: &Person,
        purpose: Purpose,
    ) -> Call {
        let (grantee, granted_by) = (grantee.key(), self.creator.key());
        let (key, work) = (owner.key(), &self.address);
        let revoke = licensing::revoke_approval(&key, work, number, &grantee, purpose, &granted_by);
        Call::new([revoke], &[owner])
    }

    /// Returns the call that offers the work to a person, or cancels the offer.
    pub fn offering_to(&self, to: Option<&Person>) -> Call {
        let to = to.map(Person::key);
        let offer = licensing::offer_ownership(&self.creator.key(), &self.address, to);
        Call::new([offer], &[&self.creator])
    }

    /// Returns the call that accepts the offered work as it was registered.
    pub fn accepting_by(&self, accepter: &Person) -> Call {
        self.accepting(accepter, WorkStatus::Active, 0, 0)
    }

    /// Returns the call that accepts the offered work with this status, latest terms and split
    /// version.
    pub fn accepting(
        &self,
        accepter: &Person,
        status: WorkStatus,
        latest_terms: u32,
        split_version: u32,
    ) -> Call {
        let expected = AcceptOwnershipArgs { status, latest_terms, split_version };
        let accept = licensing::accept_ownership(&accepter.key(), &self.address, expected);
        Call::new([accept], &[accepter])
    }

    /// Returns the call that withdraws the work.
    pub fn withdrawing(&self) -> Call {
        self.withdrawing_by(&self.creator)
    }

    /// Returns an owner's call that withdraws the work.
    pub fn withdrawing_by(&self, owner: &Person) -> Call {
        let withdraw = licensing::withdraw_work(&owner.key(), &self.address);
        Call::new([withdraw], &[owner])
    }

    /// Returns the call that ends this person's consent.
    pub fn ending_consent(&self, person: &Person, expires_at: Option<i64>) -> Call {
        let end = licensing::set_consent_end(&person.key(), &self.address, expires_at);
        Call::new([end], &[person])
    }

    /// Returns the call that issues the work's certificate to its creator.
    pub fn certifying(&self, name: &str) -> Call {
        let issue = licensing::issue_certificate(&self.creator.key(), &self.address, name);
        Call::new([issue], &[&self.creator])
    }
}

impl World {
    /// Returns a work's account.
    #[track_caller]
    pub fn read_work(&self, work: &RegisteredWork) -> Work {
        let data = self.account(&work.address).data;
        anchor_lang::AccountDeserialize::try_deserialize(&mut &data[..]).expect("a work")
    }
}
