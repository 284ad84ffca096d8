//! Lookups of pictures by their local features: `cargo bench -p motif-fingerprint --bench local`
//! prints one JSON object per line.
//!
//! Works are crossed from described drawings: each quarter of a descriptor, from which one table's
//! keys are taken, is one of a drawing's, so keys are as crowded as they are for real descriptors.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by a panic")]

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use image::{DynamicImage, Rgb, RgbImage};
use motif_fingerprint::local::{Features, Keypoint, LocalIndex, Query};
use serde_json::json;

const WORKS: u32 = 100_000;
const POINTS: usize = 300;
const DRAWINGS: u64 = 400;
const LOOKUPS: usize = 200;

fn main() {
    let mut random = Random(7);
    let drawings: Vec<_> = (0..DRAWINGS).map(|_| drawing(&mut random)).collect();
    let started = Instant::now();
    let described: Vec<_> = drawings.iter().map(Features::new).collect();
    let each = started.elapsed() / drawings.len() as u32;
    say("a picture of 512 x 384 described", each.as_secs_f64() * 1_000.0, "ms", "mean");
    let points: Vec<_> = described.iter().flat_map(|features| features.points()).collect();

    let started = Instant::now();
    // The drawings themselves are among the works.
    let crossed = (DRAWINGS as u32..WORKS).map(|work| (work, crossed(&points, &mut random)));
    let works = (0..).zip(described.iter().cloned()).chain(crossed);
    let index = LocalIndex::new(works);
    say("index of 100,000 works made and built", started.elapsed().as_secs_f64(), "s", "");
    say("its memory", index.memory() as f64 / 1e6, "MB", "300 keypoints a work");

    let strangers: Vec<_> = (0..LOOKUPS).map(|_| drawing(&mut random)).collect();
    let asked = |pictures: &mut dyn Iterator<Item = DynamicImage>| -> Vec<Query> {
        pictures.map(|picture| Query::new(&picture)).collect()
    };
    let strangers = asked(&mut strangers.into_iter());
    let reposts = asked(
        &mut drawings
            .iter()
            .take(LOOKUPS)
            .map(|picture| picture.crop_imm(40, 30, 430, 320).fliph()),
    );
    let found = |queries: &[Query]| -> Vec<(Duration, bool)> {
        let one = |query: &Query| {
            let started = Instant::now();
            let found = index.find(query);
            (started.elapsed(), !found.is_empty())
        };
        queries.iter().map(one).collect()
    };
    for (name, queries) in [("strangers", &strangers), ("cropped, mirrored copies", &reposts)] {
        let mut found = found(queries);
        let share = found.iter().filter(|(_, is_found)| *is_found).count() as f64 / LOOKUPS as f64;
        found.sort_unstable();
        let at = |percent: usize| found[LOOKUPS * percent / 100].0.as_secs_f64() * 1_000.0;
        let points = queries.iter().map(Query::len).sum::<usize>() / queries.len();
        let how = format!("{points} keypoints a query, {LOOKUPS} queries");
        say(&format!("lookup of {name}, p50"), at(50), "ms", &how);
        say(&format!("lookup of {name}, p99"), at(99), "ms", &how);
        say(&format!("found of {name}"), share, "of 1", &how);
    }
}

fn say(name: &str, value: f64, unit: &str, how: &str) {
    let value = (value * 1_000.0).round() / 1_000.0;
    println!("{}", json!({ "name": name, "value": value, "unit": unit, "how": how }));
}

/// Numerical Recipes' generator.
struct Random(u64);

impl Random {
    fn draw(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

fn drawing(random: &mut Random) -> DynamicImage {
    let mut image = RgbImage::from_pixel(512, 384, Rgb([random.draw(256) as u8; 3]));
    for _ in 0..300 {
        let (left, top) = (random.draw(512) as u32, random.draw(384) as u32);
        let (wide, high) = (4 + random.draw(60) as u32, 4 + random.draw(60) as u32);
        let color = Rgb([random.draw(256) as u8, random.draw(256) as u8, random.draw(256) as u8]);
        let slant = random.draw(3) as u32;
        for (x, y) in (0..wide).flat_map(|x| (0..high).map(move |y| (x, y))) {
            let (x, y) = (left + x + y * slant / 2, top + y);
            if x < 512 && y < 384 {
                image.put_pixel(x, y, color);
            }
        }
    }
    DynamicImage::ImageRgb8(image)
}

fn crossed(points: &[&Keypoint], random: &mut Random) -> Features {
    let mut one = || points[random.draw(points.len())];
    let mut crossed = BTreeSet::new();
    while crossed.len() < POINTS {
        let bits = std::array::from_fn(|word| one().bits[word]);
        crossed.insert(Keypoint { bits, ..*one() });
    }
    let mut bytes = b"motif-features\0\0\x01\0\x01\0".to_vec();
    bytes.extend([512_u32, 384].iter().flat_map(|side| side.to_le_bytes()));
    bytes.extend([512, POINTS as u16].iter().flat_map(|side: &u16| side.to_le_bytes()));
    for point in crossed {
        bytes.extend([point.x, point.y].iter().flat_map(|place| place.to_le_bytes()));
        bytes.extend([point.level, point.angle]);
        bytes.extend(point.bits.iter().flat_map(|word| word.to_le_bytes()));
    }
    Features::from_bytes(&bytes).unwrap()
}
