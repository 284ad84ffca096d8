use std::{collections::BTreeMap, io::Cursor, path::Path};

use image::{
    DynamicImage, GenericImageView, ImageFormat, Rgba, codecs::jpeg::JpegEncoder,
    imageops::FilterType,
};
use motif_sdk::fingerprint::{Scheme, Seen};

use super::{
    files::{Half, below, in_parallel},
    report::{Asked, Known, Report},
};

const STRANGERS: usize = 10_000;
const WORKS: usize = 240;
/// Photographs are taken as works at this size.
const WORK_SIDE: u32 = 512;
/// Larger files only take longer.
const FILE_BYTES: u64 = 5_000_000;
const ENDINGS: [&str; 4] = [".png", ".jpg", ".jpeg", ".webp"];

pub fn evaluate(folder: &Path, report: &mut Report) {
    // One picture of each, where a package has it in several sizes.
    let mut photographs = BTreeMap::new();
    for path in below(&folder.join("photographs"), &ENDINGS) {
        if std::fs::metadata(&path).is_ok_and(|file| file.len() > FILE_BYTES) {
            continue;
        }
        let name = path.to_string_lossy().into_owned();
        let wallpaper = name.split("/contents/").next().unwrap_or(&name).to_owned();
        photographs.entry(wallpaper).or_insert(path);
    }
    // Cut-outs of animals, plants and things.
    for path in below(&folder.join("photographs/tuxpaint-stamps-default"), &[".png"]) {
        let place = path.to_string_lossy();
        if ["animals", "food", "plants", "vehicles"].iter().any(|kind| place.contains(kind)) {
            photographs.insert(place.into_owned(), path.clone());
        }
    }
    let photographs: Vec<_> = photographs.into_iter().collect();
    let mut strangers = below(&folder.join("drawings"), &ENDINGS);
    strangers.retain(|path| !photographs.iter().any(|(_, photograph)| photograph == path));
    // Few packages have most of the files: take from all of them alike.
    strangers.sort_by_key(|path| {
        motif_sdk::fingerprint::content_digest(path.as_os_str().as_encoded_bytes())
    });
    let strangers = in_parallel(&strangers[..strangers.len().min(STRANGERS * 5 / 4)], |path| {
        let fingerprint = Seen::new(&image::open(path).ok()?)?.fingerprint();
        Some(Known { group: path.to_string_lossy().into_owned(), fingerprint })
    });
    let mut strangers: Vec<_> = strangers.into_iter().flatten().collect();
    strangers.truncate(STRANGERS);
    eprintln!("{} strangers", strangers.len());

    let works = in_parallel(&photographs, |(group, path)| {
        let picture = image::open(path).ok()?;
        let is_large = picture.width().max(picture.height()) > WORK_SIDE;
        let picture = if is_large { picture.thumbnail(WORK_SIDE, WORK_SIDE) } else { picture };
        let picture = DynamicImage::ImageRgb8(opaque(&picture));
        let fingerprint = Seen::new(&picture)?.fingerprint();
        let group = group.to_lowercase();
        Some((Known { group, fingerprint }, picture, Half::of(path)))
    });
    let mut works: Vec<_> = works.into_iter().flatten().collect();
    works.sort_by_key(|(known, ..)| known.group.contains("tuxpaint"));
    works.truncate(WORKS);
    eprintln!("{} works", works.len());
    let numbered: Vec<_> = works.iter().enumerate().collect();
    let asked = in_parallel(&numbered, |(work, (_, picture, half))| {
        let changed = changed(picture).into_iter();
        let asked = changed.filter_map(|(transformation, picture)| {
            let probes = Seen::new(&picture)?.probes();
            Some(Asked { transformation, half: *half, work: *work, probes })
        });
        asked.collect::<Vec<_>>()
    });
    let asked: Vec<_> = asked.into_iter().flatten().collect();
    report.note(format!(
        "Images: {} pictures (wallpapers of GNOME, MATE, Plasma, UKUI, Lomiri and LXQt, and cut-outs \
         from photographs among Tux Paint's stamps; at most {WORK_SIDE} pixels a side), asked about \
         among each other and {} drawings (Open Clip Art, Wesnoth) that have nothing to do with \
         them.",
        works.len(),
        strangers.len()
    ));
    let known: Vec<_> = works.into_iter().map(|(known, ..)| known).chain(strangers).collect();
    report.compare(Scheme::ImageFrequency, &known, &asked);
}

