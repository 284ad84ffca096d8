//! Transformations of pictures.

use std::io::Cursor;

use image::{
    DynamicImage, GenericImageView, ImageFormat, codecs::jpeg::JpegEncoder, imageops::FilterType,
};
use motif_fingerprint::content_digest;

/// Returns all transformations of a picture: name, whether fingerprints must tolerate it, and
/// result. `seed` selects the positions of crops.
pub fn all(picture: &DynamicImage, seed: &str) -> Vec<(&'static str, bool, DynamicImage)> {
    let must = |name, changed| (name, true, changed);
    let beyond = |name, changed| (name, false, changed);
    let resized = |percent: u32| {
        let scaled = |side: u32| (side * percent / 100).max(1);
        let (width, height) = (scaled(picture.width()), scaled(picture.height()));
        picture.resize_exact(width, height, FilterType::CatmullRom)
    };
    let random = content_digest(seed.as_bytes());
    let cropped = |percent, place: usize| {
        crop(
            picture,
            percent,
            f32::from(random[place]) / 255.0,
            f32::from(random[place + 1]) / 255.0,
        )
    };
    let (width, height) = picture.dimensions();
    vec![
        must("as it is", picture.clone()),
        must("resized to 25 %", resized(25)),
        must("resized to 50 %", resized(50)),
        must("resized to 150 %", resized(150)),
        must("resized to 200 %", resized(200)),
        must("JPEG, quality 40", jpeg(picture, 40)),
        must("JPEG, quality 60", jpeg(picture, 60)),
        must("JPEG, quality 80", jpeg(picture, 80)),
        must("JPEG, quality 95", jpeg(picture, 95)),
        must("GIF, 256 colours", coded(picture, ImageFormat::Gif)),
        must("WebP", coded(picture, ImageFormat::WebP)),
        must("5 % cropped, evenly", crop(picture, 5, 0.5, 0.5)),
        must("5 % cropped, left and top", crop(picture, 5, 1.0, 1.0)),
        must("5 % cropped, anywhere", cropped(5, 0)),
        must("3 % cropped, anywhere", cropped(3, 2)),
        must("2 % cropped, anywhere", cropped(2, 4)),
        must("5 % cropped, left only", picture.crop_imm(width / 20, 0, width - width / 20, height)),
        must("5 % cropped, bottom only", picture.crop_imm(0, 0, width, height - height / 20)),
        must("brightness +15 %", picture.brighten(38)),
        must("brightness -15 %", picture.brighten(-38)),
        must("contrast +15 %", picture.adjust_contrast(15.0)),
        must("contrast -15 %", picture.adjust_contrast(-15.0)),
        must("watermark in a corner", watermarked(picture, 0.775, 0.9)),
        must("watermark in the middle", watermarked(picture, 0.4, 0.475)),
        must("50 %, JPEG 60, watermark", jpeg(&watermarked(&resized(50), 0.775, 0.9), 60)),
        beyond("5 % cropped, then JPEG 40 at 50 %", {
            let crop = cropped(5, 6);
            jpeg(&crop.resize_exact(width / 2, height / 2, FilterType::CatmullRom), 40)
        }),
        beyond("10 % cropped, anywhere", cropped(10, 8)),
        beyond("brightness +30 %", picture.brighten(76)),
    ]
}

/// Returns the transformations of drawings.
pub fn few(picture: &DynamicImage) -> Vec<(&'static str, bool, DynamicImage)> {
    let (width, height) = ((picture.width() / 2).max(1), (picture.height() / 2).max(1));
    vec![
        ("as it is", true, picture.clone()),
        ("JPEG, quality 60", true, jpeg(picture, 60)),
        ("resized to 50 %", true, picture.resize_exact(width, height, FilterType::CatmullRom)),
        ("5 % cropped, evenly", false, crop(picture, 5, 0.5, 0.5)),
    ]
}

/// Crops a percentage of each side, with these shares of it at the left and at the top.
fn crop(picture: &DynamicImage, percent: u32, left: f32, top: f32) -> DynamicImage {
    let (width, height) = picture.dimensions();
    let (off_width, off_height) = (width * percent / 100, height * percent / 100);
    let part = |off: u32, share: f32| (off as f32 * share).round() as u32;
    let (x, y) = (part(off_width, left), part(off_height, top));
    picture.crop_imm(x, y, width - off_width, height - off_height)
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

/// Draws half-transparent bars like a line of text, in a fifth of the width and a twentieth of the
/// height, from this place on.
fn watermarked(picture: &DynamicImage, left: f32, top: f32) -> DynamicImage {
    let mut picture = picture.to_rgb8();
    let (width, height) = picture.dimensions();
    let (x, y) = ((width as f32 * left) as u32, (height as f32 * top) as u32);
    for (x, y) in (x..x + width / 5).flat_map(|x| (y..y + height / 20).map(move |y| (x, y))) {
        if x / 4 % 3 != 0 {
            for channel in &mut picture.get_pixel_mut(x, y).0 {
                *channel = *channel / 2 + 127;
            }
        }
    }
    DynamicImage::ImageRgb8(picture)
}
