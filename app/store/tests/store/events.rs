//! Events, what they are told of, and webhooks.

use motif_store::{
    Change, DeliveryOutcome, DueDelivery, Lease, Store, StoredWebhook, Told, ToldEvent, WebhookId,
};
use motif_wire::{Event, EventKind};

use crate::world::{generation, open, register};

const PERSON: [u8; 32] = [41; 32];
const OTHER: [u8; 32] = [42; 32];
const WEBHOOK: WebhookId = [43; 16];

fn event(number: u8) -> ToldEvent {
    let event = Event::new([number; 32], i64::from(number), EventKind::Paid);
    ToldEvent { event, readers: vec![PERSON] }
}

fn told(events: impl IntoIterator<Item = u8>) -> Told {
    Told { events: events.into_iter().map(event).collect(), ..Told::default() }
}

async fn tell(store: &Store, told: &Told) -> Option<i64> {
    let version = store.event_log().so_far().await.unwrap().version;
    store.event_log().tell(version, 1_000, told).await.unwrap()
}

async fn ids(store: &Store, reader: &[u8; 32], after: i64) -> Vec<u8> {
    let page = store.event_log().page(reader, after, 100).await.unwrap();
    page.iter().map(|(_, event)| event.id.0[0]).collect()
}

async fn add_webhook(store: &Store, kinds: i64) {
    let webhook = StoredWebhook {
        id: WEBHOOK,
        person: PERSON,
        url: "https://example.com/".to_owned(),
        kinds,
        created_at: 1,
        failing_since: None,
        disabled_at: None,
    };
    assert!(store.webhooks().add(&webhook, 5, 10).await.unwrap());
}

/// Takes the due delivery and records its outcome.
async fn deliver(store: &Store, now: i64, error: Option<&str>, next_at: Option<i64>) -> bool {
    let [due] = &store.webhooks().due(now).await.unwrap()[..] else { panic!("nothing is due") };
    assert!(store.webhooks().take(due, now, now + 60).await.unwrap());
    let outcome = DeliveryOutcome {
        status: Some(if error.is_some() { 500 } else { 200 }),
        error: error.map(str::to_owned),
        next_at,
        disable_before: Some(now - 100),
    };
    store.webhooks().finish(due, now, &outcome).await.unwrap()
}

#[tokio::test]
async fn event_is_told_once_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let store = open(&file).await;
    assert!(tell(&store, &told([1, 2])).await.is_some());
    assert!(tell(&store, &told([2, 3])).await.is_some());
    assert_eq!(ids(&store, &PERSON, 0).await, [1, 2, 3]);
    assert!(ids(&store, &OTHER, 0).await.is_empty());
    let second = store.event_log().number(&PERSON, &[2; 32]).await.unwrap().unwrap();
    assert_eq!(ids(&store, &PERSON, second).await, [3]);
    assert_eq!(store.event_log().number(&OTHER, &[2; 32]).await.unwrap(), None);
    store.close().await;
    drop(store); // it has the lock
    let store = open(&file).await;
    assert_eq!(ids(&store, &PERSON, 0).await, [1, 2, 3]);
    store.close().await;
}

#[tokio::test]
async fn stale_version_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    let (log, marked) = (store.event_log(), Told { marks: vec![([1; 32], 7)], ..told([1]) });
    let before = log.so_far().await.unwrap();
    assert!(!before.is_chain_read && before.marks.is_empty());
    let version = log.tell(before.version, 1_000, &marked).await.unwrap().unwrap();
    assert_eq!(log.tell(before.version, 1_000, &told([2])).await.unwrap(), None);
    assert_eq!(ids(&store, &PERSON, 0).await, [1]);
    let after = log.so_far().await.unwrap();
    assert_eq!((after.version, after.marks.get(&[1; 32])), (version, Some(&7)));
    store.close().await;
}

#[tokio::test]
async fn generations_are_new_until_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    let channel_id = register(&store).await;
    let lease = Lease { channel_id, epoch: 0 };
    let generations = (0..1_200).map(|number| generation(channel_id, number)).collect();
    let change = Change::Generations { generations, holds: Vec::new() };
    store.writer().issue(lease, change, None).await.unwrap();
    store.queries().recorded(channel_id).await.unwrap(); // waits for the tables
    let news = store.event_books().news().await.unwrap();
    let uses = &news[0].uses;
    let counts: Vec<_> =
        uses.iter().map(|new| (new.statement, new.generations, new.prices)).collect();
    assert_eq!(counts, [(0, 500, 50_000), (1, 500, 50_000), (2, 200, 20_000)]);
    assert_eq!(store.event_books().news().await.unwrap()[0].uses, *uses, "they are not told");
    let told = Told { cursors: vec![news[0].cursor], ..Told::default() };
    assert!(tell(&store, &told).await.is_some());
    assert!(store.event_books().news().await.unwrap().is_empty());
    let generations = vec![generation(channel_id, 1_200)];
    let change = Change::Generations { generations, holds: Vec::new() };
    store.writer().issue(lease, change, None).await.unwrap();
    store.queries().recorded(channel_id).await.unwrap();
    let news = store.event_books().news().await.unwrap();
    assert_eq!((news[0].uses[0].position, news[0].uses[0].generations), (200, 1));
    store.close().await;
}

