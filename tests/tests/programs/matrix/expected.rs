//! Expected errors of calls with one invalid account: derived by rules from
//! the IDL, then exceptions, each with its reason.

use std::{cell::RefCell, collections::BTreeSet};

use super::cells::{Change, Kind, Subject};

pub const ACCEPTED: &str = "accepted";

/// Instruction, account, change, allowed results, reason. `*` matches any instruction or change.
type Exception = (&'static str, &'static str, &'static str, &'static [&'static str], &'static str);

/// Remaining accounts, checked by the handler: the error for
/// wrong accounts, a wrong number, or a wrong order.
const LINKS: &[(&str, &str)] = &[
    ("register_work", "InvalidParentAccounts"),
    ("collect", "InvalidEarningsAccounts"),
    ("apply_withdrawal", "InvalidWorkAccounts"),
    ("open_till", "InvalidWorkAccounts"),
    ("sweep_till", "InvalidEarningsAccounts"),
    ("claim", "InvalidDestinations"),
];

/// Zero-copy types, whose owner Anchor checks first.
const IN_PLACE: [&str; 3] = ["Channel", "Earnings", "StatementBuffer"];

/// Signers that an account names, with the error for other signers.
const NAMED_SIGNERS: &[(&str, &str)] = &[
    ("arbiter", "NotArbiter"),
    ("authority", "NotAuthority"),
    ("owner", "NotOwner"),
    ("payer", "NotPayer"),
];

const ANY_FUNDER: &str = "a funder gains nothing, so any signer may fund";
const OWN_CHOICE: &str = "a signer chooses where its own money goes";
const BY_ADDRESS: &str = "read by its address alone, which other accounts name";
const TWICE: &str = "an account that may exist already is looked at where it must be";
const BY_HANDLER: &str = "no account names it; the handler looks for it";

const BY_PAYMENTS: &str = "the authority of an operator, not that of the config";
/// An operator's account that a settlement reads in place.
const IN_PLACE_OPERATOR: &[&str] = &["InvalidOperatorAccount", "AccountNotEnoughKeys"];

const UNTOLD: &str = "it is in the seeds of what is created, which the IDL cannot tell";

const EXCEPTIONS: &[Exception] = &[
    // Valid substitutes.
    (
        "initialize",
        "authority",
        "other signer",
        &[ACCEPTED],
        "this program has no upgrade authority",
    ),
    ("initialize", "program_data", "other key", &["NotUpgradeAuthority"], BY_HANDLER),
    ("publish_terms", "currency", "double", &[ACCEPTED], "terms may be in any currency there is"),
    ("register_work", "consent", "other signer", &[ACCEPTED], "who consents says so by signing"),
    ("register_work", "previous_model", "left out", &[ACCEPTED], "a model need not replace one"),
    ("open_dispute", "claimant", "other signer", &[ACCEPTED], "any signer may dispute a work"),
    ("apply_split_change", "payer", "other signer", &[ACCEPTED], ANY_FUNDER),
    ("apply_split", "funder", "other signer", &[ACCEPTED], ANY_FUNDER),
    ("create_vault", "funder", "other signer", &[ACCEPTED], ANY_FUNDER),
    ("open_earnings", "funder", "other signer", &[ACCEPTED], ANY_FUNDER),
    ("open_till", "funder", "other signer", &[ACCEPTED], ANY_FUNDER),
    ("register_operator", "funder", "other signer", &[ACCEPTED], ANY_FUNDER),
    (
        "revoke_approval",
        "approval",
        "double",
        &[ACCEPTED, "ConstraintHasOne"],
        "of the same terms and granted by the same owner, it is the owner's to revoke as well",
    ),
    (
        "rotate_voucher_key",
        "operator",
        "left out",
        &[ACCEPTED],
        "without the operator's agreement the new key waits for the grace period",
    ),
    (
        "rotate_voucher_key",
        "watcher",
        "*",
        &[ACCEPTED, "AccountNotSigner", "AccountNotEnoughKeys"],
        "without the watcher's agreement the new key waits for the grace period",
    ),
    (
        "request_close",
        "cosigner",
        "*",
        &[ACCEPTED, "AccountNotSigner", "AccountNotEnoughKeys"],
        "without the other party the grace period starts",
    ),
    (
        "request_close",
        "watcher",
        "*",
        &[ACCEPTED, "AccountNotSigner", "AccountNotEnoughKeys"],
        "without the watcher the grace period starts",
    ),
    ("withdraw", "destination", "double", &[ACCEPTED, "ConstraintTokenMint"], OWN_CHOICE),
    (
        "claim",
        "mint",
        "foreign owner",
        &[ACCEPTED],
        "the vault was opened when its token program owned it, and that cannot change",
    ),
    // Signers that no account names.
    ("accept_authority", "accepter", "other signer", &["NotOffered"], BY_HANDLER),
    ("accept_ownership", "accepter", "other signer", &["NotOffered"], BY_HANDLER),
    ("accept_ownership", "work", "double", &["NotOffered", "WorkDisputed"], BY_HANDLER),
    ("approve_split_change", "recipient", "other signer", &["RecipientNotFound"], BY_HANDLER),
    ("revoke_split_approval", "recipient", "other signer", &["RecipientNotFound"], BY_HANDLER),
    ("set_consent_end", "person", "other signer", &["NotConsentingPerson"], BY_HANDLER),
    ("set_consent_end", "work", "double", &["NotConsentingPerson"], BY_HANDLER),
    ("accept_terms", "payer", "other signer", &["ConstraintSeeds", "NotPayer"], UNTOLD),
    ("accept_terms", "terms", "double", &["ConstraintSeeds", "ConstraintHasOne"], UNTOLD),
    ("register_work", "consent", "left out", &["MissingConsent"], BY_HANDLER),
    ("register_work", "previous_model", "double", &["InvalidPreviousModel"], BY_HANDLER),
    ("register_work", "system_program", "surplus", &["InvalidParentAccounts"], BY_HANDLER),
    ("accept_terms", "approver", "other signer", &["MissingApproval"], BY_HANDLER),
    ("accept_terms", "approver", "left out", &["MissingApproval"], BY_HANDLER),
    ("accept_terms", "approval", "double", &["MissingApproval"], BY_HANDLER),
    ("accept_terms", "approval", "left out", &["MissingApproval"], BY_HANDLER),
    ("accept_terms", "licensee", "left out", &["InvalidLicenseeAccount"], BY_HANDLER),
    ("accept_terms", "issuance", "left out", &["InvalidIssuanceAccount"], BY_HANDLER),
    ("accept_terms", "vault_tokens", "left out", &["InvalidDepositAccounts"], BY_HANDLER),
    ("accept_terms", "payer_tokens", "left out", &["InvalidDepositAccounts"], BY_HANDLER),
    ("accept_terms", "mint", "left out", &["ConstraintAccountIsNone"], "the vault names it"),
    ("accept_terms", "vault", "left out", &["ConstraintAccountIsNone"], "its tokens name it"),
    (
        "accept_terms",
        "token_program",
        "left out",
        &["ConstraintAccountIsNone"],
        "the vault names it",
    ),
    (
        "accept_terms",
        "token_program",
        "program",
        &["InvalidProgramId", "ConstraintHasOne", "ConstraintAccountIsNone"],
        "this program's own address stands for an account that is left out",
    ),
    ("rotate_voucher_key", "operator", "other signer", &["NotOperator"], BY_HANDLER),
    ("release_quota", "caller", "other signer", &["LicenseInUse"], BY_HANDLER),
    ("release_quota", "cosigner", "other signer", &["LicenseInUse"], BY_HANDLER),
    ("release_quota", "cosigner", "left out", &["LicenseInUse"], BY_HANDLER),
    ("release_quota", "channel", "double", &["LicenseTermsMismatch"], BY_HANDLER),
    ("settle", "settler", "other signer", &["SettlerNotAllowed"], BY_HANDLER),
    ("settle", "channel", "double", &["InvalidOperatorAccount"], BY_HANDLER),
    ("settle", "operator", "*", IN_PLACE_OPERATOR, BY_HANDLER),
    ("settle_buffered", "operator", "*", IN_PLACE_OPERATOR, BY_HANDLER),
    ("settle_cosigned", "operator", "surplus", &[ACCEPTED], "nothing reads it"),
    ("settle_cosigned", "operator", "*", IN_PLACE_OPERATOR, BY_HANDLER),
    ("update_operator", "authority", "other signer", &["NotOperator"], BY_PAYMENTS),
    ("update_operator", "operator", "double", &["NotOperator"], BY_PAYMENTS),
    ("rotate_operator_key", "authority", "other signer", &["NotOperator"], BY_PAYMENTS),
    ("rotate_operator_key", "operator", "double", &["NotOperator"], BY_PAYMENTS),
    ("claim_fees", "channel", "double", &["InvalidOperatorAccount"], "its operator is another"),
    ("claim_fees", "operator", "double", &["InvalidOperatorAccount"], "the channel names another"),
    (
        "claim_fees",
        "token_program",
        "program",
        &["InvalidProgramId", "ConstraintAssociatedTokenTokenProgram"],
        "the destination says which it is before the vault does",
    ),
    ("settle_cosigned", "settler", "other signer", &["SettlerNotAllowed"], BY_HANDLER),
    ("settle_cosigned", "voucher_key", "other signer", &["VoucherSignerMismatch"], BY_HANDLER),
    ("settle_cosigned", "channel", "double", &["InvalidOperatorAccount"], BY_HANDLER),
    (
        "request_close",
        "caller",
        "other signer",
        &[ACCEPTED],
        "the payer signs too and starts the grace period",
    ),
    ("request_close", "channel", "double", &["NotPayer"], BY_HANDLER),
    (
        "collect",
        "channel",
        "double",
        &["InvalidEarningsAccounts"],
        "its licenses are of other works",
    ),
    (
        "apply_withdrawal",
        "channel",
        "double",
        &["InvalidWorkAccounts"],
        "its licenses are of other works",
    ),
    ("pull", "parent", "double", &["ParentNotFound"], BY_HANDLER),
    ("sweep_till", "till", "double", &["ConstraintTokenOwner"], "its tokens are elsewhere"),
    (
        "sweep_till",
        "token_program",
        "program",
        &["InvalidProgramId", "ConstraintAssociatedTokenTokenProgram"],
        "the till's tokens say which it is before the vault does",
    ),
    ("open_channel", "payer_tokens", "double", &["ConstraintTokenOwner"], "has to be the payer's"),
    ("accept_terms", "payer_tokens", "double", &["ConstraintTokenOwner"], "has to be the payer's"),
    ("top_up", "payer_tokens", "double", &["ConstraintTokenOwner"], "has to be the payer's"),
    // Accounts that another program creates or owns.
    ("issue_certificate", "metadata", "other key", &["metadata 5"], "its program derives it"),
    ("issue_certificate", "edition", "other key", &["metadata 27"], "its program derives it"),
    ("issue_certificate", "metadata", "read-only", &["ConstraintMut"], "its program creates it"),
    ("issue_certificate", "edition", "read-only", &["ConstraintMut"], "its program creates it"),
    ("accept_terms", "issuance", "nothing", &["ConstraintSeeds"], TWICE),
    ("accept_terms", "issuance", "program", &["ConstraintSeeds"], TWICE),
    ("accept_terms", "issuance", "sysvar", &["ConstraintSeeds"], TWICE),
    ("accept_terms", "licensee", "occupied", &["AccountOwnedByWrongProgram"], TWICE),
    // Accounts that payments compares by address only, to save compute units.
    ("claim", "mint", "nothing", &["ConstraintHasOne"], BY_ADDRESS),
    ("claim", "mint", "program", &["ConstraintHasOne"], BY_ADDRESS),
    ("claim", "mint", "sysvar", &["ConstraintHasOne"], BY_ADDRESS),
    ("claim", "work", "nothing", &["ConstraintHasOne"], BY_ADDRESS),
    ("claim", "work", "program", &["ConstraintHasOne"], BY_ADDRESS),
    ("claim", "work", "sysvar", &["ConstraintHasOne"], BY_ADDRESS),
    ("pull", "work", "nothing", &["ConstraintHasOne"], BY_ADDRESS),
    ("pull", "work", "program", &["ConstraintHasOne"], BY_ADDRESS),
    ("pull", "work", "sysvar", &["ConstraintHasOne"], BY_ADDRESS),
    ("pull", "child", "double", &["ConstraintHasOne"], "it is of another work"),
    ("apply_dispute", "work", "nothing", &["ConstraintHasOne"], BY_ADDRESS),
    ("apply_dispute", "work", "program", &["ConstraintHasOne"], BY_ADDRESS),
    ("apply_dispute", "work", "sysvar", &["ConstraintHasOne"], BY_ADDRESS),
    ("*", "vault_tokens by address", "double", &["ConstraintAddress"], BY_ADDRESS),
    ("*", "vault_tokens by address", "nothing", &["ConstraintAddress"], BY_ADDRESS),
    ("*", "vault_tokens by address", "program", &["ConstraintAddress"], BY_ADDRESS),
    ("*", "vault_tokens by address", "sysvar", &["ConstraintMut"], BY_ADDRESS),
    (
        "*",
        "vault_tokens by address",
        "foreign owner",
        &["runtime ExternalAccountDataModified"],
        "the token program cannot write to it",
    ),
    ("claim", "recipient", "left out", &["DestinationNotCanonical"], BY_HANDLER),
    ("claim", "recipient", "other signer", &["RecipientNotFound"], BY_HANDLER),
];

thread_local! {
    static USED: RefCell<BTreeSet<usize>> = const { RefCell::new(BTreeSet::new()) };
}

/// Returns exceptions that no cell used.
pub fn unused() -> Vec<&'static Exception> {
    let used = USED.with_borrow(Clone::clone);
    let unused = EXCEPTIONS.iter().enumerate().filter(|(index, _)| !used.contains(index));
    unused.map(|(_, exception)| exception).collect()
}

