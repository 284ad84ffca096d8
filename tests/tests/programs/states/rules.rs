//! Expected result of each instruction in each state. Written from the design
//! alone, without using the programs.

use std::fmt;

/// State of the instruction's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    Active,
    /// Withdrawn, before the notice is over.
    Withdrawn,
    /// Withdrawn, after the notice is over.
    Gone,
    Disputed,
}

/// State of the work's parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parent {
    None,
    Active,
    Withdrawn,
    Disputed,
}

/// State of the work's first terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Terms {
    None,
    NotYetValid,
    Valid,
    Expired,
    /// Replaced by newer terms.
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

    /// Returns whether they were accepted earlier, so that a license exists.
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
/// Error for a missing account.
const MISSING: &str = "AccountNotInitialized";
/// Error for an account that already exists.
const EXISTS: &str = "system 0";

/// Name of the error, or [`OK`].
pub fn expected(instruction: &str, work: Work, parent: Parent, terms: Terms) -> &'static str {
    let disputed = work == Work::Disputed;
    let offers_nothing_new = || match work {
        Work::Active => OK,
        Work::Withdrawn | Work::Gone => "WorkNotActive",
        Work::Disputed => "WorkDisputed",
    };
    match instruction {
        // A derivative requires a right. All but a license are offers, which a dispute suspends.
        "register_work by owner" if disputed => "ParentDisputed",
        "register_work by owner" if work.withdrawn() => "ParentNotActive",
        "register_work by owner" => OK,
        _ if instruction.starts_with("register_work") && terms == Terms::None => MISSING,
        // A license stays valid under newer terms and after a withdrawal,
        // until its own expiry.
        "register_work by license" => match terms {
            Terms::NotYetValid => "LicenseNotFound",
            Terms::Expired => "LicenseEnded",
            _ if work == Work::Gone => "LicenseEnded",
            _ => OK,
        },
        "register_work by terms" | "register_work by approval" => match (work, terms) {
            (Work::Disputed, _) => "ParentDisputed",
            (Work::Withdrawn | Work::Gone, _) => "ParentNotActive",
            (_, Terms::Replaced) => "NotLatestTerms",
            (_, Terms::NotYetValid | Terms::Expired) => "TermsNotValidNow",
            _ => OK,
        },

        // A withdrawn work offers nothing new; a disputed one cannot change.
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
        "update_metadata" => {
            if disputed {
                "WorkDisputed"
            } else {
                OK
            }
        }
        // Approvals and cancellations do not change the work.
        "approve_split_change"
        | "revoke_split_approval"
        | "cancel_split_change"
        | "set_consent_end" => OK,
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
        // Licenses settle until their expiry, in every state of the work. `apply_withdrawal`
        // sets it, at the earliest after the grace period.
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
        // A work and its parents receive money in every state. Parents and recipients of a
        // disputed work are paid its earlier earnings after the dispute is applied.
        "pull to its parent" if disputed => "DisputeNotApplied",
        "pull to its parent" if parent == Parent::None => "ParentNotFound",
        "pull to its parent" | "pull from a derivative" => OK,
        "open_earnings" | "open_till" | "sweep_till" => OK,
        "claim" | "claim at an old split" if disputed => "DisputeNotApplied",
        // The old split still pays; the other currency has no earnings.
        "claim at an old split" => "NothingToClaim",
        "claim" | "apply_split" => OK,
        _ if instruction.starts_with("apply_dispute") && !disputed => "WorkNotDisputed",
        "apply_dispute" | "apply_dispute at an old split" | "apply_dispute, then claim" => OK,
        other => panic!("the design says nothing about {other}"),
    }
}
