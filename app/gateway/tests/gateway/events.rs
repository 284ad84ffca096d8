//! Events that creators and payers are told as they happen.

use std::{net::IpAddr, time::Duration};

use motif_gateway::{GatewayConfig, config::EventsConfig};
use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    earnings::{Earnings, EarningsAccount, Part},
    gateway::{
        EventReader, GatewayClient, GatewayError,
        wire::{
            Address, Amount, Digest, DisputeState, Event, EventKind, PersonProof, SignatureHex,
        },
    },
    licensing::{Consent, Dispute, Share, SplitChange, Work, WorkStatus},
};
use reqwest::Client;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::time::timeout;

use crate::{
    sold::now,
    works,
    world::{Answer, CHANNEL, MINT, Network, World, license, on_postgres_too, with_admin},
};

/// Work of the licenses of the scripted channel.
pub const WORK: Pubkey = Pubkey::new_from_array([7; 32]);
/// An id of no event, which begins with the oldest one.
const OLDEST: Digest = Digest([0; 32]);
/// Several intervals of the source.
const QUIET: Duration = Duration::from_millis(600);
const DAY: i64 = 86_400;

pub fn owner() -> Keypair {
    Keypair::new_from_array([51; 32])
}

fn recipient() -> Keypair {
    Keypair::new_from_array([52; 32])
}

pub fn fast(config: &mut GatewayConfig) {
    config.events = Some(EventsConfig {
        every: Duration::from_millis(50),
        chain_every: Duration::from_millis(50),
        first_retry: Duration::ZERO,
        low_bps: 0,
        ..EventsConfig::default()
    });
    config.settle.look_every = Duration::from_secs(600);
    with_admin(config);
}

/// Starts a gateway and waits until it has read the chain.
pub async fn world(configure: impl FnOnce(&mut GatewayConfig)) -> World {
    let world = World::with(|config| {
        fast(config);
        configure(config);
    })
    .await;
    register(&world);
    looked(&world).await;
    world
}

/// Registers [`WORK`] with its owner and a recipient, half each.
fn register(world: &World) {
    works::publish(world);
    let mut state = world.chain.state();
    let split =
        [owner(), recipient()].map(|key| Share { recipient: key.pubkey(), share_bps: 5_000 });
    let work = Work {
        owner: owner().pubkey(),
        split: split.to_vec(),
        ..state.works[&works::WORK].clone()
    };
    state.works.insert(WORK, work);
}

/// Waits until the gateway has compared a read of the chain that begins from now on.
async fn looked(world: &World) {
    let before = world.chain.state().record_reads;
    let reads = async || world.chain.state().record_reads >= before + 2;
    until(reads).await;
}

/// Waits until it is so.
pub async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it has not happened in 20 seconds");
}

pub fn proof(world: &World, key: &Keypair) -> PersonProof {
    let (person, expires_at) = (key.pubkey(), now() + 600);
    let message = PersonProof::message(&world.operator(), &person, expires_at);
    let signature = SignatureHex(key.sign_message(message.as_bytes()).into());
    PersonProof { address: Address(person), expires_at, signature }
}

pub fn client(world: &World) -> GatewayClient {
    GatewayClient::new(&world.gateway.url())
}

async fn follow(world: &World, key: &Keypair, last: Option<Digest>) -> EventReader {
    client(world).person_events(&proof(world, key), last.as_ref()).await.unwrap()
}

async fn next(reader: &mut EventReader) -> Event {
    timeout(Duration::from_secs(20), reader.next()).await.unwrap().unwrap().unwrap()
}

/// Returns all events that a person can read.
async fn all(world: &World, key: &Keypair) -> Vec<Event> {
    read_all(follow(world, key, Some(OLDEST)).await).await
}

async fn read_all(mut reader: EventReader) -> Vec<Event> {
    let mut events = Vec::new();
    while let Ok(event) = timeout(QUIET, reader.next()).await {
        events.push(event.unwrap().unwrap());
    }
    events
}

pub async fn pay(world: &World, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let request = world.next_request().await;
        world.generate(&format!("generation-{number}"), &request).await.assert_ok();
    }
}