#[tokio::test]
async fn pruned_events_take_their_deliveries() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    add_webhook(&store, i64::MAX).await;
    tell(&store, &told([1, 2])).await.unwrap();
    assert!(!store.event_log().prune(1_000).await.unwrap());
    assert_eq!(ids(&store, &PERSON, 0).await, [1, 2]);
    store.event_log().prune(1_001).await.unwrap();
    assert!(ids(&store, &PERSON, 0).await.is_empty());
    assert!(store.webhooks().due(i64::MAX).await.unwrap().is_empty());
    tell(&store, &told([3])).await.unwrap();
    assert_eq!(store.event_log().newest().await.unwrap(), 3, "numbers are not used again");
    store.close().await;
}

#[tokio::test]
async fn webhooks_are_bounded_by_person() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    let webhook = |number: u8, person| StoredWebhook {
        id: [number; 16],
        person,
        url: "https://example.com/".to_owned(),
        kinds: 1,
        created_at: i64::from(number),
        failing_since: None,
        disabled_at: None,
    };
    let webhooks = store.webhooks();
    assert!(webhooks.add(&webhook(1, PERSON), 2, 3).await.unwrap());
    assert!(webhooks.add(&webhook(2, PERSON), 2, 3).await.unwrap());
    assert!(!webhooks.add(&webhook(3, PERSON), 2, 3).await.unwrap());
    assert!(webhooks.add(&webhook(3, OTHER), 2, 3).await.unwrap());
    assert!(!webhooks.add(&webhook(4, OTHER), 2, 3).await.unwrap());
    webhooks.remove(&[1; 16]).await.unwrap();
    assert_eq!(webhooks.of(&PERSON).await.unwrap(), [webhook(2, PERSON)]);
    store.close().await;
}

#[tokio::test]
async fn delivery_is_taken_by_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    add_webhook(&store, EventKind::Paid.bit()).await;
    tell(&store, &told([1])).await.unwrap();
    let webhooks = store.webhooks();
    let due: Vec<DueDelivery> = webhooks.due(1_000).await.unwrap();
    assert!(webhooks.take(&due[0], 1_000, 1_060).await.unwrap());
    assert!(!webhooks.take(&due[0], 1_000, 1_060).await.unwrap());
    assert!(webhooks.due(1_059).await.unwrap().is_empty());
    assert_eq!(webhooks.due(1_060).await.unwrap()[0].tries, 1, "the first process has ended");
    store.close().await;
}

#[tokio::test]
async fn webhook_log_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    add_webhook(&store, i64::MAX).await;
    for number in 0..120 {
        tell(&store, &told([number])).await.unwrap();
        assert!(!deliver(&store, 1_000, None, None).await);
    }
    let log = store.webhooks().log(&WEBHOOK).await.unwrap();
    assert_eq!(log.len(), 100);
    assert_eq!((log[0].event.id.0[0], log[99].event.id.0[0]), (119, 20));
    assert!(log.iter().all(|entry| entry.tries == 1 && entry.status == Some(200)));
    store.close().await;
}

#[tokio::test]
async fn failing_webhook_is_disabled_until_success() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).await;
    add_webhook(&store, EventKind::Paid.bit()).await;
    let facts = async || store.webhooks().of(&PERSON).await.unwrap().remove(0);
    tell(&store, &told([1])).await.unwrap();
    assert!(!deliver(&store, 1_000, Some("status 500"), Some(1_050)).await);
    assert_eq!((facts().await.failing_since, facts().await.disabled_at), (Some(1_000), None));
    assert!(!deliver(&store, 1_100, Some("status 500"), Some(1_200)).await);
    assert!(deliver(&store, 1_200, Some("status 500"), Some(1_300)).await);
    assert_eq!(facts().await.disabled_at, Some(1_200));
    assert!(store.webhooks().due(i64::MAX).await.unwrap().is_empty());
    tell(&store, &told([2])).await.unwrap();
    assert!(store.webhooks().due(i64::MAX).await.unwrap().is_empty(), "it takes no events");
    let test = Event::new([9; 32], 1, EventKind::Test);
    assert!(store.webhooks().send(&WEBHOOK, 1_400, &test, 1).await.unwrap());
    assert!(!store.webhooks().send(&WEBHOOK, 1_400, &test, 1).await.unwrap());
    assert!(!deliver(&store, 1_400, None, None).await);
    assert_eq!((facts().await.failing_since, facts().await.disabled_at), (None, None));
    store.close().await;
}