/// Returns the allowed results of a call, usually one.
pub fn expected(
    subject: &Subject,
    instruction: &str,
    index: usize,
    change: &Change,
) -> Vec<&'static str> {
    let name = match subject.name(index) {
        // Without seeds in the IDL, the vault's account names its token account.
        "vault_tokens" if subject.accounts[index].pda.is_none() => "vault_tokens by address",
        name => name,
    };
    let found = EXCEPTIONS.iter().position(|(of, account, sort, ..)| {
        let of_this = (*of == instruction || *of == "*") && *account == name;
        of_this && (*sort == change.name() || *sort == "*")
    });
    if let Some(found) = found {
        USED.with_borrow_mut(|used| used.insert(found));
        return EXCEPTIONS[found].3.to_vec();
    }
    if index < subject.accounts.len() {
        named(subject, index, change)
    } else {
        remaining(subject, instruction, index, change)
    }
}

/// Returns the results for a named account, from the IDL.
fn named(subject: &Subject, index: usize, change: &Change) -> Vec<&'static str> {
    let (kind, account) = (&subject.kinds[index], &subject.accounts[index]);
    let of_another_program = account.pda.as_ref().is_some_and(|pda| pda.program.is_some());
    let answer = match change {
        Change::Unsigned => "AccountNotSigner",
        // The system program writes to it before Anchor checks it.
        Change::ReadOnly if *kind == Kind::Created => "runtime PrivilegeEscalation",
        Change::ReadOnly => return vec!["ConstraintMut", "runtime PrivilegeEscalation"],
        Change::Nothing if in_place(kind) => "AccountOwnedByWrongProgram",
        Change::Nothing => "AccountNotInitialized",
        Change::ForeignOwner => "AccountOwnedByWrongProgram",
        Change::Sysvar | Change::Program(_) => match kind {
            Kind::Fixed if account.address.is_some() && !program(account) => "ConstraintAddress",
            Kind::Fixed => return other_program(subject, index),
            _ => "AccountOwnedByWrongProgram",
        },
        Change::OtherType(_) if matches!(kind, Kind::Ours(..)) => "AccountDiscriminatorMismatch",
        Change::OtherType(_) => "runtime InvalidAccountData",
        Change::Occupied if of_another_program => {
            return vec!["AccountOwnedByWrongProgram", "runtime IllegalOwner"];
        }
        Change::Occupied => "system 0",
        Change::OtherKey if *kind == Kind::Created && of_another_program => {
            "runtime MissingAccount"
        }
        Change::OtherKey if *kind == Kind::Created => "ConstraintSeeds",
        Change::Double(_) if of_another_program => "ConstraintTokenOwner",
        Change::Double(_) | Change::OtherSigner | Change::OtherKey => {
            return vec![substituted(subject, index)];
        }
        Change::Missing => "AccountNotEnoughKeys",
        // Handlers without remaining accounts ignore them.
        Change::Surplus => ACCEPTED,
        _ => return Vec::new(),
    };
    vec![answer]
}

