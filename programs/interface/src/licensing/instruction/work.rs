use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;
use solana_sdk_ids::system_program;

use super::build;
use crate::{
    bps::WHOLE_BPS,
    codec::*,
    instruction::{optional, readonly, signer, writable, writable_signer},
    licensing::{
        AcceptOwnershipArgs, Fingerprint, ID, LicensingError, Purpose, Share, UpdateMetadataArgs,
        Work, WorkKind, check_split, check_title,
    },
    pda, require,
};

/// Arguments of `register_work`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct RegisterWorkArgs {
    /// Kind of content.
    pub kind: WorkKind,
    /// SHA-256 of the content.
    pub content_digest: [u8; 32],
    /// Fingerprint of the content.
    pub fingerprint: Fingerprint,
    /// SHA-256 of the document at `metadata_uri`.
    pub metadata_digest: [u8; 32],
    /// Title that lists show, at most 64 bytes; possibly empty.
    pub title: String,
    /// Location of the metadata.
    pub metadata_uri: String,
    /// Last unix second of the consent; `None` for no expiry.
    pub consent_expires_at: Option<i64>,
    /// Origin of a style model; `None` for every other kind.
    pub model: Option<ModelDeclaration>,
    /// Earliest inherited expiry that the creator accepts, unix seconds; [`i64::MIN`] for any. A
    /// parent's consent may end at any moment before the registration lands.
    pub min_expires_at: i64,
    /// Parents, in the order of their accounts.
    pub parents: Vec<ParentDeclaration>,
    /// First split.
    pub split: Vec<Share>,
}

impl RegisterWorkArgs {
    /// Returns the bytes of the work's account.
    pub fn space(&self) -> usize {
        let name_bytes = self.model.as_ref().map(|model| model.base_model.len());
        let (parents, recipients) = (self.parents.len(), self.split.len());
        let (title_bytes, uri_bytes) = (self.title.len(), self.metadata_uri.len());
        Work::space(parents, recipients, title_bytes, uri_bytes, name_bytes)
    }

    /// Checks digest, title, URI and split.
    ///
    /// # Errors
    /// [`LicensingError::EmptyDigest`], [`LicensingError::UriTooLong`], or an error of
    /// [`check_title`] or [`check_split`].
    pub fn check(&self) -> Result<(), LicensingError> {
        require!(self.content_digest != [0; 32], LicensingError::EmptyDigest);
        require!(self.metadata_uri.len() <= Work::MAX_URI_BYTES, LicensingError::UriTooLong);
        check_title(&self.title)?;
        check_split(&self.split)
    }

    /// Returns whether the work needs a person's consent, as voices and likenesses do.
    pub fn needs_consent(&self) -> bool {
        let likeness = self.model.as_ref().is_some_and(|model| model.likeness);
        self.kind == WorkKind::Voice || likeness || self.consent_expires_at.is_some()
    }
}

/// Origin of a style model, as its creator declares it.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct ModelDeclaration {
    /// Publisher's name of the adapted model.
    pub base_model: String,
    /// Merkle root of the training set's content digests.
    pub training_root: [u8; 32],
    /// Whether the model can produce a person's likeness, which needs that person's consent.
    pub likeness: bool,
}

/// Right by which a work derives from one parent. One byte in the instruction: append only.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParentRight {
    /// The parent's owner signs. Accounts: work, owner.
    OwnerSigns,
    /// The latest terms allow derivatives. Accounts: work, terms.
    Terms,
    /// The owner has approved derivatives of this creator. Accounts: work, latest terms, approval.
    Approval,
    /// The creator holds a used license whose terms allow derivatives. Accounts: work, terms,
    /// channel.
    License {
        /// Index of the license on the channel.
        index: u16,
    },
}

/// One parent, as the creator declares it; its account names the work.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParentDeclaration {
    /// Share of everything the derivative earns, basis points.
    pub share_bps: u16,
    /// Right by which the work derives from this parent.
    pub right: ParentRight,
}

/// A work to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Kind of content.
    pub kind: WorkKind,
    /// SHA-256 of the content.
    pub content_digest: [u8; 32],
    /// Fingerprint of the content; [`Fingerprint::NONE`] for none.
    pub fingerprint: Fingerprint,
    /// SHA-256 of the document at `metadata_uri`.
    pub metadata_digest: [u8; 32],
    /// Title that lists show, at most 64 bytes; possibly empty.
    pub title: String,
    /// Location of the metadata.
    pub metadata_uri: String,
    /// Last unix second of the person's consent; `None` for no expiry.
    pub consent_expires_at: Option<i64>,
    /// Origin of a style model; `None` for every other kind.
    pub model: Option<ModelDeclaration>,
    /// Style model of the same owner that this one replaces.
    pub previous_model: Option<Pubkey>,
    /// Earliest inherited expiry that the creator accepts, unix seconds; `None` for any.
    pub min_expires_at: Option<i64>,
    /// Works that this one derives from.
    pub parents: Vec<ParentShare>,
    /// Recipients of the earnings that the parents leave.
    pub split: Vec<Share>,
}

/// A parent and its share of the derivative's earnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParentShare {
    /// Parent work.
    pub work: Pubkey,
    /// Share of everything the derivative earns, basis points.
    pub share_bps: u16,
}