/// Sets what [`WORK`] has earned, and what its owner was paid.
pub fn claim(world: &World, taken: u64) {
    let part = |key: Keypair, taken| Part {
        key: key.pubkey(),
        share_bps: 5_000,
        taken,
        ..Part::default()
    };
    let earnings = Earnings {
        own_bps: 10_000,
        earned: 1_000,
        work: WORK,
        mint: MINT,
        ..bytemuck::Zeroable::zeroed()
    };
    let recipients = vec![part(owner(), taken), part(recipient(), 0)];
    let account = EarningsAccount { earnings, parents: Vec::new(), recipients };
    world.chain.state().earnings = vec![account];
}

pub fn change_work(world: &World, change: impl FnOnce(&mut Work)) {
    change(world.chain.state().works.get_mut(&WORK).unwrap());
}

fn sums(events: &[Event], kind: EventKind) -> (u64, u64) {
    let of_kind = events.iter().filter(|event| event.kind == kind);
    of_kind.fold((0, 0), |(generations, amount), event| {
        (generations + event.generations.unwrap(), amount + event.amount.unwrap().0)
    })
}

#[tokio::test]
async fn payments_and_settlements_are_told() {
    let world = world(|_| ()).await;
    let mut live = follow(&world, &owner(), None).await;
    pay(&world, 0..3).await;
    let first = next(&mut live).await;
    assert_eq!(first.kind, EventKind::Paid);
    let payer = world.chain.channel_account().channel.payer;
    let facts = (first.work, first.channel, first.person, first.currency, first.statement);
    let (work, channel) = (Some(Address(WORK)), Some(Address(CHANNEL)));
    assert_eq!(facts, (work, channel, Some(Address(payer)), Some(Address(MINT)), Some(0)));
    until(async || sums(&all(&world, &owner()).await, EventKind::Paid) == (3, 300)).await;
    world.settle().await.unwrap();
    let settled = async || {
        let events = all(&world, &recipient()).await;
        events.into_iter().find(|event| event.kind == EventKind::Settled)
    };
    until(async || settled().await.is_some()).await;
    let settled = settled().await.unwrap();
    assert_eq!(
        (settled.work, settled.generations, settled.amount),
        (work, Some(3), Some(Amount(300)))
    );
    // The channel's payer reads the same events.
    let of_channel = world.client().channel_events(&CHANNEL, Some(&OLDEST)).await.unwrap();
    assert_eq!(read_all(of_channel).await, all(&world, &owner()).await);
    // And the live stream, without those it has read.
    let mut rest = vec![first];
    rest.extend(read_all(live).await);
    assert_eq!(rest, all(&world, &owner()).await);
}

#[tokio::test]
async fn claims_are_told_to_recipient_and_owner() {
    let world = world(|_| ()).await;
    claim(&world, 0);
    looked(&world).await;
    claim(&world, 150);
    looked(&world).await;
    claim(&world, 200);
    looked(&world).await;
    let events = all(&world, &owner()).await;
    let claims: Vec<_> = events.iter().map(|event| (event.kind, event.amount.unwrap().0)).collect();
    assert_eq!(claims, [(EventKind::Claimed, 150), (EventKind::Claimed, 50)]);
    assert_eq!(events[0].person, Some(Address(owner().pubkey())));
    assert_eq!(all(&world, &recipient()).await, [], "another recipient's payment");
}

#[tokio::test]
async fn accepted_license_is_told() {
    let world = world(|_| ()).await;
    let mut account: ChannelAccount = world.chain.channel_account();
    account.licenses.push(license(50));
    world.chain.state().channels.insert(CHANNEL, account);
    looked(&world).await;
    let events = all(&world, &recipient()).await;
    let [accepted] = &events[..] else { panic!("{events:?}") };
    let facts = (accepted.kind, accepted.license, accepted.work, accepted.channel);
    let channel = Some(Address(CHANNEL));
    assert_eq!(facts, (EventKind::Accepted, Some(1), Some(Address(WORK)), channel));
}

