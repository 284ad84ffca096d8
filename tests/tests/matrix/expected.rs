//! What should become of a call with something wrong with one of its accounts: by rule, from
//! what the IDL says about the account; then what rules cannot know.

use std::{cell::RefCell, collections::BTreeSet};

use super::cells::{Change, Kind, Subject};

pub const ACCEPTED: &str = "accepted";

/// Instruction, account, change; the answers; why. `*` stands for any instruction.
type Exception = (&'static str, &'static str, &'static str, &'static [&'static str], &'static str);

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
        (*of == instruction || *of == "*") && *account == name && *sort == change.name()
    });
    if let Some(found) = found {
        USED.with_borrow_mut(|used| used.insert(found));
        return EXCEPTIONS[found].3.to_vec();
    }
    rule(subject, index, change)
}

fn rule(subject: &Subject, index: usize, change: &Change) -> Vec<&'static str> {
    let kind = &subject.kinds[index];
    let Some(account) = subject.accounts.get(index) else { return Vec::new() };
    let answer = match change {
        Change::Unsigned => "AccountNotSigner",
        Change::ReadOnly => "ConstraintMut",
        Change::ForeignOwner | Change::Sysvar | Change::Program(_) if *kind != Kind::Fixed => {
            "AccountOwnedByWrongProgram"
        }
        Change::Sysvar | Change::Program(_) => "InvalidProgramId",
        Change::OtherType(_) if matches!(kind, Kind::Ours(..)) => "AccountDiscriminatorMismatch",
        Change::OtherType(_) => "runtime InvalidAccountData",
        Change::Nothing => "AccountNotInitialized",
        Change::Occupied => "system 0",
        Change::OtherKey if *kind == Kind::Created => "ConstraintSeeds",
        Change::Double(_) | Change::OtherSigner if !account.relations.is_empty() => {
            "ConstraintHasOne"
        }
        Change::Double(_) if account.pda.as_ref().is_some_and(|pda| pda.program.is_some()) => {
            "ConstraintTokenOwner"
        }
        Change::Double(_) if account.pda.is_some() => "ConstraintSeeds",
        Change::Missing => "AccountNotEnoughKeys",
        // Handlers that read no remaining accounts never look at them.
        Change::Surplus => ACCEPTED,
        _ => return Vec::new(),
    };
    vec![answer]
}
