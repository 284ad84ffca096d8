//! Signing and reading files, with changes in between.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{io::Cursor, ops::Range, path::Path, process::Command, sync::LazyLock};

use ed25519_dalek::SigningKey;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use motif_credentials::*;
use motif_fingerprint::{content_digest, perceive};
use motif_interface::{
    Pubkey,
    receipt::{Receipt, SignedReceipt},
};
use motif_wire::{Address, Digest};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

const CLUSTER: [u8; 32] = [9; 32];
const OPERATOR: [u8; 32] = [3; 32];
/// Part of the claim only.
const TITLE: &str = "harbour at dusk";
const WORK: Pubkey = Pubkey::new_from_array([5; 32]);

fn now() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64
}

fn issued() -> Issued {
    SigningIdentity::issue("Ines", now()).unwrap()
}

fn picture(format: ImageFormat) -> Vec<u8> {
    let waves = |x: u32, y: u32| {
        let (x, y) = (x as f32 / 37.0, y as f32 / 23.0);
        let level = (x * 2.0).sin() + (y + 2.0).cos() + (x * y / 2.0).sin();
        Rgb([(level * 40.0 + 120.0) as u8, (y * 9.0) as u8, (x * 11.0) as u8])
    };
    let picture = DynamicImage::ImageRgb8(RgbImage::from_fn(320, 240, waves));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Returns a second of a rising tone, with an odd number of bytes after the samples.
fn wav() -> Vec<u8> {
    let samples = (0..16_000_i32).map(|at| ((at * at / 400) as f32 / 40.0).sin() * 9_000.0);
    let samples: Vec<u8> = samples.flat_map(|sample| (sample as i16).to_le_bytes()).collect();
    let mut wav =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3E\0\0\0\x7D\0\0\x02\0\x10\0data"
            .to_vec();
    wav.extend((samples.len() as u32).to_le_bytes());
    wav.extend(samples);
    wav.extend(b"note\x03\0\0\0odd\0");
    let length = wav.len() as u32 - 8;
    wav[4..8].copy_from_slice(&length.to_le_bytes());
    wav
}

/// Returns a tune without its tag, which is all padding.
fn mp3() -> Vec<u8> {
    include_bytes!("../../../tests/fixtures/media/tune.mp3")[20..].to_vec()
}

fn tagged(version: u8, frames: &[u8], padding: usize) -> Vec<u8> {
    let length = frames.len() + padding;
    let size = [21, 14, 7, 0].map(|shift| (length >> shift & 0x7F) as u8);
    [b"ID3", &[version, 0, 0][..], &size, frames, &vec![0; padding], &mp3()].concat()
}

/// Returns a file of each format with credentials, and MP3 with all kinds of tags.
fn carriers() -> Vec<(&'static str, Vec<u8>)> {
    let title = |length: [u8; 4]| [b"TIT2", &length[..], &[0, 0, 3], b"waves"].concat();
    vec![
        ("jpeg", picture(ImageFormat::Jpeg)),
        ("png", picture(ImageFormat::Png)),
        ("webp", picture(ImageFormat::WebP)),
        ("wav", wav()),
        ("mp3", mp3()),
        ("mp3 with padding alone", tagged(4, b"", 10)),
        ("mp3 with a title", tagged(4, &title([0, 0, 0, 6]), 0)),
        ("mp3 with an older tag", tagged(3, &title([0, 0, 0, 6]), 2_000)),
        ("mp3 after zeros", [vec![0; 1_024], mp3()].concat()),
    ]
}

fn receipt(output: &[u8]) -> SignedReceipt {
    let receipt = Receipt {
        channel: Pubkey::new_from_array([4; 32]),
        opened_slot: 1,
        statement: 0,
        position: 0,
        license: 0,
        units: 1,
        terms_number: 1,
        amount: 1_000,
        cumulative: 1_020,
        work: WORK,
        request_digest: [1; 32],
        output_digest: content_digest(output),
        issued_at: 1_800_000_000,
    };
    SignedReceipt::sign(receipt, &SigningKey::from_bytes(&OPERATOR))
}

fn generated(output: &[u8]) -> Provenance {
    let named =
        NamedWork { work: Address(WORK), content_digest: Digest([6; 32]), terms_number: Some(1) };
    Provenance::from_output(CLUSTER, content_digest(output), vec![named])
        .with_receipt(&receipt(output))
}

fn signed(content: &[u8]) -> Vec<u8> {
    let identity = issued().identity().unwrap();
    sign(content, TITLE, &generated(content), None, &identity).unwrap()
}

fn state(content: &[u8]) -> Option<CredentialsState> {
    read(content, None).map(|credentials| credentials.state)
}

/// Returns the first position of a text in bytes.
fn place(content: &[u8], text: &[u8]) -> Range<usize> {
    let start = content.windows(text.len()).position(|window| window == text).unwrap();
    start..start + text.len()
}

#[test]
fn signing_round_trips_in_every_format() {
    for (name, content) in carriers() {
        assert_eq!(read(&content, None), None, "{name}");
        let signed = signed(&content);
        let credentials = read(&signed, None).unwrap();
        assert_eq!(credentials.state, CredentialsState::Intact, "{name}: {credentials:?}");
        assert_eq!(credentials.provenance, Some(generated(&content)), "{name}");
        assert_eq!(credentials.faults, [""; 0], "{name}");
        let carrier = Carrier::detect(&signed).unwrap();
        assert_eq!(carrier.bare(&signed).as_ref(), Some(&content), "{name}");
        let digests =
            Digests { whole: content_digest(&signed), bare: Some(content_digest(&content)) };
        assert_eq!(motif_credentials::digests(&signed), digests, "{name}");
        assert_eq!(credentials.bare_digest.0, content_digest(&content), "{name}");
    }
}

#[test]
fn registered_work_has_no_creation_action() {
    let (content, issued) = (picture(ImageFormat::Jpeg), issued());
    let provenance = Provenance::from_work(CLUSTER, &WORK, content_digest(&content), Some(2));
    let entries = json!({ "entries": { "cawg.ai_training": { "use": "notAllowed" } } });
    let mining = json!({ "label": "cawg.training-mining", "data": entries });
    let identity = issued.identity().unwrap();
    let signed = sign(&content, "work.jpg", &provenance, Some(&mining), &identity).unwrap();
    let credentials = read(&signed, None).unwrap();
    assert_eq!(credentials.state, CredentialsState::Intact, "{credentials:?}");
    assert_eq!(credentials.provenance, Some(provenance));
    for said in [&b"c2pa.opened"[..], b"c2pa.published", b"cawg.training-mining", b"notAllowed"] {
        place(&signed, said);
    }
}

#[test]
fn signer_is_trusted_by_its_anchor_only() {
    let (content, issued) = (picture(ImageFormat::Png), issued());
    let identity = issued.identity().unwrap();
    let signed = sign(&content, "output", &generated(&content), None, &identity).unwrap();
    let other = crate::issued().anchor;
    for (anchors, trusted) in [(None, false), (Some(&other), false), (Some(&issued.anchor), true)] {
        let credentials = read(&signed, anchors.map(String::as_str)).unwrap();
        assert_eq!(credentials.state, CredentialsState::Intact);
        let signer = credentials.signer.unwrap();
        assert_eq!((signer.name.as_deref(), signer.trusted), (Some("Ines"), trusted));
    }
    assert!(are_anchors(&issued.anchor));
    assert!(!are_anchors("") && !are_anchors("-----BEGIN CERTIFICATE-----\nnone"));
}

#[test]
fn changed_pixel_is_altered() {
    for (name, content) in carriers() {
        let mut signed = signed(&content);
        let last = signed.len() - 40;
        signed[last] ^= 1;
        if name == "wav" || name == "webp" {
            // Their credentials are last.
            signed[last] ^= 1;
            signed[100] ^= 1;
        }
        let credentials = read(&signed, None).unwrap();
        assert_eq!(credentials.state, CredentialsState::Altered, "{name}: {credentials:?}");
        assert!(credentials.faults.contains(&"assertion.dataHash.mismatch".to_owned()), "{name}");
        assert_ne!(credentials.bare_digest.0, content_digest(&content), "{name}");
    }
}

#[test]
fn changed_manifest_is_altered() {
    let content = picture(ImageFormat::Png);
    let signed = signed(&content);
    let digest = hex::encode(content_digest(&content));
    for (text, fault) in [
        (digest.as_bytes(), "assertion.hashedURI.mismatch"),
        (&b"trainedAlgorithmicMedia"[..], "assertion.hashedURI.mismatch"),
        (TITLE.as_bytes(), "claimSignature.mismatch"),
    ] {
        let mut changed = signed.clone();
        let place = place(&changed, text);
        changed[place.end - 1] ^= 1;
        let credentials = read(&changed, None).unwrap();
        let faults = &credentials.faults;
        assert_eq!(credentials.state, CredentialsState::Altered, "{fault}: {faults:?}");
        assert!(faults.contains(&fault.to_owned()), "{faults:?}");
    }
}

#[test]
fn truncated_file_is_not_intact() {
    for (name, content) in carriers() {
        let signed = signed(&content);
        for cut in (1..signed.len()).step_by(signed.len() / 60) {
            let state = state(&signed[..cut]);
            assert_ne!(state, Some(CredentialsState::Intact), "{name} at {cut}");
        }
    }
}

#[test]
fn moved_manifest_is_altered() {
    let (content, other) = (picture(ImageFormat::Png), {
        let mut other = RgbImage::new(64, 64);
        other.put_pixel(3, 4, Rgb([255, 0, 0]));
        let mut bytes = Cursor::new(Vec::new());
        other.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    });
    let signed = signed(&content);
    // After the signature and the header; length, name and checksum are 12 bytes of a chunk.
    let chunk = 33..33 + 12 + u32::from_be_bytes(signed[33..37].try_into().unwrap()) as usize;
    let pasted = [&other[..33], &signed[chunk], &other[33..]].concat();
    let credentials = read(&pasted, None).unwrap();
    assert_eq!(credentials.state, CredentialsState::Altered);
    let provenance = credentials.provenance.unwrap();
    let digests = digests(&pasted);
    assert_eq!(digests.bare, Some(content_digest(&other)));
    let works = std::collections::BTreeMap::new();
    let evidence = Evidence { cluster: CLUSTER, digests, works: &works, channel: None };
    let receipt = Findings::new(&provenance, evidence).receipt.unwrap();
    assert_eq!(receipt.standing, ReceiptStanding::OtherOutput);
}

#[test]
fn signing_keeps_the_fingerprint() {
    for (name, content) in carriers() {
        let (Ok(bare), Ok(signed)) = (perceive(&content), perceive(&signed(&content))) else {
            panic!("{name} cannot be decoded");
        };
        assert_eq!((bare.fingerprint, bare.media), (signed.fingerprint, signed.media), "{name}");
    }
}

#[test]
fn unverifiable_content_is_not_signed() {
    let (content, issued) = (picture(ImageFormat::Jpeg), issued());
    let identity = issued.identity().unwrap();
    let provenance = generated(&content);
    let attempt = |content: &[u8], provenance: &Provenance, identity: &SigningIdentity| {
        sign(content, "output", provenance, None, identity).unwrap_err()
    };
    let text = b"a text";
    let refused = attempt(text, &generated(text), &identity);
    assert!(matches!(refused, SigningError::NoCarrier), "{refused}");
    let once = sign(&content, "output", &provenance, None, &identity).unwrap();
    let refused = attempt(&once, &generated(&once), &identity);
    assert!(matches!(refused, SigningError::AlreadySigned), "{refused}");
    let other = generated(b"another output");
    let refused = attempt(&content, &other, &identity);
    assert!(matches!(refused, SigningError::OtherContent), "{refused}");
    let others_receipt = provenance.clone().with_receipt(&receipt(b"another output"));
    let refused = attempt(&content, &others_receipt, &identity);
    assert!(matches!(refused, SigningError::OtherContent), "{refused}");

    // An empty tag would be removed with the credentials.
    let empty = tagged(4, b"", 0);
    let refused = attempt(&empty, &generated(&empty), &identity);
    assert!(matches!(refused, SigningError::NotRecoverable), "{refused}");
    for (version, flags, fault) in [
        (2, 0, "2.2"),
        (3, 0x80, "unsynchronized"),
        (4, 0x80, "unsynchronized"),
        (4, 0x40, "extended"),
    ] {
        let mut tag = tagged(version, b"", 10);
        tag[5] = flags;
        let refused = attempt(&tag, &generated(&tag), &identity);
        assert!(matches!(refused, SigningError::UnsupportedTag(_)), "{refused}");
        assert!(refused.to_string().contains(fault), "{refused}");
    }

    let stranger = crate::issued();
    let two_years = 2 * 366 * 86_400;
    let expired = SigningIdentity::issue("Ines", now() - two_years).unwrap();
    for (certificate, key) in [
        (&issued.certificate, &stranger.key),
        (&expired.certificate, &expired.key),
        (&issued.anchor, &issued.key),
    ] {
        let wrong = SigningIdentity::new(certificate.as_bytes(), key.as_bytes()).unwrap();
        let refused = attempt(&content, &provenance, &wrong);
        let expected = matches!(refused, SigningError::Refused(_) | SigningError::Unacceptable(_));
        assert!(expected, "{refused}");
    }
}

/// Returns the report of an independent reader; prints a notice and returns `None` if it is not
/// installed.
fn read_elsewhere(file: &Path, media_type: &str, anchor: &Path) -> Option<Value> {
    const SCRIPT: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/second_implementation/credentials.py");
    let python = std::env::var("MOTIF_PYTHON").unwrap_or("python3".to_owned());
    let ready = Command::new(&python).args(["-c", "import c2pa, cryptography"]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        let needs = "needs Python 3.10 and `pip install c2pa-python cryptography`; name another \
                     with MOTIF_PYTHON";
        assert!(std::env::var_os("MOTIF_REQUIRE_PYTHON").is_none(), "{needs}");
        eprintln!("SKIPPED: {needs}");
        return None;
    }
    let operator = SigningKey::from_bytes(&OPERATOR).verifying_key().to_bytes();
    let mut script = Command::new(&python);
    script.arg("-B").arg(SCRIPT).arg(file).arg(media_type).arg(anchor);
    let ran = script.arg(Pubkey::new_from_array(operator).to_string()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(serde_json::from_slice(&ran.stdout).unwrap())
}

#[test]
fn independent_reader_finds_receipts() {
    let (folder, issued) = (tempfile::tempdir().unwrap(), issued());
    let identity = issued.identity().unwrap();
    let anchor = folder.path().join("anchor.pem");
    std::fs::write(&anchor, &issued.anchor).unwrap();
    for (name, content) in carriers() {
        let provenance = generated(&content);
        let signed = sign(&content, TITLE, &provenance, None, &identity).unwrap();
        let file = folder.path().join("signed");
        std::fs::write(&file, &signed).unwrap();
        let media_type = Carrier::detect(&signed).unwrap().media_type();
        let Some(read) = read_elsewhere(&file, media_type, &anchor) else { return };
        assert_eq!((&read["state"], &read["failures"]), (&json!("Trusted"), &json!([])), "{name}");
        assert_eq!(read["signer"], "Ines", "{name}");
        assert_eq!(read["provenance"], json!(provenance), "{name}");
        for held in ["receipt_is_signed", "receipt_is_named", "receipt_is_of_this"] {
            assert_eq!(read[held], true, "{name}: {held}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Some bytes of a manifest are not covered by the signature, such as padding. After any change,
    /// credentials that read as intact have the signed claims about the signed content.
    #[test]
    fn intact_credentials_are_as_signed(
        which in 0_usize..5,
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        static SIGNED: LazyLock<Vec<(Vec<u8>, Vec<u8>)>> = LazyLock::new(|| {
            let sign = |(_, content): (_, Vec<u8>)| (signed(&content), content);
            carriers().into_iter().take(5).map(sign).collect()
        });
        let (signed, content) = &SIGNED[which];
        let mut changed = signed.clone();
        for (place, byte) in changes {
            let place = place.index(changed.len());
            changed[place] = byte;
        }
        if let Some(credentials) = read(&changed, None)
            && credentials.state == CredentialsState::Intact
        {
            prop_assert_eq!(credentials.bare_digest.0, content_digest(content));
            prop_assert_eq!(credentials.provenance, Some(generated(content)));
        }
    }
}
