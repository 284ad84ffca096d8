use ::image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage, imageops};
use proptest::prelude::*;

use super::{Features, FeaturesError, Keypoint, LocalIndex, Query};

/// Returns a picture of overlapping squares and discs, of integers only.
fn picture(seed: u64) -> DynamicImage {
    let mut state = seed;
    let mut draw = |limit: u64| {
        // Numerical Recipes' generator.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) & 0xFFFF_FFFF;
        (state >> 8) % limit
    };
    let mut image = RgbImage::from_pixel(400, 300, Rgb([128; 3]));
    for _ in 0..160 {
        let (left, top, side) = (draw(400) as u32, draw(300) as u32, 8 + draw(40) as u32);
        let color = Rgb([draw(256) as u8, draw(256) as u8, draw(256) as u8]);
        let is_disc = draw(2) == 0;
        for (x, y) in (0..side).flat_map(|x| (0..side).map(move |y| (x, y))) {
            let (dx, dy) = ((2 * x).abs_diff(side), (2 * y).abs_diff(side));
            let is_inside = !is_disc || dx * dx + dy * dy <= side * side;
            if is_inside && left + x < 400 && top + y < 300 {
                image.put_pixel(left + x, top + y, color);
            }
        }
    }
    DynamicImage::ImageRgb8(image)
}

fn framed(picture: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    let mut canvas = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    imageops::overlay(&mut canvas, &picture.to_rgb8(), 60, 80);
    DynamicImage::ImageRgb8(canvas)
}

fn features(count: u64) -> Vec<Features> {
    (0..count).map(|seed| Features::new(&picture(seed))).collect()
}

fn indexed(features: &[Features]) -> LocalIndex<usize> {
    LocalIndex::new(features.iter().enumerate())
}

fn found(index: &LocalIndex<usize>, picture: &DynamicImage) -> Vec<usize> {
    index.find(&Query::new(picture)).iter().map(|found| found.work).collect()
}

/// Returns the file with these keypoints instead.
fn with_points(features: &Features, mut points: Vec<Keypoint>) -> Features {
    points.sort_unstable();
    points.dedup();
    let mut bytes = features.to_bytes();
    bytes.truncate(30);
    bytes.extend((points.len() as u16).to_le_bytes());
    for point in points {
        bytes.extend(point.x.to_le_bytes());
        bytes.extend(point.y.to_le_bytes());
        bytes.extend([point.level, point.angle]);
        bytes.extend(point.bits.iter().flat_map(|word| word.to_le_bytes()));
    }
    Features::from_bytes(&bytes).unwrap()
}

#[test]
fn features_match_golden_vector() {
    let golden = include_str!("../../../../tests/golden/features.json");
    let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
    let side = |name: &str| golden[name].as_u64().unwrap() as u32;
    let level = |x: u32, y: u32| {
        (x / 11 * 37 + y / 9 * 53 + (x + y) / 17 * 29 + x * y / 700 * 41) % 200 + 20
    };
    let picture = GrayImage::from_fn(side("width"), side("height"), |x, y| {
        Luma([level(x, y) as u8]) // at most 219
    });
    let features = Features::new(&DynamicImage::ImageLuma8(picture));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(&features.to_bytes()), golden["file"]);
    assert_eq!(hex(&features.digest()), golden["sha256"]);
    assert_eq!(features.size(), (150, 110));
}

#[test]
fn reposted_pictures_are_found() {
    let index = indexed(&features(8));
    let original = picture(3);
    let smaller = original.resize_exact(250, 188, imageops::FilterType::Triangle);
    for (name, reposted) in [
        ("as it is", original.clone()),
        ("cropped", original.crop_imm(40, 30, 335, 251)),
        ("mirrored", original.fliph()),
        ("upside down", original.flipv()),
        ("turned by 90", original.rotate90()),
        ("turned by 270 and mirrored", original.rotate270().fliph()),
        ("on a page", framed(&original, 900, 700)),
        ("smaller", smaller),
    ] {
        assert_eq!(found(&index, &reposted), [3], "{name}");
    }
    assert!(found(&index, &picture(99)).is_empty());
}

#[test]
fn transform_maps_query_to_work() {
    let index = indexed(&features(4));
    let (near, cropped) =
        (|a: f32, b: f32| (a - b).abs() < 3.0, picture(2).crop_imm(50, 20, 300, 240));
    let found = index.find(&Query::new(&cropped))[0].transform;
    let (x, y) = found.apply((100.0, 100.0));
    assert!(near(x, 150.0) && near(y, 120.0) && near(100.0 * found.scale(), 100.0));
    assert!(!found.is_mirrored());
    let mirrored = index.find(&Query::new(&cropped.fliph()))[0].transform;
    let (x, y) = mirrored.apply((200.0, 100.0));
    assert!(near(x, 150.0) && near(y, 120.0) && mirrored.is_mirrored());
}

