use motif_payer::{InvalidJournal, Machine, PayerPolicy};
use serde_json::{Value, json};
use solana_sha256_hasher::hash;

use crate::gateway::{CHANNEL, End, Gateway, Payer, account, receipt_keys};

#[test]
fn killed_payer_pays_once() {
    for end in [End::BeforeSending, End::BeforeAnswer, End::BeforeSaving] {
        let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
        payer.add(&[(0, 1)], None);
        payer.run(&mut gateway, End::Never);
        payer.add(&[(0, 1)], Some("ann"));
        payer.add(&[(1, 2)], None);
        assert!(payer.run(&mut gateway, end));
        let mut payer = payer.restarted(PayerPolicy::default());
        assert!(payer.machine.is_unanswered());
        payer.run(&mut gateway, End::Never);
        payer.add(&[(0, 1)], None);
        payer.run(&mut gateway, End::Never);
        assert_eq!((gateway.total(), gateway.accepted), (510, 3), "{end:?}");
        assert_eq!(payer.machine.cumulative().unwrap(), 510);
        let kept: Vec<_> = payer.machine.receipts().iter().map(|kept| kept.receipt).collect();
        assert_eq!(kept, gateway.receipts(), "{end:?}");
        assert_eq!(payer.machine.receipts()[1].tag.as_deref(), Some("ann"));
        let charged: u64 = payer.machine.receipts().iter().map(|kept| kept.charged).sum();
        assert_eq!((charged, payer.machine.spent()), (510, 510));
    }
}

#[test]
fn unsaved_batch_is_forgotten() {
    // The record of the batch was torn, so its request was not sent.
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    payer.add(&[(0, 1)], None);
    payer.run(&mut gateway, End::Never);
    let whole = payer.file.len();
    payer.add(&[(0, 1)], None);
    payer.run(&mut gateway, End::BeforeSending);
    payer.file.truncate(payer.file.len() - 1);
    let mut next = payer.restarted(PayerPolicy::default());
    assert!(!next.machine.is_unanswered());
    next.file.truncate(whole);
    next.add(&[(0, 1)], None);
    next.run(&mut gateway, End::Never);
    assert_eq!((gateway.total(), next.machine.receipts().len()), (204, 2));
}

#[test]
fn snapshot_equals_its_records() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    for round in 0..4 {
        payer.add(&[(0, 1), (1, round + 1)], Some("ann"));
        payer.run(&mut gateway, End::Never);
        if round == 1 {
            gateway.cut();
            payer.machine.forget_receipts(1);
        }
    }
    payer.add(&[(0, 1)], None);
    payer.run(&mut gateway, End::BeforeAnswer);
    let snapshot = payer.machine.snapshot();
    let load = |file: &[u8]| {
        let policy = PayerPolicy::default();
        Machine::load(CHANNEL, &account(), receipt_keys(), policy, file).unwrap().unwrap()
    };
    let again = load(&snapshot);
    assert_eq!(again.snapshot(), snapshot);
    assert_eq!(again.cumulative().unwrap(), payer.machine.cumulative().unwrap());
    assert_eq!(again.resend(), payer.machine.resend());
    let read = load(&payer.file);
    assert_eq!(read.resend(), again.resend());
    assert_eq!((read.spent(), read.statement()), (again.spent(), again.statement()));
}

#[test]
fn exported_receipts_are_forgotten() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    for _ in 0..3 {
        payer.add(&[(0, 1)], None);
    }
    payer.run(&mut gateway, End::Never);
    for effect in payer.machine.forget_receipts(2) {
        let motif_payer::Effect::Save { frame, is_urgent: true } = effect else { panic!() };
        payer.file.extend(frame);
    }
    let payer = payer.restarted(PayerPolicy::default());
    let numbers: Vec<_> = payer.machine.receipts().iter().map(|kept| kept.number).collect();
    assert_eq!(numbers, [3]);
}

#[test]
fn foreign_or_newer_state_is_rejected() {
    let payer = Payer::new(PayerPolicy::default());
    let load = |channel, account: &_, file: &[u8]| {
        Machine::load(channel, account, receipt_keys(), PayerPolicy::default(), file)
            .map(|machine| machine.is_some())
    };
    let reopened = {
        let mut account = account();
        account.channel.opened_slot += 1;
        account
    };
    let other = motif_interface::Pubkey::new_from_array([5; 32]);
    for refused in [
        load(other, &account(), &payer.file).unwrap_err(),
        load(CHANNEL, &reopened, &payer.file).unwrap_err(),
    ] {
        assert!(matches!(refused, InvalidJournal::OtherChannel(_, 11)), "{refused}");
    }
    assert_eq!(load(CHANNEL, &account(), b""), Ok(false));
    assert_eq!(load(CHANNEL, &account(), &payer.file[..20]), Ok(false));
}

/// Returns a snapshot with a changed header.
fn changed(snapshot: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let (kind, head) = (snapshot[12], &snapshot[17..]);
    let mut head: Value = serde_json::from_slice(head).unwrap();
    change(&mut head);
    let head = serde_json::to_vec(&head).unwrap();
    let length = (head.len() as u32).to_le_bytes();
    let rest = [&[kind][..], &length, &head].concat();
    let digest = hash(&rest).to_bytes();
    [&(rest.len() as u32).to_le_bytes()[..], &digest[..8], &rest].concat()
}

#[test]
fn invalid_state_is_named() {
    let (mut gateway, mut payer) = (Gateway::new(), Payer::new(PayerPolicy::default()));
    let first = payer.file.len();
    payer.add(&[(0, 1)], None);
    payer.run(&mut gateway, End::Never);
    gateway.cut();
    payer.add(&[(0, 1)], None);
    payer.run(&mut gateway, End::Never);
    let load = |file: &[u8]| {
        let policy = PayerPolicy::default();
        Machine::load(CHANNEL, &account(), receipt_keys(), policy, file)
            .map(|machine| machine.is_some())
    };
    assert_eq!(load(&payer.file), Ok(true));
    let snapshot = payer.machine.snapshot();
    assert_eq!(load(&changed(&snapshot, |_| {})), Ok(true));

    let newer = changed(&snapshot, |state| state["version"] = json!(2));
    assert_eq!(load(&newer), Err(InvalidJournal::NewerVersion(2)));
    assert_eq!(load(&payer.file[first..]), Err(InvalidJournal::NoSnapshot));
    // The first statement is neither in the state nor settled.
    let gap =
        changed(&snapshot, |state| drop(state["statements"].as_array_mut().unwrap().remove(0)));
    let expected = "statement 1 is the next, and 0 by the chain".to_owned();
    assert_eq!(load(&gap), Err(InvalidJournal::Contradicted(expected)));
    let unknown =
        changed(&snapshot, |state| state["statements"][0]["generations"][0]["license"] = json!(9));
    let expected = "the channel has no license 9".to_owned();
    assert_eq!(load(&unknown), Err(InvalidJournal::Contradicted(expected)));
    let other = changed(&snapshot, |state| state["spent"] = json!("much"));
    assert!(matches!(load(&other), Err(InvalidJournal::Malformed(_))));
}
