use solana_sha256_hasher::hash;

use super::*;

fn answer(id: u8, kept_until: i64) -> Answer {
    Answer {
        id: Digest([id; 32]),
        part: 0,
        channel: Address([1; 32].into()),
        license: 0,
        units: 1,
        request_digest: Digest([2; 32]),
        output_digest: Digest([3; 32]),
        target: "POST /images".into(),
        status: 200,
        headers: vec![("content-type".into(), "text/plain".into())],
        expires_at: 5,
        kept_until,
        is_sale: false,
    }
}

async fn put(spool: &Arc<Spool>, answer: Answer, body: &[u8]) -> Result<(), SpoolError> {
    let answer = Answer { output_digest: Digest(hash(body).to_bytes()), ..answer };
    let room = spool.reserve(answer.channel, body.len() as u64)?;
    spool.put(answer, body.to_vec().into(), room).await
}

async fn body(spool: &Arc<Spool>, id: u8) -> Option<Bytes> {
    let body = spool.body(&[id; 32]).await.unwrap()?;
    let length = body.length() as usize;
    let bytes = axum::body::to_bytes(body.into_body(), length).await.unwrap();
    assert_eq!(bytes.len(), length);
    Some(bytes)
}

fn of(channel: u8, id: u8) -> Answer {
    Answer { channel: Address([channel; 32].into()), ..answer(id, 10) }
}

#[tokio::test]
async fn answer_survives_crash_until_expiry() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 10_000).unwrap());
    put(&spool, answer(1, 10), b"line\nbody").await.unwrap();
    fs::write(folder.path().join("half.writing"), "{").unwrap();
    assert!(matches!(Spool::open(folder.path(), 10_000), Err(SpoolError::Taken)));
    drop(spool);
    let spool = Arc::new(Spool::open(folder.path(), 10_000).unwrap());
    let found = spool.find(&[1; 32]).unwrap();
    assert_eq!((found.kept_until, &found.headers), (10, &answer(1, 10).headers));
    assert_eq!(body(&spool, 1).await.unwrap(), "line\nbody");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "with the lock");
    spool.sweep(10).await;
    assert!(spool.find(&[1; 32]).is_some());
    spool.sweep(11).await;
    assert!(spool.find(&[1; 32]).is_none());
    assert_eq!(body(&spool, 1).await, None);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn changed_answer_is_set_aside() {
    for place in ["head", "body", "length"] {
        let folder = tempfile::tempdir().unwrap();
        let spool = Arc::new(Spool::open(folder.path(), 1 << 20).unwrap());
        for id in [1, 2] {
            put(&spool, answer(id, 10), &[b'a'; 100_000]).await.unwrap();
        }
        let path = spool.path(&[1; 32]);
        let mut bytes = fs::read(&path).unwrap();
        match place {
            "head" => bytes[100] ^= 1,
            "body" => *bytes.last_mut().unwrap() ^= 1,
            _ => bytes.truncate(bytes.len() - 1),
        }
        fs::write(&path, &bytes).unwrap();
        let changed = spool.body(&[1; 32]).await;
        assert!(matches!(changed, Err(SpoolError::Damaged)), "{place}");
        assert!(spool.find(&[1; 32]).is_none());
        assert_eq!(body(&spool, 1).await, None);
        assert_eq!(
            fs::read(path.with_extension("damaged")).unwrap(),
            bytes,
            "kept for the operator"
        );
        assert_eq!(body(&spool, 2).await.unwrap().len(), 100_000);
    }
}

#[tokio::test]
async fn changed_head_is_set_aside_at_open() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 1 << 20).unwrap());
    for id in [1, 2] {
        put(&spool, answer(id, 10), b"body").await.unwrap();
    }
    let path = spool.path(&[1; 32]);
    let text = fs::read_to_string(&path).unwrap().replace("text/plain", "text/pl4in");
    drop(spool);
    fs::write(&path, text).unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 1 << 20).unwrap());
    assert_eq!(spool.damaged_at_open(), 1);
    assert!(spool.find(&[1; 32]).is_none() && path.with_extension("damaged").exists());
    assert_eq!(body(&spool, 2).await.unwrap(), "body");
}

#[tokio::test]
async fn answer_in_payment_is_not_discarded() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 10_000).unwrap());
    put(&spool, answer(1, 10), b"body").await.unwrap();
    let payment = spool.begin_payment(&[1; 32]).unwrap();
    spool.discard_unpaid(&[1; 32]).await;
    spool.sweep(11).await;
    assert!(spool.find(&[1; 32]).is_some());
    drop(payment);
    spool.discard_unpaid(&[1; 32]).await;
    assert!(spool.find(&[1; 32]).is_none());
    assert!(spool.begin_payment(&[1; 32]).is_none());
}

#[tokio::test]
async fn unpaid_answers_count_by_channel() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 1 << 20).unwrap());
    let unpaid = |channel: u8| spool.unpaid(Address([channel; 32].into()), 5);
    for (channel, id) in [(1, 1), (1, 2), (2, 3)] {
        put(&spool, of(channel, id), b"body").await.unwrap();
    }
    assert_eq!((unpaid(1), unpaid(2), unpaid(3)), (2, 1, 0));
    put(&spool, of(2, 2), b"another body").await.unwrap(); // in the place of channel 1's
    assert_eq!((unpaid(1), unpaid(2)), (1, 2));
    spool.release(&[1; 32]);
    spool.mark_sold(&[3; 32], 20);
    assert_eq!((unpaid(1), unpaid(2)), (0, 1));
    spool.sweep(21).await;
    assert!(spool.index().by_channel.is_empty());
}

