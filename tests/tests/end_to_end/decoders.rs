//! Decoding of randomly changed files. `PROPTEST_CASES` sets the number of cases; `just
//! test-decoders` runs many.

use std::{io::Cursor, path::Path, sync::LazyLock};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use motif_sdk::fingerprint::{ContentError, Media, Perceived, none, perceive};
use proptest::{collection::vec, prelude::*};

/// Returns one file of every decodable format.
static FILES: LazyLock<Vec<(&str, Vec<u8>)>> = LazyLock::new(|| {
    let picture = RgbImage::from_fn(96, 64, |x, y| Rgb([x as u8 * 2, y as u8 * 3, (x * y) as u8]));
    let picture = DynamicImage::ImageRgb8(picture);
    let coded = |format: ImageFormat| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    vec![
        ("image/png", coded(ImageFormat::Png)),
        ("image/jpeg", coded(ImageFormat::Jpeg)),
        ("image/gif", coded(ImageFormat::Gif)),
        ("image/webp", coded(ImageFormat::WebP)),
        ("audio/wav", wav()),
        ("audio/mpeg", fixture("tune.mp3")),
        ("audio/ogg", fixture("tune.ogg")),
        ("audio/ogg", fixture("tune.opus")),
        ("audio/flac", fixture("tune.flac")),
        ("audio/mp4", fixture("tune.m4a")),
        ("audio/mp4", fixture("tune-alac.m4a")),
        ("audio/mp4", fixture("tune-dash.mp4")),
        ("video/mp4", fixture("tune-video.mp4")),
        ("audio/wav", fixture("tune-adpcm.wav")),
        ("audio/x-caf", fixture("tune.caf")),
        ("text/html", fixture("page.html")),
        ("application/pdf", fixture("page.pdf")),
        ("application/epub+zip", fixture("book.epub")),
        ("application/vnd.oasis.opendocument.text", fixture("page.odt")),
        (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            fixture("page.docx"),
        ),
        ("text/plain", include_bytes!("../../../README.md").to_vec()),
    ]
});

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/media");
    std::fs::read(folder.join(name)).unwrap()
}

fn wav() -> Vec<u8> {
    let mut wav = b"RIFF\xA4\x3E\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x80\x3E\0\0\x02\0\x10\0data\x80\x3E\0\0".to_vec();
    wav.extend((0..8_000_i32).flat_map(|at| ((at * at % 9_973) as i16).to_le_bytes()));
    wav
}

/// Random change of a file.
#[derive(Clone, Debug)]
enum Change {
    Set(usize, u8),
    Cut(usize),
    Repeat(usize, usize),
    Drop(usize, usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    // The header is changed as often as all the rest.
    let place = prop_oneof![0_usize..64, any::<usize>()];
    let change = prop_oneof![
        6 => (place.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => any::<usize>().prop_map(Change::Cut),
        1 => (place.clone(), 1_usize..512).prop_map(|(at, length)| Change::Repeat(at, length)),
        1 => (place, 1_usize..512).prop_map(|(at, length)| Change::Drop(at, length)),
    ];
    vec(change, 0..8)
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = bytes.len().max(1);
        let until = |at: usize, more: usize| (at + more).min(bytes.len());
        match *change {
            Change::Set(at, byte) => {
                if let Some(place) = bytes.get_mut(at % length) {
                    *place = byte;
                }
            }
            Change::Cut(at) => bytes.truncate(at % length),
            Change::Repeat(at, more) => {
                let at = at % length;
                let again = bytes.get(at..until(at, more)).unwrap_or_default().to_vec();
                let at = at.min(bytes.len());
                bytes.splice(at..at, again);
            }
            Change::Drop(at, more) => {
                let at = (at % length).min(bytes.len());
                let end = until(at, more);
                bytes.drain(at..end);
            }
        }
    }
    bytes
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn mutated_file_is_read_or_rejected(
        file in 0_usize..FILES.len(),
        changes in changes(),
    ) {
        let content = changed(FILES[file].1.clone(), &changes);
        if let Ok(perceived) = perceive(&content) {
            let Perceived { fingerprint, probes, .. } = perceived;
            prop_assert!(fingerprint == none() || probes.contains(&fingerprint));
            prop_assert!(probes.len() <= motif_sdk::recognition::Index::MAX_PROBES);
        }
    }
}

#[test]
fn every_format_is_detected() {
    for (media_type, bytes) in FILES.iter() {
        let perceived = perceive(bytes).unwrap();
        assert_eq!(perceived.media_type, *media_type);
        let is_short = bytes.len() < 17_000 && *media_type == "audio/wav";
        assert_eq!(perceived.fingerprint == none(), is_short, "{media_type}");
        assert_ne!(perceived.media, Media::Other);
    }
}

#[test]
fn formats_share_one_fingerprint() {
    let heard = |name: &str| perceive(&fixture(name)).unwrap();
    let original = heard("tune.flac").fingerprint;
    for name in ["tune.mp3", "tune.ogg", "tune.opus", "tune.m4a", "tune-alac.m4a", "tune.caf"] {
        let probes = heard(name).probes.into_iter();
        let near = probes.filter_map(|probe| motif_sdk::fingerprint::distance(&original, &probe));
        assert!(
            near.min().unwrap() <= motif_sdk::fingerprint::Scheme::AudioSounds.radius(),
            "{name}"
        );
    }
}

/// Found by fuzzing: tables with sizes beyond the file, one of 34 GB.
#[test]
fn oversized_tables_are_rejected() {
    for name in ["chunks.m4a", "sizes.m4a"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/broken").join(name);
        let refused = perceive(&std::fs::read(path).unwrap()).unwrap_err();
        assert!(matches!(refused, ContentError::Audio(_)), "{name}: {refused:?}");
        assert!(refused.to_string().contains("claims more"), "{name}: {refused}");
    }
}

/// Found by fuzzing: the reader of AAC without a container, which is not used, loops over
/// contradictory headers.
#[test]
fn raw_audio_is_rejected() {
    let content = hex::decode(
        "49443304000000000023545353450000000f0000034c61766635392e32372e31a6a6a6a6a6a6b5b5\
         b5b5b5b5c4c4c4c4c4c4d3d3d3fff1d3d3e2e20000000000000010e2e2e2e2f1f1f1f192249ee1d1\
         89ef3264649b9c9d2e0a034c615d766635392e3237f012942e31",
    );
    let perceived = perceive(&content.unwrap());
    assert!(!matches!(perceived, Err(ContentError::Undecodable)), "{perceived:?}");
}

/// Found by fuzzing: chunks are numbered from 1, and the MP4 reader subtracts one without a check.
#[test]
fn decoder_panic_is_contained() {
    let mut content = fixture("tune.m4a");
    let table = content.windows(4).position(|kind| kind == b"stsc").unwrap();
    content[table + 12..table + 16].fill(0);
    let perceived = perceive(&content);
    assert!(matches!(perceived, Err(ContentError::Undecodable)), "{perceived:?}");
}