/// Returns the results for another program: not an allowed program, not the one that
/// another account names, or one that leads to other addresses.
fn other_program(subject: &Subject, index: usize) -> Vec<&'static str> {
    let mut answers = vec!["InvalidProgramId"];
    if !subject.accounts[index].relations.is_empty() {
        answers.push("ConstraintHasOne");
    }
    if created_from(subject, index).is_some() {
        answers.push("runtime MissingAccount");
    }
    answers
}

/// Returns the results for another account of the right type: a created address follows from other
/// seeds, or an account names another one; `unpinned` otherwise.
fn substituted(subject: &Subject, index: usize) -> &'static str {
    let account = &subject.accounts[index];
    // Created accounts are checked first.
    if let Some(of_another_program) = created_from(subject, index) {
        return if of_another_program { "runtime MissingAccount" } else { "ConstraintSeeds" };
    }
    let mut naming = (0..subject.accounts.len())
        .filter(|other| subject.accounts[*other].relations.contains(&account.name))
        .collect::<Vec<_>>();
    // Signers are declared first and therefore checked first.
    naming.sort_by_key(|other| subject.kinds[*other] != Kind::Signer);
    let signer = naming.first().filter(|other| subject.kinds[**other] == Kind::Signer);
    let own = (!account.relations.is_empty()).then_some(&index);
    let Some(&named) = signer.or(own).or(naming.first()) else {
        return if account.pda.is_some() { "ConstraintSeeds" } else { "unpinned" };
    };
    let signs = subject.kinds[named] == Kind::Signer;
    let told = NAMED_SIGNERS.iter().find(|(name, _)| *name == subject.accounts[named].name);
    told.filter(|_| signs).map_or("ConstraintHasOne", |(_, told)| told)
}

