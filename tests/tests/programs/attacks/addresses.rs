//! P2: no two accounts share an address, and only canonical addresses are accepted.

use std::collections::BTreeMap;

use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel, earnings,
    licensing::{
        self as sdk, Approval, Config, Dispute, OpenDisputeArgs, ProposeSplitArgs, Purpose, Share,
        SplitChange, Terms, Use, Work,
    },
    pda,
    till::{self, TillShares},
};
use motif_tests::world::{Call, World};
use payments::{Channel, Earnings, Issuance, Licensee, Operator, StatementBuffer, Till, Vault};
use solana_pubkey::Pubkey;

const KEYS: [Pubkey; 3] = [
    Pubkey::new_from_array([0; 32]),
    Pubkey::new_from_array([1; 32]),
    // A seed's name followed by zeros.
    Pubkey::new_from_array(*b"channel\0earnings\0terms\0\0\0\0\0\0\0\0\0\0"),
];
const NUMBERS: [u32; 4] = [0, 1, 256, u32::MAX];

/// Returns all addresses over a few keys and numbers, with their kinds.
fn addresses() -> Vec<(String, Pubkey)> {
    let mut all = vec![("config".to_string(), pda::config())];
    for one in &KEYS {
        for number in NUMBERS {
            all.push((format!("terms {one} {number}"), pda::terms(one, number)));
        }
        all.push((format!("split change {one}"), pda::split_change(one)));
        all.push((format!("dispute {one}"), pda::dispute(one)));
        all.push((format!("certificate {one}"), pda::certificate(one)));
        all.push((format!("vault {one}"), pda::vault(one)));
        all.push((format!("issuance {one}"), pda::issuance(one)));
        all.push((format!("operator {one}"), pda::operator(one)));
        for other in &KEYS {
            let of = |name: &str| format!("{name} {one} {other}");
            all.push((of("work"), pda::work(one, other.as_array())));
            for purpose in [Purpose::License, Purpose::Derivative] {
                let name = format!("{} {purpose:?}", of("approval"));
                all.push((name, pda::approval(one, other, purpose)));
            }
            for licensed_use in [Use::Generate, Use::Train, Use::Play] {
                let name = format!("{} {licensed_use:?}", of("licensee"));
                all.push((name, pda::licensee(one, other, licensed_use)));
            }
            all.push((of("earnings"), pda::earnings(one, other)));
            all.push((of("till"), pda::till(&TillShares::sole(*one), other)));
            all.push((of("staging"), pda::statement_buffer(one, other)));
            for mint in &KEYS {
                for salt in [0, 1, 1 << 32, u64::MAX] {
                    let name = format!("{} {mint} {salt}", of("channel"));
                    all.push((name, pda::channel(one, other, mint, salt)));
                }
            }
        }
    }
    all
}

#[test]
fn addresses_are_distinct() {
    let mut known = BTreeMap::new();
    for (name, address) in addresses() {
        if let Some(other) = known.insert(address, name.clone()) {
            panic!("{name} is where {other} is");
        }
    }
}

/// Seeds are hashed without separators. Each has a fixed length, so two kinds of accounts can share
/// an address only if their total lengths are equal and they begin alike.
#[test]
fn seeds_never_coincide() {
    const KEY: usize = 32;
    let licensing = [
        (Config::SEED, 0),
        (Work::SEED, KEY + 32),
        (Terms::SEED, KEY + 4),
        (Approval::SEED, 2 * KEY + 1),
        (SplitChange::SEED, KEY),
        (Dispute::SEED, KEY),
        (licensing::CERTIFICATE_SEED, KEY),
    ];
    let payments = [
        (Vault::SEED, KEY),
        (Operator::SEED, KEY),
        (Channel::SEED, 3 * KEY + 8),
        (Earnings::SEED, 2 * KEY),
        (Issuance::SEED, KEY),
        (Licensee::SEED, 2 * KEY + 1),
        (Till::SEED, 2 * KEY + 32),
        (StatementBuffer::SEED, 2 * KEY),
    ];
    for all in [&licensing[..], &payments[..]] {
        for (position, (seed, rest)) in all.iter().enumerate() {
            for (other, other_rest) in &all[..position] {
                let lengths = seed.len() + rest != other.len() + other_rest;
                let prefixes = seed.len() == other.len() && seed != other;
                assert!(lengths || prefixes, "seeds {seed:?} and {other:?}");
            }
        }
    }
}

/// Returns the next valid address of these seeds below the canonical one.
fn lower(program: &Pubkey, seeds: &[&[u8]]) -> (Pubkey, Pubkey) {
    let (canonical, bump) = Pubkey::find_program_address(seeds, program);
    let lower = (0..bump).rev().find_map(|bump| {
        let bump = [bump];
        let seeds: Vec<_> = seeds.iter().copied().chain([&bump[..]]).collect();
        Pubkey::create_program_address(&seeds, program).ok()
    });
    (canonical, lower.unwrap())
}