#[tokio::test]
async fn dispute_is_told_with_its_verdict() {
    let world = world(|_| ()).await;
    let claimant = Keypair::new_from_array([53; 32]);
    change_work(&world, |work| (work.status, work.disputes) = (WorkStatus::Disputed, 1));
    world.chain.state().disputes = vec![Dispute {
        version: 1,
        bump: 255,
        work: WORK,
        claimant: claimant.pubkey(),
        bond_lamports: 1,
        opened_at: now(),
        deadline: now() + 5 * DAY,
        status_before: WorkStatus::Active,
        evidence_digest: [0; 32],
        evidence_uri: String::new(),
    }];
    looked(&world).await;
    let events = all(&world, &owner()).await;
    assert_eq!(
        (events[0].kind, events[0].dispute),
        (EventKind::Disputed, Some(DisputeState::Opened))
    );
    assert_eq!(events[0].person, Some(Address(claimant.pubkey())));
    assert!(events[0].ends_at.unwrap() > now());
    assert_eq!(all(&world, &claimant).await, events);
    world.chain.state().disputes.clear();
    change_work(&world, |work| {
        (work.status, work.verdict_dispute) = (WorkStatus::Active, 1);
    });
    looked(&world).await;
    change_work(&world, |work| (work.status, work.disputes) = (WorkStatus::Disputed, 2));
    looked(&world).await;
    change_work(&world, |work| work.status = WorkStatus::Active);
    looked(&world).await;
    let states: Vec<_> =
        all(&world, &owner()).await.iter().map(|event| event.dispute.unwrap()).collect();
    use DisputeState::{Opened, Rejected, Upheld};
    assert_eq!(states, [Opened, Upheld, Opened, Rejected]);
}

#[tokio::test]
async fn low_and_closing_channel_is_told_to_payer() {
    let payer = Keypair::new_from_array([54; 32]);
    let world = world(|config| config.events.as_mut().unwrap().low_bps = 10_000).await;
    world.chain.state().channels.get_mut(&CHANNEL).unwrap().channel.payer = payer.pubkey();
    looked(&world).await;
    assert_eq!(all(&world, &payer).await, [], "the whole deposit is left");
    pay(&world, 0..2).await;
    until(async || !all(&world, &payer).await.is_empty()).await;
    let events = all(&world, &payer).await;
    let [low] = &events[..] else { panic!("{events:?}") };
    // What is signed for counts before it settles.
    let left = low.amount.unwrap().0;
    assert!(low.kind == EventKind::ChannelLow && [999_796, 999_898].contains(&left), "{low:?}");
    assert_eq!((low.channel, low.ends_at), (Some(Address(CHANNEL)), None));
    let ends_at = now() + DAY;
    world.chain.state().channels.get_mut(&CHANNEL).unwrap().channel.closes_at = ends_at;
    looked(&world).await;
    let events = all(&world, &payer).await;
    let ends: Vec<_> = events.iter().map(|event| event.ends_at).collect();
    assert_eq!(ends, [None, Some(ends_at)], "each warning once");
}

#[tokio::test]
async fn ending_consent_is_told_to_both() {
    let world = world(|_| ()).await;
    let person = Keypair::new_from_array([55; 32]);
    let consent = |expires_at| Some(Consent { person: person.pubkey(), expires_at });
    change_work(&world, |work| work.consent = consent(Some(now() + 30 * DAY)));
    looked(&world).await;
    assert_eq!(all(&world, &person).await, []);
    let end = now() + 3 * DAY;
    change_work(&world, |work| work.consent = consent(Some(end)));
    looked(&world).await;
    let events = all(&world, &person).await;
    let [ending] = &events[..] else { panic!("{events:?}") };
    assert_eq!((ending.kind, ending.ends_at), (EventKind::ConsentEnding, Some(end)));
    assert_eq!(all(&world, &owner()).await, events);
    assert_eq!(all(&world, &recipient()).await, []);
}

