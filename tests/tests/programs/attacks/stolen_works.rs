//! P32: what a thief keeps of a stolen work: by a parent of its own, by licenses of its own, by
//! co-recipients who are robbed together with it.

use motif_sdk::{
    channel::PaymentsError,
    licensing::{Award, Inherited, LicensingError, Verdict},
};
use motif_tests::world::{OpenedChannel, Person, RegisteredWork, World};

const DROPPED: Verdict = Verdict::Upheld(Award { kept_parents: 0, keeps_recipients: false });

/// A stolen work whose whole earnings go to a parent of the thief's own, licensed at 1.
struct Stolen {
    world: World,
    channel: OpenedChannel,
    dummy: RegisteredWork,
    work: RegisteredWork,
    claimant: Person,
}

fn stolen() -> Stolen {
    let mut world = World::new();
    let thief = world.person();
    let dummy = world.work().by(&thief).with(|work| work.content_digest = [1; 32]).register();
    let work = world.work().by(&thief).with(|work| work.content_digest = [2; 32]);
    let work = work.parent(&dummy, 10_000).register();
    let channel = world.channel().fee(0).open();
    let terms = world.terms(&work).price(1).publish();
    world.accept(&channel, &terms);
    world.open_earnings(&dummy);
    world.open_earnings(&work);
    let claimant = world.person();
    let mut stolen = Stolen { world, channel, dummy, work, claimant };
    stolen.earn(1_000);
    stolen
}

impl Stolen {
    fn earn(&mut self, amount: u32) {
        let Self { world, channel, work, .. } = self;
        world.settle(channel, &[(0, amount)]).assert_ok();
        world.collect(channel, &[(0, work)]).assert_ok();
    }

    /// Claims the work; the account is told if `told`.
    fn dispute(&mut self, told: bool) {
        self.world.send(self.work.disputing_by(&self.claimant)).assert_ok();
        if told {
            self.world.apply_dispute(&self.work).assert_ok();
        }
    }

    fn decide(&mut self, verdict: Verdict) {
        self.world.pass(World::HEARING_SECONDS);
        let arbiter = self.world.host.clone();
        self.world.send(self.work.deciding(&arbiter, &self.claimant, verdict)).assert_ok();
    }
}

#[test]
fn dummy_parent_keeps_no_contested_earnings() {
    let mut stolen = stolen();
    stolen.dispute(true);
    stolen.earn(5_000);
    let Stolen { world, dummy, work, .. } = &mut stolen;
    world.pull(work, dummy).assert_ok();
    assert_eq!(world.earnings(dummy).earnings.earned, 1_000, "what came before the dispute");
    world.pull(work, dummy).assert_err(PaymentsError::NothingToClaim);
    stolen.decide(DROPPED);
    stolen.earn(70);
    let Stolen { world, dummy, work, claimant, .. } = &mut stolen;
    world.pull(work, dummy).assert_err(PaymentsError::SplitNotApplied);
    world.apply_split(work).assert_ok();
    world.pull(work, dummy).assert_err(PaymentsError::NothingToClaim);
    world.claim(work, claimant).assert_ok();
    assert_eq!(world.balance(claimant), 5_070);
    assert_eq!(world.earnings(dummy).earnings.earned, 1_000);
    stolen.earn(30);
    let Stolen { world, work, claimant, .. } = &mut stolen;
    world.claim(work, claimant).assert_ok();
    assert_eq!(world.balance(claimant), 5_100);
}

#[test]
fn untold_dummy_parent_keeps_nothing() {
    let mut stolen = stolen();
    stolen.dispute(false);
    let Stolen { world, dummy, work, .. } = &mut stolen;
    world.pull(work, dummy).assert_err(PaymentsError::DisputeNotApplied);
    stolen.decide(DROPPED);
    let Stolen { world, dummy, work, claimant, .. } = &mut stolen;
    world.apply_split(work).assert_ok();
    world.claim(work, claimant).assert_ok();
    assert_eq!((world.balance(claimant), world.earnings(dummy).earnings.earned), (1_000, 0));
}

