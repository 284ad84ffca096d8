use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
};

use borsh::BorshSerialize;
use ed25519_dalek::SigningKey;
use motif_interface::{
    Pubkey,
    receipt::{Receipt, SignedReceipt, bundle::BundlePath},
};
use tempfile::TempDir;

use super::{
    frame::{Frame, PAGE, Seal},
    *,
};
use crate::{
    api_key::KeyId,
    failpoint::NoFailpoints,
    generation::{ChannelId, Generation},
    hold::{Hold, Item},
};

/// Length of a segment with its header and three frames that [`append`] writes.
const THREE_FRAMES: usize = 4 * PAGE;

fn open(folder: &TempDir, applied: u64) -> Result<(Journal, Unapplied), StoreError> {
    open_without(folder, applied, &[])
}

/// Opens the journal without some frames; returns the changes of the others together.
fn open_without(
    folder: &TempDir,
    applied: u64,
    skip: &[u64],
) -> Result<(Journal, Unapplied), StoreError> {
    let (store, seal) = (folder.path().join("store"), Seal::new([3; 32]));
    let opened = Journal::open_with(&store, applied, seal, true, skip, THREE_FRAMES)?;
    let (journal, frames) = (opened.journal, opened.unapplied);
    let through = frames.last().map_or(applied, |frame| frame.through);
    let changes = frames.into_iter().flat_map(|frame| frame.changes).collect();
    Ok((journal, Unapplied { changes, through }))
}

fn generation(position: u32) -> Generation {
    let receipt = Receipt {
        channel: Pubkey::new_from_array([1; 32]),
        opened_slot: 2,
        statement: 3,
        position,
        license: 4,
        units: 5,
        terms_number: 6,
        amount: 7,
        cumulative: 8,
        work: Pubkey::new_from_array([9; 32]),
        request_digest: [10; 32],
        output_digest: [11; 32],
        issued_at: -12,
    };
    Generation {
        channel_id: ChannelId(13),
        idempotency_key: format!("key-{position}"),
        part: 14,
        receipt: SignedReceipt { receipt, signature: [16; 64], bundle: BundlePath::default() },
        voucher_key: Pubkey::new_from_array([15; 32]),
        voucher_expires_at: 17,
        voucher_signature: [18; 64],
        api_key: Some(KeyId([19; 8])),
        charged: 20,
    }
}

/// Appends a frame with generations at these positions.
fn append(journal: &mut Journal, positions: std::ops::Range<u32>) -> u64 {
    let mut frame = Frame::default();
    for position in positions {
        let change =
            Change::Generations { generations: vec![generation(position)], holds: Vec::new() };
        Record::new(&change).unwrap().serialize(frame.records()).unwrap();
    }
    assert_eq!(frame.length(), PAGE);
    journal.append(&mut frame, &NoFailpoints).unwrap()
}

fn positions(unapplied: &Unapplied) -> Vec<u32> {
    let generations = unapplied.changes.iter().flat_map(Change::generations);
    generations.map(|generation| generation.receipt.receipt.position).collect()
}