/// Right by which a work derives from a parent, with the accounts that prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// The parent's owner signs the registration.
    OwnerSigns(Pubkey),
    /// The parent's latest terms, of this number, allow derivatives.
    Terms(u32),
    /// The parent's owner has granted an approval under the latest terms, of this number.
    Approval(u32),
    /// The creator holds a used license whose terms allow derivatives.
    License {
        /// Number of the license's terms.
        terms_number: u32,
        /// Creator's channel.
        channel: Pubkey,
        /// Index of the license on the channel.
        index: u16,
    },
}

impl Registration {
    /// Creates the registration of a work without parents that earns for its creator alone.
    pub fn new(kind: WorkKind, content_digest: [u8; 32], creator: &Pubkey) -> Self {
        Self {
            kind,
            content_digest,
            fingerprint: Fingerprint::NONE,
            metadata_digest: [0; 32],
            title: String::new(),
            metadata_uri: String::new(),
            consent_expires_at: None,
            model: None,
            previous_model: None,
            min_expires_at: None,
            parents: Vec::new(),
            split: vec![Share { recipient: *creator, share_bps: WHOLE_BPS }],
        }
    }
}

impl Right {
    fn argument(self) -> ParentRight {
        match self {
            Self::OwnerSigns(_) => ParentRight::OwnerSigns,
            Self::Terms(_) => ParentRight::Terms,
            Self::Approval(_) => ParentRight::Approval,
            Self::License { index, .. } => ParentRight::License { index },
        }
    }

    /// Returns the parent's account and those that prove the right.
    fn accounts(self, work: &Pubkey, creator: &Pubkey) -> Vec<AccountMeta> {
        let terms = |number| pda::terms(work, number);
        let parent = readonly(*work);
        match self {
            Self::OwnerSigns(owner) => vec![parent, signer(owner)],
            Self::Terms(number) => vec![parent, readonly(terms(number))],
            Self::Approval(number) => {
                let approval = pda::approval(&terms(number), creator, Purpose::Derivative);
                vec![parent, readonly(terms(number)), readonly(approval)]
            }
            Self::License { terms_number, channel, .. } => {
                vec![parent, readonly(terms(terms_number)), readonly(channel)]
            }
        }
    }
}

/// Creates `register_work`. Signed by `creator`, by `consent` if given, and by the owner of each
/// parent whose right is [`Right::OwnerSigns`].
///
/// `rights` has one entry for each of the registration's parents, in the same order.
pub fn register_work(
    creator: &Pubkey,
    consent: Option<Pubkey>,
    registration: &Registration,
    rights: &[Right],
) -> Instruction {
    let mut accounts = vec![
        writable_signer(*creator),
        writable(pda::work(creator, &registration.content_digest)),
        optional(ID, consent, signer),
        optional(ID, registration.previous_model, readonly),
        readonly(system_program::ID),
    ];
    let mut parents = Vec::with_capacity(rights.len());
    for (parent, right) in registration.parents.iter().zip(rights) {
        accounts.extend(right.accounts(&parent.work, creator));
        parents.push(ParentDeclaration { share_bps: parent.share_bps, right: right.argument() });
    }
    let registration = registration.clone();
    let args = RegisterWorkArgs {
        kind: registration.kind,
        content_digest: registration.content_digest,
        fingerprint: registration.fingerprint,
        metadata_digest: registration.metadata_digest,
        title: registration.title,
        metadata_uri: registration.metadata_uri,
        consent_expires_at: registration.consent_expires_at,
        model: registration.model,
        min_expires_at: registration.min_expires_at.unwrap_or(i64::MIN),
        parents,
        split: registration.split,
    };
    build("register_work", accounts, &args)
}

/// Creates `update_metadata`: replaces a work's title and metadata. Signed by the owner, which pays
/// for the account's growth.
pub fn update_metadata(owner: &Pubkey, work: &Pubkey, new: UpdateMetadataArgs) -> Instruction {
    let accounts = vec![writable_signer(*owner), writable(*work), readonly(system_program::ID)];
    build("update_metadata", accounts, &new)
}

/// Creates `offer_ownership`: offers a work to a key; `None` revokes an offer. Signed by the owner.
pub fn offer_ownership(owner: &Pubkey, work: &Pubkey, to: Option<Pubkey>) -> Instruction {
    build("offer_ownership", vec![signer(*owner), writable(*work)], &to)
}

/// Creates `accept_ownership`: accepts an offered work, if it is as expected. Signed by the key it
/// was offered to.
pub fn accept_ownership(
    accepter: &Pubkey,
    work: &Pubkey,
    expected: AcceptOwnershipArgs,
) -> Instruction {
    build("accept_ownership", vec![signer(*accepter), writable(*work)], &expected)
}

/// Creates `withdraw_work`: withdraws a work permanently. Signed by its owner.
pub fn withdraw_work(owner: &Pubkey, work: &Pubkey) -> Instruction {
    build("withdraw_work", vec![signer(*owner), writable(*work)], &())
}

/// Creates `set_consent_end`: sets the last unix second of a consent; `None` for no expiry. Signed
/// by the person who consented.
pub fn set_consent_end(person: &Pubkey, work: &Pubkey, expires_at: Option<i64>) -> Instruction {
    build("set_consent_end", vec![signer(*person), writable(*work)], &expires_at)
}
