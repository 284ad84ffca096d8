use motif_sdk::{
    licensing::{
        Fingerprint, ParentShare, Registration, Right, Share, WorkKind, register_work,
    },
    pda,
};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use super::{Call, Outcome, Person, World};

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
    consents: Vec<Right>,
    recipients: Vec<Person>,
    args: Registration,
}

impl<'w> WorkBuilder<'w> {
    pub(super) fn new(world: &'w mut World) -> Self {
        let creator = world.person();
        let share = Share { recipient: creator.key(), share_bps: 10_000 };
        let args = Registration {
            kind: WorkKind::Image,
            content_digest: hash(creator.key().as_ref()).to_bytes(),
            fingerprint: Fingerprint { scheme: 1, bits: [0x5A; 32] },
            metadata_digest: [0x3D; 32],
            metadata_uri: String::new(),
            consent_expires_at: None,
            model: None,
            previous_model: None,
            parents: Vec::new(),
            split: vec![share],
        };
        Self {
            world,
            recipients: vec![creator.clone()],
            creator,
            consent: None,
            owners: Vec::new(),
            consents: Vec::new(),
            args,
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
        self.args.split = shares
            .map(|(person, &share_bps)| Share { recipient: person.key(), share_bps })
            .collect();
        self
    }

    /// Made from this work, whose owner signs.
    pub fn parent(mut self, parent: &RegisteredWork, share_bps: u16) -> Self {
        self.args.parents.push(ParentShare { work: parent.address, share_bps });
        self.consents.push(Right::OwnerSigns(parent.creator.key()));
        self.owners.push(parent.creator.clone());
        self
    }

    /// Made from this work, as its terms of this number allow.
    pub fn parent_by_terms(mut self, parent: &RegisteredWork, bps: u16, number: u32) -> Self {
        self.args.parents.push(ParentShare { work: parent.address, share_bps: bps });
        self.consents.push(Right::Terms(number));
        self
    }

    /// A voice or likeness of this person, who signs.
    pub fn of(mut self, person: &Person) -> Self {
        self.consent = Some(person.clone());
        self
    }

    /// With anything else changed.
    pub fn with(mut self, change: impl FnOnce(&mut Registration)) -> Self {
        change(&mut self.args);
        self
    }

    /// The call that registers it.
    pub fn call(&self) -> Call {
        let consent = self.consent.as_ref().map(Person::key);
        let register =
            register_work(&self.creator.key(), consent, &self.args, &self.consents);
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
        pda::work(&self.creator.key(), &self.args.content_digest)
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
            split: self.args.split.iter().map(|share| share.share_bps).collect(),
            parents: self.args.parents.iter().map(|p| (p.work, p.share_bps)).collect(),
        };
        self.world.send(call).assert_ok();
        work
    }
}