#[test]
fn journalled_change_round_trips() {
    let hold =
        Hold { item: Item { license: 1, units: 2 }, request_digest: [3; 32], expires_at: i64::MIN };
    let operator = SigningKey::from_bytes(&[5; 32]);
    let receipts = [2, 3, 4].map(|position| generation(position).receipt.receipt);
    let bundle = SignedReceipt::sign_together(&receipts, &operator).into_iter().zip(2..);
    let bundle = bundle.map(|(receipt, position)| Generation { receipt, ..generation(position) });
    let changes = [
        Change::Generations { generations: bundle.collect(), holds: vec![[8; 32], [9; 32]] },
        Change::Generations {
            generations: vec![generation(0), generation(1)],
            holds: vec![[4; 32]],
        },
        Change::Generations {
            generations: vec![Generation { api_key: None, ..generation(u32::MAX) }],
            holds: Vec::new(),
        },
        Change::HoldPlaced { channel_id: ChannelId(5), id: [6; 32], hold, api_key: None },
        Change::HoldPlaced {
            channel_id: ChannelId(5),
            id: [6; 32],
            hold,
            api_key: Some(KeyId([3; 8])),
        },
        Change::HoldReleased { id: [7; 32] },
    ];
    for change in &changes {
        let bytes = borsh::to_vec(&Record::new(change).unwrap()).unwrap();
        let read = Change::try_from(Record::try_from_slice(&bytes).unwrap()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{change:?}"));
    }
}

#[test]
fn record_with_malformed_bundle_is_rejected() {
    let change = Change::Generations { generations: vec![generation(0)], holds: Vec::new() };
    let bytes = borsh::to_vec(&Record::new(&change).unwrap()).unwrap();
    // The Merkle path is the one variable field between the receipt's signature and the voucher's
    // key. It is empty, and its length is 4 bytes.
    let end = bytes.windows(32).position(|window| window == [15; 32]).unwrap();
    assert_eq!(bytes[end - 4..end], [0; 4]);
    let with_bundle = |bundle: &[u8]| {
        let length = (bundle.len() as u32).to_le_bytes();
        [&bytes[..end - 4], &length, bundle, &bytes[end..]].concat()
    };
    let read = |bytes: &[u8]| Change::try_from(Record::try_from_slice(bytes).unwrap());
    assert!(read(&with_bundle(&[])).is_ok());
    for malformed in [&[1; 7][..], &[0; 40]] {
        let error = read(&with_bundle(malformed)).unwrap_err();
        assert_eq!(error, record::InvalidBundlePath);
    }
}

#[test]
fn unapplied_frames_are_read_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, unapplied) = open(&folder, 0).unwrap();
    assert_eq!((unapplied.through, unapplied.changes.len()), (0, 0));
    for number in 0..5 {
        assert_eq!(append(&mut journal, number * 2..number * 2 + 2), u64::from(number) + 1);
    }
    drop(journal);
    let (_, unapplied) = open(&folder, 0).unwrap();
    assert_eq!((unapplied.through, positions(&unapplied)), (5, (0..10).collect()));
    let (_, unapplied) = open(&folder, 3).unwrap();
    assert_eq!((unapplied.through, positions(&unapplied)), (5, (6..10).collect()));
    let (mut journal, unapplied) = open(&folder, 5).unwrap();
    assert_eq!((unapplied.through, unapplied.changes.len()), (5, 0));
    assert_eq!(append(&mut journal, 10..11), 6, "numbers continue");
}

#[test]
fn segment_is_overwritten_after_it_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(&folder, 0).unwrap();
    let mut next = Frame::default();
    next.records().push(0);
    for round in 0..4 {
        for frame in 0..3 {
            append(&mut journal, round * 3 + frame..round * 3 + frame + 1);
        }
        let written = u64::from(round) * 3 + 3;
        let applied = written.saturating_sub(3);
        if round > 0 {
            assert!(
                !journal.has_room(&next, applied - 1),
                "a frame of the other segment is not applied"
            );
        }
        assert!(journal.has_room(&next, applied));
        let (_, unapplied) = open(&folder, applied).unwrap();
        assert_eq!(unapplied.through, written);
        assert_eq!(positions(&unapplied), (round * 3..round * 3 + 3).collect::<Vec<_>>());
    }
    let lengths =
        [0, 1].map(|number| fs::metadata(segment_path(&folder.path().join("store"), number)));
    assert!(lengths.into_iter().all(|file| file.unwrap().len() <= 1 << 18), "segments stay short");
}

#[test]
fn torn_last_frame_is_ignored() {
    for torn in [0, 30, 100, 3_000] {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(&folder, 0).unwrap();
        append(&mut journal, 0..8);
        append(&mut journal, 8..16);
        damage(&folder, 0, 2 * PAGE as u64 + torn);
        let store = folder.path().join("store");
        let opened = Journal::open(&store, 0, Seal::new([3; 32]), false, &[]).unwrap();
        assert_eq!(opened.is_torn, torn > 8, "unless its header is torn as well");
        let (mut journal, unapplied) = open(&folder, 0).unwrap();
        assert_eq!((unapplied.through, positions(&unapplied)), (1, (0..8).collect()));
        // The next frame takes the number of the torn one.
        assert_eq!(append(&mut journal, 20..22), 2);
        let (_, unapplied) = open(&folder, 1).unwrap();
        assert_eq!((unapplied.through, positions(&unapplied)), (2, vec![20, 21]));
    }
}

