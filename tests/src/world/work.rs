use motif_sdk::{
    licensing::{
        self, Fingerprint, ModelArgs, ParentShare, Purpose, Registration, Right, Share, Work,
        WorkKind, register_work,
    },
    pda,
    till::TillShares,
};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use super::{Call, OpenedChannel, Outcome, Person, World};

/// A work on chain, and the people who earn by it.
#[derive(Clone, Debug)]
pub struct RegisteredWork {
    /// Its account.
    pub address: Pubkey,
    /// Registered it and owns it.
    pub creator: Person,
    /// In the order of the split.
    pub recipients: Vec<Person>,
    /// Basis points of what the parents leave, one for each recipient.
    pub split: Vec<u16>,
    /// Parents and their basis points.
    pub parents: Vec<(Pubkey, u16)>,
}

/// A work about to be registered: by default an image that earns for its creator alone.
pub struct WorkBuilder<'w> {
    world: &'w mut World,
    creator: Person,
    consent: Option<Person>,
    owners: Vec<Person>,
    rights: Vec<Right>,
    recipients: Vec<Person>,
    registration: Registration,
}

impl<'w> WorkBuilder<'w> {
    pub(super) fn new(world: &'w mut World) -> Self {
        let creator = world.person();
        let digest = hash(creator.key().as_ref()).to_bytes();
        let registration = Registration {
            fingerprint: Fingerprint { scheme: 1, bits: [0x5A; 32] },
            metadata_digest: [0x3D; 32],
            ..Registration::new(WorkKind::Image, digest, &creator.key())
        };
        Self {
            world,
            recipients: vec![creator.clone()],
            creator,
            consent: None,
            owners: Vec::new(),
            rights: Vec::new(),
            registration,
        }
    }

    /// Registered by this person.
    pub fn by(mut self, creator: &Person) -> Self {
        self.creator = creator.clone();
        self
    }

    /// Earns for as many new people, with these basis points.
    pub fn split(mut self, shares_bps: &[u16]) -> Self {
        self.recipients = shares_bps.iter().map(|_| self.world.person()).collect();
        let shares = self.recipients.iter().zip(shares_bps);
        self.registration.split = shares
            .map(|(person, &share_bps)| Share { recipient: person.key(), share_bps })
            .collect();
        self
    }

    /// A style model that adapts a base model.
    pub fn model(mut self) -> Self {
        self.registration.kind = WorkKind::StyleModel;
        self.registration.model = Some(ModelArgs {
            base_model: "base".into(),
            training_root: [0x7A; 32],
            likeness: false,
        });
        self
    }

    /// Made from this work, whose owner signs.
    pub fn parent(mut self, parent: &RegisteredWork, share_bps: u16) -> Self {
        self.owners.push(parent.creator.clone());
        let owner = parent.creator.key();
        self.parent_by(parent, share_bps, Right::OwnerSigns(owner))
    }

    /// Made from this work, as its terms of this number allow.
    pub fn parent_by_terms(self, parent: &RegisteredWork, bps: u16, number: u32) -> Self {
        self.parent_by(parent, bps, Right::Terms(number))
    }

    /// Made from this work, as its owner has approved under terms of this number.
    pub fn parent_by_approval(self, parent: &RegisteredWork, bps: u16, number: u32) -> Self {
        self.parent_by(parent, bps, Right::Approval(number))
    }

    /// Made from this work, by a license under terms of this number on the creator's channel.
    pub fn parent_by_license(
        self,
        parent: &RegisteredWork,
        bps: u16,
        terms_number: u32,
        channel: &OpenedChannel,
        index: u16,
    ) -> Self {
        let channel = channel.address;
        self.parent_by(parent, bps, Right::License { terms_number, channel, index })
    }

    /// Made from this work, by this right.
    pub fn parent_by(mut self, parent: &RegisteredWork, share_bps: u16, right: Right) -> Self {
        self.registration.parents.push(ParentShare { work: parent.address, share_bps });
        self.rights.push(right);
        self
    }