fn opaque(picture: &DynamicImage) -> image::RgbImage {
    let mut white = DynamicImage::new_rgba8(picture.width(), picture.height()).to_rgba8();
    white.pixels_mut().for_each(|pixel| *pixel = Rgba([255; 4]));
    image::imageops::overlay(&mut white, &picture.to_rgba8(), 0, 0);
    DynamicImage::ImageRgba8(white).to_rgb8()
}

fn changed(picture: &DynamicImage) -> Vec<(&'static str, DynamicImage)> {
    let (width, height) = picture.dimensions();
    let resized = |percent: u32| {
        let (width, height) = ((width * percent / 100).max(1), (height * percent / 100).max(1));
        picture.resize_exact(width, height, FilterType::CatmullRom)
    };
    let (cut_width, cut_height) = (width / 20, height / 20);
    let crop = |left, top| picture.crop_imm(left, top, width - cut_width, height - cut_height);
    let mut all = vec![
        ("as it is", picture.clone()),
        ("resized to 25 %", resized(25)),
        ("resized to 50 %", resized(50)),
        ("resized to 150 %", resized(150)),
        ("resized to 200 %", resized(200)),
        ("PNG to WebP", coded(picture, ImageFormat::WebP)),
        ("PNG to GIF", coded(picture, ImageFormat::Gif)),
        ("5 % cut off, evenly", crop(cut_width / 2, cut_height / 2)),
        ("5 % cut off, left and top", crop(cut_width, cut_height)),
        ("5 % cut off, right and bottom", crop(0, 0)),
        ("brightness +15 %", picture.brighten(38)),
        ("brightness -15 %", picture.brighten(-38)),
        ("contrast +15 %", picture.adjust_contrast(15.0)),
        ("contrast -15 %", picture.adjust_contrast(-15.0)),
        ("watermark in a corner", watermarked(picture)),
        ("50 %, JPEG 60, watermark", jpeg(&watermarked(&resized(50)), 60)),
    ];
    for (name, quality) in [
        ("JPEG quality 40", 40),
        ("JPEG quality 60", 60),
        ("JPEG quality 80", 80),
        ("JPEG quality 95", 95),
    ] {
        all.push((name, jpeg(picture, quality)));
    }
    all
}

fn coded(picture: &DynamicImage, format: ImageFormat) -> DynamicImage {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    image::load_from_memory(&bytes.into_inner()).unwrap()
}

fn jpeg(picture: &DynamicImage, quality: u8) -> DynamicImage {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    picture.to_rgb8().write_with_encoder(encoder).unwrap();
    image::load_from_memory(&bytes).unwrap()
}

/// Bars as of a line of text, half transparent, in a fifth of the width and a twentieth of the
/// height, near the lower right corner.
fn watermarked(picture: &DynamicImage) -> DynamicImage {
    let mut picture = picture.to_rgb8();
    let (width, height) = picture.dimensions();
    let (mark_width, mark_height) = (width / 5, height / 20);
    for y in height - 2 * mark_height..height - mark_height {
        for x in width - mark_width - width / 40..width - width / 40 {
            if x / 4 % 3 != 0 {
                for channel in &mut picture.get_pixel_mut(x, y).0 {
                    *channel = *channel / 2 + 127;
                }
            }
        }
    }
    DynamicImage::ImageRgb8(picture)
}