#[tokio::test]
async fn proposed_split_is_told_to_those_who_lose() {
    let world = world(|_| ()).await;
    let proposed = |share_bps| SplitChange {
        version: 1,
        bump: 255,
        work: WORK,
        proposer: owner().pubkey(),
        split_version: 0,
        recipients: 2,
        approvals: 0,
        expires_at: None,
        split: vec![
            Share { recipient: owner().pubkey(), share_bps: 10_000 - share_bps },
            Share { recipient: recipient().pubkey(), share_bps },
        ],
    };
    let propose = async |change| {
        world.chain.state().split_changes = vec![change];
        looked(&world).await;
        all(&world, &recipient()).await.len()
    };
    let incomplete = SplitChange { split: Vec::new(), ..proposed(4_000) };
    assert_eq!(propose(incomplete).await, 0);
    assert_eq!(propose(proposed(6_000)).await, 0, "the proposer loses");
    let expired = SplitChange { expires_at: Some(now() - DAY), ..proposed(4_000) };
    assert_eq!(propose(expired).await, 0);
    assert_eq!(propose(proposed(4_000)).await, 1);
    assert_eq!(propose(SplitChange { approvals: 0b10, ..proposed(4_000) }).await, 1);
    assert_eq!(propose(proposed(3_000)).await, 2, "another split");
    let events = all(&world, &recipient()).await;
    assert!(events.iter().all(|event| event.kind == EventKind::SplitWaiting), "{events:?}");
    assert_eq!(all(&world, &owner()).await, []);
}

#[tokio::test]
async fn restart_tells_nothing_twice() {
    let world = world(|_| ()).await;
    pay(&world, 0..2).await;
    claim(&world, 100);
    until(async || all(&world, &owner()).await.len() >= 2).await;
    world.settle().await.unwrap();
    until(async || sums(&all(&world, &recipient()).await, EventKind::Settled) == (2, 200)).await;
    let before = all(&world, &owner()).await;
    // What happens on chain while no gateway runs is told afterwards.
    world.chain.network(Network::Down);
    claim(&world, 130);
    let world = world.restarted(true).await;
    world.chain.network(Network::Up);
    until(async || all(&world, &owner()).await.len() > before.len()).await;
    looked(&world).await;
    let after = all(&world, &owner()).await;
    assert_eq!(after[..before.len()], before);
    let [claimed] = &after[before.len()..] else { panic!("{after:?}") };
    assert_eq!((claimed.kind, claimed.amount), (EventKind::Claimed, Some(Amount(30))));
}

#[tokio::test]
async fn last_event_id_resumes_without_gap() {
    let world = world(|_| ()).await;
    claim(&world, 10);
    looked(&world).await;
    let mut reader = follow(&world, &owner(), Some(OLDEST)).await;
    let first = next(&mut reader).await;
    drop(reader);
    for taken in [20, 30, 40] {
        claim(&world, taken);
        looked(&world).await;
    }
    let rest = read_all(follow(&world, &owner(), Some(first.id)).await).await;
    let mut expected = vec![first];
    expected.extend(rest);
    assert_eq!(expected.len(), 4);
    assert_eq!(all(&world, &owner()).await, expected);
    let live = follow(&world, &owner(), None).await;
    assert_eq!(read_all(live).await, [], "only what happens from now on");
}

#[tokio::test]
async fn events_of_others_are_refused() {
    let world = world(|_| ()).await;
    let url = |path: &str| format!("{}{path}", world.gateway.url());
    let path = format!("/v1/people/{}/events", owner().pubkey());
    Answer::to(Client::new().get(url(&path))).await.assert_problem(403, "not-the-person");
    let others = proof(&world, &recipient()).to_header();
    let asked = Client::new().get(url(&path)).header(PersonProof::HEADER, &others);
    Answer::to(asked).await.assert_problem(403, "not-the-person");
    let path = format!("/v1/channels/{CHANNEL}/events");
    let asked = Client::new().get(url(&path)).header(PersonProof::HEADER, &others);
    Answer::to(asked).await.assert_problem(403, "not-by-payer");
}

#[tokio::test]
async fn streams_are_bounded() {
    let world = world(|config| config.events.as_mut().unwrap().streams = 10).await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(follow(&world, &owner(), None).await);
    }
    let refused = async |key: &Keypair| {
        let refused = client(&world).person_events(&proof(&world, key), None).await;
        let Err(GatewayError::Refused(problem)) = refused else { panic!("it is open") };
        (problem.status, problem.slug)
    };
    assert_eq!(refused(&owner()).await, (429, "too-many-streams".to_owned()));
    open.push(follow(&world, &recipient(), None).await);
    open.push(follow(&world, &recipient(), None).await);
    assert_eq!(refused(&recipient()).await, (503, "streams-full".to_owned()));
    open.clear();
    until(async || client(&world).person_events(&proof(&world, &owner()), None).await.is_ok())
        .await;
}