#[test]
fn lower_bump_is_rejected() {
    let mut scene = World::new();
    let (l, p) = (licensing::ID, payments::ID);
    let check = |scene: &World, call: Call, (canonical, lower): (Pubkey, Pubkey)| {
        let call = call.instead_of(canonical, lower);
        scene.clone().send(call).assert_err(ErrorCode::ConstraintSeeds);
    };
    let host = scene.host.clone();
    let by_host = |instruction| Call::new([instruction], &[&host]);
    let currency = scene.mint_of(&channel::TOKEN_PROGRAM);
    let vault = [Vault::SEED, currency.mint.as_ref()];
    let call = by_host(channel::create_vault(&host.key(), &currency));
    check(&scene, call, lower(&p, &vault));

    let creator = scene.person();
    let work = scene.work().by(&creator).with(|work| work.content_digest = [0xD1; 32]);
    let seeds = [Work::SEED, creator.key().as_ref(), &[0xD1; 32]].map(<[u8]>::to_vec);
    let call = work.call();
    check(&scene, call, lower(&l, &seeds.each_ref().map(Vec::as_slice)));

    let work = scene.work().register();
    let (address, owner) = (work.address, work.creator.clone());
    let by_owner = |instruction| Call::new([instruction], &[&owner]);
    let first = [Terms::SEED, address.as_ref(), &1_u32.to_le_bytes()];
    let call = scene.terms(&work).call();
    check(&scene, call, lower(&l, &first));
    let terms = scene.terms(&work).with(|offer| {
        offer.caps.total_units = Some(100);
        offer.caps.licensee_units = Some(10);
    });
    let terms = terms.publish();

    let grantee = scene.person();
    let purpose = Purpose::License;
    let approve = sdk::grant_approval(&owner.key(), &address, 1, &grantee.key(), purpose);
    let key = grantee.key();
    let seeds = [Approval::SEED, terms.address.as_ref(), key.as_ref(), &[purpose as u8]];
    check(&scene, by_owner(approve), lower(&l, &seeds));
    let share = Share { recipient: owner.key(), share_bps: 10_000 };
    let args = ProposeSplitArgs { recipients: 1, expires_at: None, shares: vec![share] };
    let propose = sdk::propose_split(&owner.key(), &address, args);
    check(&scene, by_owner(propose), lower(&l, &[SplitChange::SEED, address.as_ref()]));
    let args = OpenDisputeArgs {
        evidence_uri: String::new(),
        evidence_digest: [1; 32],
        max_bond: u64::MAX,
    };
    let dispute = sdk::open_dispute(&grantee.key(), &address, args);
    let call = Call::new([dispute], &[&grantee]);
    check(&scene, call, lower(&l, &[Dispute::SEED, address.as_ref()]));

    let (currency, mint) = (scene.currency, scene.currency.mint);
    let open = earnings::open(&host.key(), &address, &mint);
    let seeds = [Earnings::SEED, address.as_ref(), mint.as_ref()];
    check(&scene, by_host(open), lower(&p, &seeds));
    let shares = TillShares::sole(address);
    let open = till::open(&host.key(), &shares, &currency);
    let (operator, digest) = (shares.operator, shares.digest());
    let seeds = [Till::SEED, operator.as_ref(), mint.as_ref(), &digest];
    check(&scene, by_host(open), lower(&p, &seeds));

    let authority = scene.person();
    let register = scene.operator(&authority).call();
    check(&scene, register, lower(&p, &[Operator::SEED, authority.key().as_ref()]));
    let (call, opened) = scene.channel().call();
    let (payer, operator) = (opened.payer.key(), opened.operator.key());
    let salt = 0_u64.to_le_bytes();
    let seeds = [Channel::SEED, payer.as_ref(), operator.as_ref(), mint.as_ref(), &salt];
    check(&scene, call.clone(), lower(&p, &seeds));
    scene.send(call).assert_ok();
    let stage = channel::buffer_statement(&operator, &opened.address, &[]).remove(0);
    let seeds = [StatementBuffer::SEED, opened.address.as_ref(), operator.as_ref()];
    check(&scene, Call::new([stage], &[&opened.operator]), lower(&p, &seeds));
    scene.fund_quota(&opened, &terms, 1, 0);
    let accept = opened.accepting(&terms).quota(1, 0).call();
    let issuance = [Issuance::SEED, terms.address.as_ref()];
    check(&scene, accept.clone(), lower(&p, &issuance));
    let licensed_use = [Licensee::use_byte(Use::Generate)];
    let licensee = [Licensee::SEED, terms.address.as_ref(), payer.as_ref(), &licensed_use];
    check(&scene, accept, lower(&p, &licensee));
}
