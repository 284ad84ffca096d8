//! Works and terms: instructions of the licensing program, and reading its accounts.

use anchor_lang::{InstructionData, ToAccountMetas};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

pub use licensing::ID as PROGRAM_ID;
pub use licensing::{
    Caps, Config, Derivatives, Fingerprint, LicensingError, MAX_RECIPIENTS, Offer, Parent, Share,
    Terms, Unit, Use, UsePrice, Work, WorkKind, WorkStatus,
    instructions::{InitializeArgs, PublishTermsArgs, RegisterWorkArgs},
};

use crate::pda;

const UPGRADEABLE_LOADER: Pubkey =
    Pubkey::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");
const SYSTEM_PROGRAM: Pubkey = Pubkey::from_str_const("11111111111111111111111111111111");

/// By what right a work is made from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParentConsent {
    /// The parent's owner signs the registration.
    OwnerSigns(Pubkey),
    /// The parent's latest terms, of this number, allow it.
    Terms(u32),
}

/// Creates the deployment's config. Signed by the authority that may upgrade the program, or
/// by anyone where nobody may.
pub fn initialize(authority: &Pubkey, args: InitializeArgs) -> Instruction {
    let program_data = Pubkey::find_program_address(&[PROGRAM_ID.as_ref()], &UPGRADEABLE_LOADER).0;
    let accounts = licensing::accounts::Initialize {
        authority: *authority,
        config: pda::config(),
        program: PROGRAM_ID,
        program_data,
        system_program: SYSTEM_PROGRAM,
    };
    instruction(accounts.to_account_metas(None), licensing::instruction::Initialize { args }.data())
}

/// Registers a work. Signed by `creator`, by `consent` if there is one, and by each parent's
/// owner where that is the right it is made by.
///
/// `consents` has one entry for each of `args.parents`, in the same order.
pub fn register_work(
    creator: &Pubkey,
    consent: Option<Pubkey>,
    args: RegisterWorkArgs,
    consents: &[ParentConsent],
) -> Instruction {
    let accounts = licensing::accounts::RegisterWork {
        creator: *creator,
        work: pda::work(creator, &args.content_digest),
        consent,
        system_program: SYSTEM_PROGRAM,
    };
    let mut metas = accounts.to_account_metas(None);
    for (parent, consent) in args.parents.iter().zip(consents) {
        metas.push(AccountMeta::new_readonly(parent.work, false));
        metas.push(match consent {
            ParentConsent::OwnerSigns(owner) => AccountMeta::new_readonly(*owner, true),
            ParentConsent::Terms(number) => {
                AccountMeta::new_readonly(pda::terms(&parent.work, *number), false)
            }
        });
    }
    instruction(metas, licensing::instruction::RegisterWork { args }.data())
}

/// Publishes the terms that follow number `latest_terms`. Signed by the work's owner.
pub fn publish_terms(
    owner: &Pubkey,
    work: &Pubkey,
    latest_terms: u32,
    currency: &Pubkey,
    offer: Offer,
) -> Instruction {
    let accounts = licensing::accounts::PublishTerms {
        owner: *owner,
        work: *work,
        terms: pda::terms(work, latest_terms + 1),
        currency: *currency,
        system_program: SYSTEM_PROGRAM,
    };
    let args = PublishTermsArgs { offer };
    instruction(
        accounts.to_account_metas(None),
        licensing::instruction::PublishTerms { args }.data(),
    )
}

/// What `accept` wants to see of terms: the SHA-256 of the account's data as it was read.
pub fn terms_digest(account_data: &[u8]) -> [u8; 32] {
    hash(account_data).to_bytes()
}

fn instruction(accounts: Vec<AccountMeta>, data: Vec<u8>) -> Instruction {
    Instruction { program_id: PROGRAM_ID, accounts, data }
}