#[test]
fn missing_frame_prevents_opening() {
    for (file, at, missing) in [(0, PAGE, 1), (0, 2 * PAGE, 2), (1, PAGE, 4)] {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(&folder, 0).unwrap();
        for position in 0..5 {
            append(&mut journal, position..position + 1);
        }
        damage(&folder, file, at as u64 + 100);
        let error = open(&folder, 0).unwrap_err().to_string();
        assert!(error.contains(&format!("frame {missing} of the journal is missing")), "{error}");
    }
}

#[test]
fn missing_frame_is_skipped_if_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(&folder, 0).unwrap();
    for position in 0..5 {
        append(&mut journal, position..position + 1);
    }
    damage(&folder, 0, 2 * PAGE as u64 + 100);
    assert!(matches!(open_without(&folder, 0, &[1]), Err(StoreError::BadFrame { number: 2, .. })));
    let (_, unapplied) = open_without(&folder, 0, &[2, 3]).unwrap();
    assert_eq!((unapplied.through, positions(&unapplied)), (5, vec![0, 2, 3, 4]));
}

#[test]
fn invalid_record_is_skipped_if_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(&folder, 0).unwrap();
    append(&mut journal, 0..1);
    let mut frame = Frame::default();
    let change = Change::HoldReleased { id: [7; 32] };
    Record::new(&change).unwrap().serialize(frame.records()).unwrap();
    frame.records().push(0xFF);
    journal.append(&mut frame, &NoFailpoints).unwrap();
    append(&mut journal, 1..2);
    let error = open(&folder, 0).unwrap_err().to_string();
    for part in ["frame 2", "the release of hold 07", "invalid record", "`--skip-frame 2`"] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
    let (_, unapplied) = open_without(&folder, 0, &[2]).unwrap();
    assert_eq!((unapplied.through, positions(&unapplied)), (3, vec![0, 1]));
}

#[test]
fn overwritten_unapplied_frame_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(&folder, 0).unwrap();
    for position in 0..9 {
        append(&mut journal, position..position + 1);
    }
    // The segments have six frames. The first three of nine are overwritten.
    assert!(matches!(open(&folder, 2), Err(StoreError::BadFrame { number: 3, .. })));
    assert!(open(&folder, 3).is_ok());
}

#[test]
fn missing_journal_is_refused_unless_clean() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let open = |is_clean| Journal::open(&store, 0, Seal::new([3; 32]), is_clean, &[]);
    assert!(matches!(open(false), Err(StoreError::JournalMissing(_))));
    drop(open(true).unwrap());
    drop(open(false).unwrap());
    for number in [0, 1] {
        fs::remove_file(segment_path(&store, number)).unwrap();
        let error = open(false).unwrap_err().to_string();
        assert!(error.contains(&format!("store.journal-{number}` is missing")), "{error}");
        drop(open(true).unwrap());
    }
    fs::write(segment_path(&store, 1), []).unwrap();
    assert!(matches!(open(false), Err(StoreError::JournalMissing(_))), "truncated");
}

#[test]
fn journal_of_another_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    drop(Journal::open(&store, 0, Seal::new([3; 32]), true, &[]).unwrap());
    for is_clean in [false, true] {
        let opened = Journal::open(&store, 0, Seal::new([4; 32]), is_clean, &[]);
        assert!(matches!(opened, Err(StoreError::ForeignJournal(_))));
    }
}

/// Flips the bits of one byte in a file.
fn damage(folder: &TempDir, file: usize, at: u64) {
    let path = segment_path(&folder.path().join("store"), file);
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0xFF], at).unwrap();
}