/// Returns whether the address of a created account, of this program or of another one (`true`),
/// is derived from this account.
fn created_from(subject: &Subject, index: usize) -> Option<bool> {
    let name = &subject.accounts[index].name;
    let created = subject.accounts.iter().zip(&subject.kinds).filter_map(|(account, kind)| {
        // Including accounts that may exist already.
        let own = account.pda.as_ref().is_some_and(|pda| pda.program.is_none());
        let created = *kind == Kind::Created || account.optional && own;
        account.pda.as_ref().filter(|pda| created && pda.follows_from(name))
    });
    created.map(|pda| pda.program.is_some()).min()
}

fn in_place(kind: &Kind) -> bool {
    matches!(kind, Kind::Ours(_, name) if IN_PLACE.contains(&name.as_str()))
}

/// Returns whether the account is typed as a program, not only by address.
fn program(account: &super::idl::Account) -> bool {
    account.name.ends_with("_program")
}

/// Returns the results for a remaining account, by its kind.
fn remaining(
    subject: &Subject,
    instruction: &str,
    index: usize,
    change: &Change,
) -> Vec<&'static str> {
    if instruction == "claim" {
        return destination(subject, change);
    }
    let link = LINKS.iter().find(|(of, _)| *of == instruction);
    let Some((_, link)) = link else { return Vec::new() };
    let kind = &subject.kinds[index];
    match (kind, change) {
        // Rights: any other account counts as a missing approval.
        (Kind::Signer, Change::Unsigned | Change::OtherSigner) => vec!["MissingApproval"],
        (Kind::Ours(_, name), Change::Double(_)) => match name.as_str() {
            "Approval" => vec!["MissingApproval"],
            "Channel" => vec!["LicensePayerMismatch"],
            // The permission of the terms and the owner's signature are checked before the work.
            "Work" if instruction == "register_work" => {
                vec![link, "ParentDisputed", "MissingApproval"]
            }
            _ => vec![link],
        },
        (_, Change::ForeignOwner) => vec!["AccountOwnedByWrongProgram"],
        (Kind::Ours(..), Change::OtherType(_)) => vec!["AccountDiscriminatorMismatch"],
        // Either the type or the work is checked first.
        (_, Change::Nothing | Change::Program(_) | Change::Sysvar) => {
            vec![link, "AccountNotInitialized", "AccountOwnedByWrongProgram"]
        }
        (_, Change::Swapped | Change::Repeated) => vec![
            link,
            "AccountDiscriminatorMismatch",
            "AccountOwnedByWrongProgram",
            "MissingApproval",
        ],
        (_, Change::Missing | Change::ReadOnly | Change::Surplus) => vec![link],
        _ => Vec::new(),
    }
}

/// Returns the results for a claim's destination: a recipient's own account, or one it names by
/// signing.
fn destination(subject: &Subject, change: &Change) -> Vec<&'static str> {
    let signs = subject.accounts.iter().zip(&subject.kinds);
    let signs = signs
        .into_iter()
        .any(|(account, kind)| account.name == "recipient" && *kind == Kind::Signer);
    match change {
        Change::Missing | Change::Surplus => vec!["InvalidDestinations"],
        Change::ReadOnly => vec!["runtime PrivilegeEscalation"],
        _ if !signs => vec!["DestinationNotCanonical"],
        // The token program rejects accounts of another mint.
        Change::Double(_) => vec![ACCEPTED, "token 3"],
        Change::ForeignOwner => vec!["runtime ExternalAccountDataModified"],
        Change::Sysvar => vec!["runtime PrivilegeEscalation"],
        _ => vec!["runtime InvalidAccountData"],
    }
}