#[tokio::test]
async fn strangers_leave_places_to_creators() {
    let world = world(|config| config.events.as_mut().unwrap().streams = 10).await;
    let away = Client::builder().local_address(IpAddr::from([127, 0, 0, 2])).build().unwrap();
    let opened = async |number: u8| {
        let stranger = Keypair::new_from_array([number; 32]);
        let url = format!("{}/v1/people/{}/events", world.gateway.url(), stranger.pubkey());
        let asked = away.get(url).header(PersonProof::HEADER, proof(&world, &stranger).to_header());
        let stream = asked.send().await.unwrap();
        assert_eq!(stream.status(), 200);
        stream
    };
    let mut strangers = Vec::new();
    for number in 100..140 {
        strangers.push(opened(number).await);
    }
    // One who has nothing yet, and one with a work.
    let newcomer = Keypair::new_from_array([60; 32]);
    let mut inbox = follow(&world, &newcomer, None).await;
    let mut known = Vec::new();
    for _ in 0..7 {
        known.push(follow(&world, &owner(), None).await);
    }
    for number in 140..180 {
        strangers.push(opened(number).await);
    }
    let share = Share { recipient: newcomer.pubkey(), share_bps: 10 };
    change_work(&world, |work| work.split.push(share));
    looked(&world).await;
    pay(&world, 0..1).await;
    for reader in known.iter_mut().chain([&mut inbox]) {
        assert_eq!(next(reader).await.kind, EventKind::Paid);
    }
    // Those that made room have ended.
    let mut first = strangers.remove(0);
    let end = async { while first.chunk().await.unwrap().is_some() {} };
    timeout(Duration::from_secs(5), end).await.unwrap();
}

#[tokio::test]
async fn shutdown_ends_streams() {
    let world = world(|_| ()).await;
    let mut reader = follow(&world, &owner(), None).await;
    let read = tokio::spawn(async move { reader.next().await });
    let World { gateway, .. } = world;
    timeout(Duration::from_secs(10), gateway.shutdown()).await.unwrap();
    assert!(read.await.unwrap().unwrap().is_none(), "it ends in order");
}

#[tokio::test]
async fn disabled_events_are_not_found() {
    let world = World::new().await;
    let refused = client(&world).person_events(&proof(&world, &owner()), None).await;
    assert_eq!(refused.err().unwrap().slug(), Some("not-found"));
}

on_postgres_too! {
    payments_and_settlements_are_told,
    claims_are_told_to_recipient_and_owner,
    restart_tells_nothing_twice,
    last_event_id_resumes_without_gap,
}

/// Two processes on one database.
fn two_processes_tell_once_to_both() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let first = world(|_| ()).await;
        let second = first.second(|_| ()).await;
        let mut live = follow(&second, &owner(), None).await;
        pay(&first, 0..3).await;
        for taken in [10, 20, 30] {
            claim(&first, taken);
            looked(&first).await;
        }
        let claimed = |events: &[Event]| -> u64 {
            let claims = events.iter().filter(|event| event.kind == EventKind::Claimed);
            claims.map(|event| event.amount.unwrap().0).sum()
        };
        let is_told =
            |events: &[Event]| (sums(events, EventKind::Paid), claimed(events)) == ((3, 300), 30);
        until(async || is_told(&all(&first, &owner()).await)).await;
        tokio::time::sleep(QUIET).await;
        let events = all(&first, &owner()).await;
        assert!(is_told(&events), "{events:?}");
        assert_eq!(all(&second, &owner()).await, events);
        assert_eq!(next(&mut live).await, events[0]);
    });
}

mod shared {
    #[test]
    fn two_processes_tell_once_to_both() {
        crate::world::on_postgres(super::two_processes_tell_once_to_both);
    }
}
