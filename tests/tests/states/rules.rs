//! What the design says becomes of each instruction in each state. Written from the design
//! alone: no line of it asks the programs.

use std::fmt;

/// The work that an instruction is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    Active,
    /// Withdrawn, and the notice is not over.
    Withdrawn,
    /// Withdrawn, and the notice is over.
    Gone,
    Disputed,
}

/// The work it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parent {
    None,
    Active,
    Withdrawn,
    Disputed,
}

/// The first terms of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Terms {
    None,
    NotYetValid,
    Valid,
    Expired,
    /// Newer ones have been published.
    Replaced,
}

impl Work {
    pub const ALL: [Self; 4] = [Self::Active, Self::Withdrawn, Self::Gone, Self::Disputed];

    fn withdrawn(self) -> bool {
        matches!(self, Self::Withdrawn | Self::Gone)
    }
}

impl Parent {
    pub const ALL: [Self; 4] = [Self::None, Self::Active, Self::Withdrawn, Self::Disputed];
}

impl Terms {
    pub const ALL: [Self; 5] =
        [Self::None, Self::NotYetValid, Self::Valid, Self::Expired, Self::Replaced];

    /// They were accepted once: a license exists.
    pub fn licensed(self) -> bool {
        matches!(self, Self::Valid | Self::Expired | Self::Replaced)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Withdrawn => "withdrawn, notice running",
            Self::Gone => "withdrawn, notice over",
            Self::Disputed => "disputed",
        })
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::NotYetValid => "not yet valid",
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Replaced => "replaced",
        })
    }
}

impl fmt::Display for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Active => "active",
            Self::Withdrawn => "withdrawn",
            Self::Disputed => "disputed",
        })
    }
}

pub const OK: &str = "ok";
/// The account that the instruction needs is not there.
const MISSING: &str = "AccountNotInitialized";
/// The account that the instruction creates is there.
const EXISTS: &str = "system 0";

/// The name of the error, or [`OK`].
pub fn expected(instruction: &str, work: Work, parent: Parent, terms: Terms) -> &'static str {
    let disputed = work == Work::Disputed;
    let offers_nothing_new = || match work {
        Work::Active => OK,
        Work::Withdrawn | Work::Gone => "WorkNotActive",
        Work::Disputed => "WorkDisputed",
    };
    match instruction {
        // A derivative needs a parent that is not disputed, then a right.
        _ if instruction.starts_with("register_work") && disputed => "ParentDisputed",
        "register_work by owner" if work.withdrawn() => "ParentNotActive",
        "register_work by owner" => OK,
        _ if instruction.starts_with("register_work") && terms == Terms::None => MISSING,
        // A license is a promise made earlier: it outlives newer terms and the withdrawal,
        // until its own last day.
        "register_work by license" => match terms {
            Terms::NotYetValid => "LicenseNotFound",
            Terms::Expired => "LicenseEnded",
            _ if work == Work::Gone => "LicenseEnded",
            _ => OK,
        },
        "register_work by terms" | "register_work by approval" => match (work, terms) {
            (Work::Withdrawn | Work::Gone, _) => "ParentNotActive",
            (_, Terms::Replaced) => "NotLatestTerms",
            (_, Terms::NotYetValid | Terms::Expired) => "TermsNotValidNow",
            _ => OK,
        },

        // A work that is withdrawn offers nothing new; one that is disputed stands still.
        "grant_approval" if terms == Terms::None => MISSING,
        "publish_terms" | "grant_approval" | "withdraw_work" => offers_nothing_new(),
        "offer_ownership" | "accept_ownership" | "propose_split" | "apply_split_change"
        | "issue_certificate"
            if disputed =>
        {
            "WorkDisputed"
        }
        "offer_ownership" | "accept_ownership" | "propose_split" | "apply_split_change"
        | "issue_certificate" => OK,
        // What only says yes or no to something that is there changes nothing about the work.
        "approve_split_change" | "cancel_split_change" | "set_consent_end" => OK,
        "revoke_approval" if terms == Terms::None => MISSING,
        "revoke_approval" => OK,
        "open_dispute" => {
            if disputed {
                EXISTS
            } else {
                OK
            }
        }
        "decide_dispute" => {
            if disputed {
                OK
            } else {
                MISSING
            }
        }
        "expire_dispute" => {
            if disputed {
                "DisputeOpen"
            } else {
                MISSING
            }
        }

        "accept_terms" => match (work, terms) {
            (_, Terms::None) => MISSING,
            (Work::Withdrawn | Work::Gone | Work::Disputed, _) => "WorkNotActive",
            (_, Terms::Replaced) => "NotLatestTerms",
            (_, Terms::NotYetValid | Terms::Expired) => "TermsNotValidNow",
            (_, Terms::Valid) => OK,
        },
        // Licenses settle until their day, whatever happens to the work: that day comes with
        // `apply_withdrawal`, and not within the grace period after it.
        _ if instruction == "settle" || instruction.starts_with("apply_withdrawal") => {
            let withdraws = instruction.starts_with("apply_withdrawal");
            let settles = instruction.ends_with("settle");
            match (work, terms) {
                (_, Terms::None | Terms::NotYetValid) => "LicenseNotFound",
                (Work::Active | Work::Disputed, _) if withdraws => "WorkNotWithdrawn",
                (_, Terms::Expired) if settles => "LicenseExpired",
                _ => OK,
            }
        }
        "release_quota" => {
            if terms.licensed() {
                OK
            } else {
                MISSING
            }
        }
        "collect" => {
            if terms.licensed() {
                OK
            } else {
                "LicenseNotFound"
            }
        }
        // Money moves towards a work in every state, and past it to its parents. Out of a
        // disputed one its recipients get what it had earned before, once that was noted.
        "pull to its parent" if parent == Parent::None => "ParentNotFound",
        "pull to its parent" | "pull from a derivative" => OK,
        "open_earnings" | "open_till" | "sweep_till" => OK,
        "claim" | "claim at an old split" if disputed => "DisputeNotApplied",
        // The old split pays as before; in that currency nothing has been earned.
        "claim at an old split" => "NothingToClaim",
        "claim" | "apply_split" => OK,
        _ if instruction.starts_with("apply_dispute") && !disputed => "WorkNotDisputed",
        "apply_dispute" | "apply_dispute at an old split" | "apply_dispute, then claim" => OK,
        other => panic!("the design says nothing about {other}"),
    }
}