/// A parent's conditions would keep the claimant from licensing its own work.
#[test]
fn dropped_parent_binds_no_terms() {
    let mut world = World::new();
    let dummy = world.work().register();
    let end = World::NOW + 1;
    let closed = world.terms(&dummy).with(|offer| offer.expires_at = Some(end)).publish();
    let work = world.work().parent_by_terms(&dummy, 0, closed.number).register();
    let claimant = world.dispute(&work);
    world.pass(World::HEARING_SECONDS);
    let arbiter = world.host.clone();
    world.send(work.deciding(&arbiter, &claimant, DROPPED)).assert_ok();
    assert_eq!(world.read_work(&work).inherited, Inherited::default());
    world.terms(&work).by(&claimant).publish();
}

/// A thief's accomplice licenses the work for nothing, with a year of notice.
#[test]
fn thiefs_license_ends_after_minimum_notice() {
    let mut world = World::new();
    let work = world.work().register();
    let channel = world.channel().fee(0).open();
    let terms = world.terms(&work).price(0).with(|offer| offer.notice_seconds = 366 * 86_400);
    let terms = terms.publish();
    world.accept(&channel, &terms);
    world.settle(&channel, &[(0, 1)]).assert_ok();
    let claimant = world.dispute(&work);
    world.pass(World::HEARING_SECONDS);
    let arbiter = world.host.clone();
    world.send(work.deciding(&arbiter, &claimant, Verdict::UPHELD)).assert_ok();
    let new = world.terms(&work).by(&claimant).with(|offer| offer.notice_seconds = 10 * 86_400);
    let new = new.publish();
    world.accept(&channel, &new);
    world.send(work.withdrawing_by(&claimant)).assert_ok();
    let withdrawn_at = world.now();
    world.send(channel.applying_withdrawal(&[(0, &work), (1, &work)])).assert_ok();
    let ends: Vec<_> = world.read(&channel).licenses.iter().map(|one| one.expires_at).collect();
    assert_eq!(ends, [withdrawn_at + 86_400, withdrawn_at + 10 * 86_400]);
    // Nor does the license register derivatives for the rest of the year.
    world.pass(86_401);
    let payer = channel.payer.clone();
    let song = world.work().by(&payer).parent_by_license(&work, 0, 1, &channel, 0);
    song.attempt().assert_err(LicensingError::LicenseEnded);
    world.settle(&channel, &[(0, 1)]).assert_err(PaymentsError::LicenseExpired);
}

/// An owner admits a claim of its own accomplice; its co-recipient's half stays.
#[test]
fn verdict_on_owner_leaves_co_recipient() {
    for told in [true, false] {
        let mut world = World::new();
        let (owner, other) = (world.person(), world.person());
        let split = motif_tests::world::shares(&[(&owner, 5_000), (&other, 5_000)]);
        let work = world.work().by(&owner).with(|work| work.split = split).register();
        world.open_earnings(&work);
        world.open_till(&work);
        let earn = |world: &mut World| {
            world.pay_into_till(&work, 1_000);
            world.sweep_till(&work).assert_ok();
        };
        earn(&mut world);
        world.claim(&work, &owner).assert_ok();
        let claimant = world.dispute(&work);
        if told {
            world.apply_dispute(&work).assert_ok();
        }
        earn(&mut world);
        world.pass(World::HEARING_SECONDS);
        let award = Award { kept_parents: u8::MAX, keeps_recipients: true };
        let arbiter = world.host.clone();
        let decide = work.deciding(&arbiter, &claimant, Verdict::Upheld(award));
        world.send(decide).assert_ok();
        world.apply_split(&work).assert_ok();
        earn(&mut world);
        world.claim(&work, &other).assert_ok();
        assert_eq!(world.balance(&other), 1_500, "half of all that was earned");
        world.claim(&work, &claimant).assert_ok();
        // An account that was not told pays the old owner until it follows the verdict.
        let (owners, claimants) = if told { (500, 1_000) } else { (1_000, 500) };
        let _ = world.claim(&work, &owner);
        assert_eq!((world.balance(&owner), world.balance(&claimant)), (owners, claimants));
    }
}