#[test]
fn plain_picture_has_no_features() {
    let plain = DynamicImage::ImageRgb8(RgbImage::from_pixel(300, 200, Rgb([40, 90, 200])));
    let features = Features::new(&plain);
    assert!(features.points().is_empty());
    assert_eq!(Features::from_bytes(&features.to_bytes()), Ok(features.clone()));
    assert!(found(&indexed(&[features]), &plain).is_empty());
    for (width, height) in [(1, 1), (1, 4_000), (33, 33)] {
        let tiny = RgbImage::from_fn(width, height, |x, y| Rgb([((x ^ y) % 4 * 85) as u8; 3]));
        let features = Features::new(&DynamicImage::ImageRgb8(tiny));
        assert_eq!(Features::from_bytes(&features.to_bytes()), Ok(features));
    }
}

#[test]
fn inserted_works_are_found_like_indexed() {
    let features = features(9);
    let mut index = LocalIndex::default();
    for (work, features) in features.iter().enumerate() {
        index.insert(work, features);
    }
    assert_eq!(index.len(), 9);
    for work in 0..9 {
        assert_eq!(found(&index, &picture(work as u64)), [work]);
    }
}

#[test]
fn copied_features_come_after_original() {
    let mut works = features(3);
    works.push(works[1].clone());
    let index = indexed(&works);
    assert_eq!(found(&index, &picture(1).fliph()), [1, 3]);
}

#[test]
fn crowd_does_not_hide_earlier_picture() {
    let mut works = features(2);
    let crowd = works[1].clone();
    works.extend(std::iter::repeat_n(crowd, 1_500));
    let found = found(&indexed(&works), &picture(1));
    assert_eq!((found.len(), found[0]), (LocalIndex::<usize>::MAX_MATCHES, 1));
}

#[test]
fn repeated_descriptor_finds_nothing() {
    let victim = Features::new(&picture(0));
    let stolen = victim.points()[100];
    let repeated = (0..400_u16).map(|place| {
        let (x, y) = (place % 20 * 700, place / 20 * 500);
        Keypoint { x, y, ..stolen }
    });
    let repeated = with_points(&victim, repeated.collect());
    assert_eq!(repeated.points().len(), 400);
    assert_eq!(found(&indexed(&[repeated, victim]), &picture(0)), [1]);
}

#[test]
fn descriptors_without_geometry_find_nothing() {
    let victim = Features::new(&picture(0));
    // All descriptors of the picture, at one place, and at other keypoints' places.
    let piled = victim.points().iter().map(|point| Keypoint { x: 4_000, y: 4_000, ..*point });
    let piled = with_points(&victim, piled.collect());
    let places = victim.points().iter().cycle().skip(137);
    let shuffled = victim.points().iter().zip(places);
    let shuffled = shuffled.map(|(point, other)| Keypoint { x: other.x, y: other.y, ..*point });
    let shuffled = with_points(&victim, shuffled.collect());
    assert_eq!(found(&indexed(&[piled, shuffled, victim]), &picture(0)), [2]);
}

#[test]
fn invalid_file_is_rejected() {
    let features = Features::new(&picture(0));
    let good = features.to_bytes();
    assert!(good.len() <= Features::MAX_BYTES);
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Features::from_bytes(&bytes).unwrap_err()
    };
    assert_eq!(changed(0, b'M'), FeaturesError::UnknownFormat);
    let unknown = |version, scheme| FeaturesError::UnknownVersion { version, scheme };
    assert_eq!(changed(16, 2), unknown(2, 1));
    assert_eq!(changed(18, 9), unknown(1, 9));
    assert_eq!(changed(31, 255), FeaturesError::TooMany(255 << 8 | usize::from(good[30])));
    assert!(matches!(changed(29, 255), FeaturesError::InvalidSize { .. }));
    assert_eq!(changed(36, 8), FeaturesError::InvalidPoint(0));
    assert_eq!(changed(37, 64), FeaturesError::InvalidPoint(0));
    assert_eq!(changed(37, 63), FeaturesError::OutOfOrder(1));
    assert_eq!(changed(33, 255), FeaturesError::InvalidPoint(0));
    let length = |found| FeaturesError::OtherLength { found, expected: good.len() };
    let (shorter, longer) = (good.len() - 1, good.len() + 1);
    assert_eq!(Features::from_bytes(&good[..shorter]), Err(length(shorter)));
    assert_eq!(Features::from_bytes(&[&good[..], &[0]].concat()), Err(length(longer)));
    assert_eq!(Features::from_bytes(&good[..31]), Err(FeaturesError::UnknownFormat));
}

proptest! {
    #[test]
    fn read_file_is_written_alike(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        static GOOD: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let mut bytes = GOOD.get_or_init(|| Features::new(&picture(0)).to_bytes()).clone();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        if let Ok(features) = Features::from_bytes(&bytes) {
            prop_assert_eq!(features.to_bytes(), bytes);
            prop_assert!(features.points().len() <= Features::MAX_POINTS);
        }
    }

    #[test]
    fn any_bytes_are_read_or_rejected(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Features::from_bytes(&bytes).is_err());
    }
}
