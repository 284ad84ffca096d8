use motif_sdk::licensing::{
    OpenDisputeArgs, Verdict, decide_dispute, expire_dispute, open_dispute,
};

use super::{Call, Person, RegisteredWork, World};

impl RegisteredWork {
    /// Returns the claimant's call that opens a dispute about the work.
    pub fn disputing_by(&self, claimant: &Person) -> Call {
        let args = OpenDisputeArgs {
            evidence_uri: "https://example.org/evidence".into(),
            evidence_digest: [0xED; 32],
            max_bond: World::BOND,
        };
        Call::new([open_dispute(&claimant.key(), &self.address, args)], &[claimant])
    }

    /// Returns the call that decides the dispute.
    pub fn deciding(&self, arbiter: &Person, claimant: &Person, verdict: Verdict) -> Call {
        let (owner, claimant) = (self.creator.key(), claimant.key());
        let decide = decide_dispute(&arbiter.key(), &self.address, &owner, &claimant, verdict);
        Call::new([decide], &[arbiter])
    }

    /// Returns the call that expires the dispute. The host signs.
    pub fn expiring(&self, claimant: &Person) -> Call {
        let expire = expire_dispute(&self.address, &self.creator.key(), &claimant.key());
        Call::new([expire], &[])
    }
}

impl World {
    /// Creates a disputed work; returns it with its claimant.
    #[track_caller]
    pub fn disputed(&mut self) -> (RegisteredWork, Person) {
        let work = self.work().register();
        let claimant = self.dispute(&work);
        (work, claimant)
    }

    /// Opens a dispute about the work; returns the claimant.
    #[track_caller]
    pub fn dispute(&mut self, work: &RegisteredWork) -> Person {
        let claimant = self.person();
        self.send(work.disputing_by(&claimant)).assert_ok();
        claimant
    }

    /// Returns a person's lamports.
    pub fn lamports(&self, person: &Person) -> u64 {
        self.find(&person.key()).map_or(0, |account| account.lamports)
    }
}
