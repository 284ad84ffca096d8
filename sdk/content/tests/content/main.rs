//! The committed module against the native crate on media files of every decodable format.
//!
//! `MOTIF_CASES` sets the number of files.
#![allow(clippy::unwrap_used, reason = "tests panic at an unexpected error")]

#[path = "../../../core/tests/core/module.rs"]
#[allow(dead_code, reason = "shared with the core's tests")]
mod module;
#[path = "../../../core/tests/core/random.rs"]
#[allow(dead_code, reason = "shared with the core's tests")]
mod random;

use std::{fs, io::Cursor, path::Path};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use motif_content::Content;
use serde_json::json;

use module::Pair;
use random::{Random, cases};

fn content() -> Pair {
    let mut native = Content::default();
    Pair::new("motif_content.wasm", move |input| native.call(input))
}

/// Returns a picture of random waves.
fn picture(random: &mut Random) -> DynamicImage {
    let (width, height) = (40 + random.below(60) as u32, 40 + random.below(60) as u32);
    let [a, b, c] = [(); 3].map(|()| 1 + random.below(9) as u32);
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * a) as u8, (y * b) as u8, (x * y / c) as u8])
    }))
}

fn coded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Returns a mono recording of two random tones, 16 bits at 8 kHz, of two seconds.
fn recording(random: &mut Random) -> Vec<u8> {
    let (low, high) = (200.0 + random.below(400) as f64, 700.0 + random.below(2_000) as f64);
    let samples: Vec<u8> = (0..16_000)
        .flat_map(|at| {
            let time = f64::from(at) / 8_000.0;
            let wave = |tone: f64| (time * tone * std::f64::consts::TAU).sin();
            ((wave(low) + wave(high)) * 9_000.0).round().to_le_bytes_16()
        })
        .collect();
    let mut wav =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x80\x3E\0\0\x02\0\x10\0data"
            .to_vec();
    wav.extend_from_slice(&(samples.len() as u32).to_le_bytes());
    wav.extend(samples);
    let length = wav.len() as u32 - 8;
    wav[4..8].copy_from_slice(&length.to_le_bytes());
    wav
}

trait Sample {
    fn to_le_bytes_16(self) -> [u8; 2];
}

impl Sample for f64 {
    fn to_le_bytes_16(self) -> [u8; 2] {
        (self as i16).to_le_bytes()
    }
}

/// Returns the repository's recordings.
fn tunes() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/media");
    ["tune.flac", "tune.m4a", "tune.mp3", "tune.ogg", "tune.opus"]
        .map(|name| fs::read(folder.join(name)).unwrap())
        .to_vec()
}

#[test]
fn fingerprints_equal_native() {
    let mut random = Random::new(6);
    let formats = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];
    let mut files = tunes();
    files.push(recording(&mut random));
    files.extend(formats.map(|format| coded(&picture(&mut random), format)));
    let wanted = cases(12) as usize;
    while files.len() < wanted {
        let file = match random.below(6) {
            0 => recording(&mut random),
            1 => "It was a bright cold day. ".repeat(1 + random.below(40) as usize).into_bytes(),
            format => coded(&picture(&mut random), formats[format as usize - 2]),
        };
        files.push(file);
    }
    files.truncate(wanted);
    let (mut content, mut prints) = (content(), 0);
    for file in &files {
        let examined = content.ok_with("content.examine", json!({}), file);
        prints += usize::from(examined["fingerprint"]["scheme"] != 0);
        let same = json!({ "one": examined["fingerprint"], "other": examined["fingerprint"] });
        let distance = content.ok("content.distance", same);
        assert_eq!(distance["is_alike"], examined["fingerprint"]["scheme"] != 0);
    }
    assert!(prints * 10 >= files.len() * 7, "{prints} of {} have fingerprints", files.len());
}

#[test]
fn damaged_files_end_alike() {
    let mut random = Random::new(7);
    let mut content = content();
    let file = coded(&picture(&mut random), ImageFormat::Png);
    for _ in 0..20 {
        let mut damaged = file.clone();
        let place = 16 + random.below(damaged.len() as u64 - 16) as usize;
        damaged[place] ^= 1 << random.below(8);
        damaged.truncate(place + random.below((damaged.len() - place) as u64) as usize);
        content.call_with("content.examine", json!({}), &damaged);
    }
    let torn = content.error("content.examine", json!({}), b"\x89PNG\r\n\x1A\n");
    assert_eq!(torn, "content-unreadable");
}

#[test]
fn unknown_content_has_a_digest() {
    let examined = content().ok_with("content.examine", json!({}), b"weights\0\x01");
    assert_eq!((&examined["media"], &examined["probes"]), (&json!("other"), &json!([])));
    assert_eq!(examined["digest"].as_str().unwrap().len(), 64);
    assert_eq!(examined["fingerprint"]["scheme"], 0);
}
