use motif_sdk::{
    licensing::{
        Fingerprint, ModelDeclaration, ParentShare, Registration, Right, Share, WorkKind,
        register_work,
    },
    pda,
};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use super::{Call, OpenedChannel, Outcome, Person, RegisteredWork, World};

/// Builder of a work. Default: an image with its creator as the only recipient.
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

    /// Sets the creator.
    pub fn by(mut self, creator: &Person) -> Self {
        self.creator = creator.clone();
        self
    }

    /// Sets a split among new people, basis points.
    pub fn split(mut self, shares_bps: &[u16]) -> Self {
        self.recipients = shares_bps.iter().map(|_| self.world.person()).collect();
        let shares = self.recipients.iter().zip(shares_bps);
        self.registration.split = shares
            .map(|(person, &share_bps)| Share { recipient: person.key(), share_bps })
            .collect();
        self
    }

    /// Makes the work a style model that adapts a base model.
    pub fn model(mut self) -> Self {
        self.registration.kind = WorkKind::StyleModel;
        self.registration.model = Some(ModelDeclaration {
            base_model: "base".into(),
            training_root: [0x7A; 32],
            likeness: false,
        });
        self
    }

    /// Adds a parent whose owner signs.
    pub fn parent(mut self, parent: &RegisteredWork, share_bps: u16) -> Self {
        self.owners.push(parent.creator.clone());
        let owner = parent.creator.key();
        self.parent_by(parent, share_bps, Right::OwnerSigns(owner))
    }

    /// Adds a parent by its terms of this number.
    pub fn parent_by_terms(self, parent: &RegisteredWork, bps: u16, number: u32) -> Self {
        self.parent_by(parent, bps, Right::Terms(number))
    }

    /// Adds a parent by an approval under its terms of this number.
    pub fn parent_by_approval(self, parent: &RegisteredWork, bps: u16, number: u32) -> Self {
        self.parent_by(parent, bps, Right::Approval(number))
    }

    /// Adds a parent by a license under its terms of this number, on the creator's channel.
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

    /// Adds a parent by this right.
    pub fn parent_by(mut self, parent: &RegisteredWork, share_bps: u16, right: Right) -> Self {
        self.registration.parents.push(ParentShare { work: parent.address, share_bps });
        self.rights.push(right);
        self
    }

    /// Sets the person whose voice or likeness the work has, who signs.
    pub fn of(mut self, person: &Person) -> Self {
        self.consent = Some(person.clone());
        self
    }

    /// Changes the arguments.
    pub fn with(mut self, change: impl FnOnce(&mut Registration)) -> Self {
        change(&mut self.registration);
        self
    }

    /// Returns the call.
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

    /// Returns the work's address.
    pub fn address(&self) -> Pubkey {
        pda::work(&self.creator.key(), &self.registration.content_digest)
    }

    /// Sends the call and returns its outcome.
    #[track_caller]
    pub fn attempt(self) -> Outcome {
        let call = self.call();
        self.world.send(call)
    }

    /// Registers the work.
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