    /// A voice or likeness of this person, who signs.
    pub fn of(mut self, person: &Person) -> Self {
        self.consent = Some(person.clone());
        self
    }

    /// With anything else changed.
    pub fn with(mut self, change: impl FnOnce(&mut Registration)) -> Self {
        change(&mut self.registration);
        self
    }

    /// The call that registers it.
    pub fn call(&self) -> Call {
        let consent = self.consent.as_ref().map(Person::key);
        let creator = self.creator.key();
        let register = register_work(&creator, consent, &self.registration, &self.rights);
        let mut signers = vec![&self.creator];
        let others = self.consent.iter().chain(&self.owners);
        for person in others {
            if signers.iter().all(|signer| signer.key() != person.key()) {
                signers.push(person);
            }
        }
        Call::new([register], &signers)
    }

    /// Where it will be.
    pub fn address(&self) -> Pubkey {
        pda::work(&self.creator.key(), &self.registration.content_digest)
    }

    /// Sends it; a test says what should become of it.
    #[track_caller]
    pub fn attempt(self) -> Outcome {
        let call = self.call();
        self.world.send(call)
    }

    /// Registers it.
    #[track_caller]
    pub fn register(self) -> RegisteredWork {
        let call = self.call();
        let work = RegisteredWork {
            address: self.address(),
            creator: self.creator,
            recipients: self.recipients,
            split: self.registration.split.iter().map(|share| share.share_bps).collect(),
            parents: self.registration.parents.iter().map(|p| (p.work, p.share_bps)).collect(),
        };
        self.world.send(call).assert_ok();
        work
    }
}

impl RegisteredWork {
    /// The division of a till that gives everything to this work.
    pub fn till(&self) -> TillShares {
        TillShares::sole(self.address)
    }

    /// Grants an approval under terms of this number.
    pub fn approving(&self, number: u32, grantee: &Person, purpose: Purpose) -> Call {
        let (owner, grantee) = (self.creator.key(), grantee.key());
        let approve = licensing::grant_approval(&owner, &self.address, number, &grantee, purpose);
        Call::new([approve], &[&self.creator])
    }

    /// Takes an approval back that its creator gave.
    pub fn revoking(&self, number: u32, grantee: &Person, purpose: Purpose) -> Call {
        self.revoking_by(&self.creator, number, grantee, purpose)
    }

    /// Takes an approval back that its creator gave, as this owner.
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

    /// Offers the work to a person, or takes the offer back.
    pub fn offering_to(&self, to: Option<&Person>) -> Call {
        let to = to.map(Person::key);
        let offer = licensing::offer_ownership(&self.creator.key(), &self.address, to);
        Call::new([offer], &[&self.creator])
    }

    /// Takes the work that was offered.
    pub fn accepting_by(&self, accepter: &Person) -> Call {
        let accept = licensing::accept_ownership(&accepter.key(), &self.address);
        Call::new([accept], &[accepter])
    }

    /// Withdraws the work.
    pub fn withdrawing(&self) -> Call {
        let withdraw = licensing::withdraw_work(&self.creator.key(), &self.address);
        Call::new([withdraw], &[&self.creator])
    }

    /// Ends the consent that this person gave.
    pub fn ending_consent(&self, person: &Person, expires_at: Option<i64>) -> Call {
        let end = licensing::set_consent_end(&person.key(), &self.address, expires_at);
        Call::new([end], &[person])
    }

    /// Issues the work's certificate to its creator.
    pub fn certifying(&self, name: &str) -> Call {
        let issue = licensing::issue_certificate(&self.creator.key(), &self.address, name);
        Call::new([issue], &[&self.creator])
    }
}

impl World {
    /// A work as it stands on chain.
    #[track_caller]
    pub fn read_work(&self, work: &RegisteredWork) -> Work {
        let data = self.account(&work.address).data;
        anchor_lang::AccountDeserialize::try_deserialize(&mut &data[..]).expect("a work")
    }
}