const HEAD: u64 = Spool::HEAD_BYTES;

#[tokio::test]
async fn full_spool_accepts_after_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), HEAD + 500).unwrap());
    put(&spool, answer(1, 10), &[0; 500]).await.unwrap();
    let full = put(&spool, answer(2, 20), &[0; 500]).await;
    assert!(matches!(full, Err(SpoolError::Full)));
    assert_eq!(spool.unpaid(Address([1; 32].into()), 5), 1);
    spool.sweep(11).await;
    put(&spool, answer(2, 20), &[0; 500]).await.unwrap();
}

/// Has an answer sent two minutes ago.
fn age(spool: &Spool, id: u8) {
    let mut index = spool.index();
    let delivery = index.kept.get_mut(&[id; 32]).unwrap().delivered.as_mut().unwrap();
    delivery.at = delivery.at.checked_sub(Spool::RETRY_WITHIN).unwrap();
}

#[tokio::test]
async fn delivered_answer_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 4 * HEAD).unwrap());
    for id in [1, 2, 3] {
        put(&spool, of(id, id), &[id; 6_000]).await.unwrap();
    }
    let reserve = || spool.reserve(Address([4; 32].into()), 2 * HEAD);
    assert!(reserve().is_err(), "none was delivered");
    assert_eq!(body(&spool, 2).await.unwrap().len(), 6_000);
    assert!(reserve().is_err(), "its client may not have received it");
    age(&spool, 2);
    let room = reserve().unwrap();
    let kept = [1, 2, 3].map(|id| spool.find(&[id; 32]).is_some());
    assert_eq!(kept, [true, false, true]);
    drop(room);
    assert_eq!(spool.index().reserved.len(), 0);
}

#[tokio::test]
async fn confirmed_part_makes_room_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 4 * HEAD).unwrap());
    for id in [1, 2, 3] {
        put(&spool, of(id, id), &[id; 6_000]).await.unwrap();
        assert_eq!(body(&spool, id).await.unwrap().len(), 6_000);
    }
    spool.confirm_delivery(&[3; 32]);
    // It was asked for again all the same.
    assert_eq!(body(&spool, 3).await.unwrap().len(), 6_000);
    drop(spool.reserve(Address([4; 32].into()), 2 * HEAD).unwrap());
    let kept = [1, 2, 3].map(|id| spool.find(&[id; 32]).is_some());
    assert_eq!(kept, [true, true, false]);
}

#[tokio::test]
async fn own_answers_above_share_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 64 * HEAD).unwrap());
    // The share of a channel is four times `HEAD`.
    let length = HEAD as usize - 1_000;
    let mut last = 0;
    for id in 1..=u8::MAX {
        let channel = if id <= 6 { 1 } else { id };
        if put(&spool, of(channel, id), &vec![id; length]).await.is_err() {
            break;
        }
        assert_eq!(body(&spool, id).await.unwrap().len(), length);
        last = id;
    }
    assert!(last > 60, "{last}");
    let kept = || (1..=last).filter(|id| spool.find(&[*id; 32]).is_some()).collect::<Vec<_>>();
    let reserve = |channel: u8| spool.reserve(Address([channel; 32].into()), HEAD);
    assert!(reserve(0).is_err(), "all may be asked for again");
    assert!(reserve(7).is_err(), "it has less than its share");
    assert_eq!(kept(), (1..=last).collect::<Vec<_>>());
    drop(reserve(1).unwrap());
    let left = kept();
    assert!((2..=4).contains(&left[0]), "its oldest are removed: {left:?}");
    assert_eq!(left, (left[0]..=last).collect::<Vec<_>>());
}

#[tokio::test]
async fn channel_cannot_take_all_room() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 64 * HEAD).unwrap());
    let (greedy, honest) = (Address([1; 32].into()), Address([2; 32].into()));
    let mut rooms: Vec<_> = std::iter::from_fn(|| spool.reserve(greedy, HEAD).ok()).collect();
    assert_eq!(rooms.len(), 16, "half of the room");
    rooms.extend([spool.reserve(honest, HEAD).unwrap(), spool.reserve(honest, HEAD).unwrap()]);
    assert!(spool.reserve(honest, HEAD).is_err(), "it has its share");
    rooms.clear();
    assert_eq!(spool.index().bytes, 0);
}

#[tokio::test]
async fn body_has_one_response_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 1 << 20).unwrap());
    put(&spool, answer(1, 10), b"body").await.unwrap();
    let first = spool.body(&[1; 32]).await.unwrap().unwrap();
    let second = timeout(Duration::from_millis(50), spool.body(&[1; 32])).await;
    assert!(second.is_err(), "it waits");
    drop(first);
    assert_eq!(body(&spool, 1).await.unwrap(), "body");
}

#[tokio::test]
async fn unpaid_answer_is_overdue_after_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 1 << 20).unwrap());
    put(&spool, answer(1, 1_000), b"body").await.unwrap();
    let deadline = answer(1, 1_000).expires_at + Spool::GRACE_SECONDS;
    assert!(spool.overdue(deadline).is_empty());
    let payment = spool.begin_payment(&[1; 32]).unwrap();
    assert!(spool.overdue(deadline + 1).is_empty(), "a payment is in progress");
    drop(payment);
    assert_eq!(spool.overdue(deadline + 1).len(), 1);
}
