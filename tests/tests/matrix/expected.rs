//! What should become of a call with something wrong with one of its accounts: by rule, from
//! what the IDL says about the account; then what rules cannot know, each with its reason.

use std::{cell::RefCell, collections::BTreeSet};

use super::cells::{Change, Kind, Subject};

pub const ACCEPTED: &str = "accepted";

/// Instruction, account, change, answers, why. `*` stands for any instruction, or any change.
type Exception = (&'static str, &'static str, &'static str, &'static [&'static str], &'static str);

/// Accounts behind the named ones, linked to what they stand for by the handler: the error that
/// says they are not the right ones, not as many, or not in the right order.
const LINKS: &[(&str, &str)] = &[
    ("register_work", "ParentAccounts"),
    ("collect", "EarningsAccounts"),
    ("apply_withdrawal", "WorkAccounts"),
    ("claim", "Destinations"),
];

/// Types whose accounts are read in place: Anchor looks at the owner before anything else.
const IN_PLACE: [&str; 3] = ["Channel", "Earnings", "Staging"];

const EXCEPTIONS: &[Exception] = &[];

thread_local! {
    static USED: RefCell<BTreeSet<usize>> = const { RefCell::new(BTreeSet::new()) };
}

/// Exceptions that no cell has asked for.
pub fn unused() -> Vec<&'static Exception> {
    let used = USED.with_borrow(Clone::clone);
    let unused = EXCEPTIONS.iter().enumerate().filter(|(index, _)| !used.contains(index));
    unused.map(|(_, exception)| exception).collect()
}

/// What may become of the call: usually one answer.
pub fn expected(
    subject: &Subject,
    instruction: &str,
    index: usize,
    change: &Change,
) -> Vec<&'static str> {
    let name = subject.name(index);
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

/// By what the IDL says about a named account.
fn named(subject: &Subject, index: usize, change: &Change) -> Vec<&'static str> {
    let (kind, account) = (&subject.kinds[index], &subject.accounts[index]);
    let pda = account.pda.as_ref();
    let answer = match change {
        Change::Unsigned => "AccountNotSigner",
        // The system program moves lamports out of it, and into it, before Anchor looks.
        Change::ReadOnly if *kind == Kind::Created => "runtime PrivilegeEscalation",
        Change::ReadOnly => return vec!["ConstraintMut", "runtime PrivilegeEscalation"],
        Change::Nothing if in_place(kind) => "AccountOwnedByWrongProgram",
        Change::Nothing => "AccountNotInitialized",
        Change::ForeignOwner => "AccountOwnedByWrongProgram",
        Change::Sysvar | Change::Program(_) => match kind {
            Kind::Fixed if account.address.is_some() && !program(account) => "ConstraintAddress",
            Kind::Fixed => return vec!["InvalidProgramId", "ConstraintHasOne"],
            _ => "AccountOwnedByWrongProgram",
        },
        Change::OtherType(_) if matches!(kind, Kind::Ours(..)) => "AccountDiscriminatorMismatch",
        Change::OtherType(_) => "runtime InvalidAccountData",
        Change::Occupied => "system 0",
        Change::OtherKey if *kind == Kind::Created => "ConstraintSeeds",
        Change::Double(_) if pda.is_some_and(|pda| pda.program.is_some()) => "ConstraintTokenOwner",
        Change::Double(_) | Change::OtherSigner | Change::OtherKey
            if !account.relations.is_empty() =>
        {
            "ConstraintHasOne"
        }
        Change::Double(_) if pda.is_some() => "ConstraintSeeds",
        Change::Missing => "AccountNotEnoughKeys",
        // Handlers that read no accounts behind the named ones never look at them.
        Change::Surplus => ACCEPTED,
        _ => return Vec::new(),
    };
    vec![answer]
}

fn in_place(kind: &Kind) -> bool {
    matches!(kind, Kind::Ours(_, name) if IN_PLACE.contains(&name.as_str()))
}

/// Typed as a program, not only pinned to an address.
fn program(account: &super::idl::Account) -> bool {
    account.name.ends_with("_program")
}

/// By what kind of account the handler reads behind the named ones.
fn remaining(
    subject: &Subject,
    instruction: &str,
    index: usize,
    change: &Change,
) -> Vec<&'static str> {
    let link = LINKS.iter().find(|(of, _)| *of == instruction);
    let Some((_, link)) = link else { return Vec::new() };
    let kind = &subject.kinds[index];
    match change {
        Change::ForeignOwner => vec!["AccountOwnedByWrongProgram"],
        Change::OtherType(_) if matches!(kind, Kind::Ours(..)) => {
            vec!["AccountDiscriminatorMismatch"]
        }
        // Whichever is looked at first: what it is, or whose.
        Change::Nothing | Change::Program(_) | Change::Sysvar => {
            vec![link, "AccountNotInitialized", "AccountOwnedByWrongProgram"]
        }
        Change::Swapped | Change::Repeated | Change::Missing => {
            vec![link, "AccountDiscriminatorMismatch", "AccountOwnedByWrongProgram"]
        }
        Change::Double(_) | Change::ReadOnly | Change::Surplus => vec![link],
        _ => Vec::new(),
    }
}
