//! Transformations of pictures.

use std::io::Cursor;

use image::{
    DynamicImage, GenericImageView, ImageFormat, Rgb, RgbImage,
    codecs::jpeg::JpegEncoder,
    imageops::{self, FilterType},
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

/// Returns what is done to pictures that are posted again, as JPEG of quality 80 each: name and
/// result. `seed` selects positions and texts.
pub fn reposts(picture: &DynamicImage, seed: &str) -> Vec<(&'static str, DynamicImage)> {
    let (width, height) = picture.dimensions();
    let random = content_digest(seed.as_bytes());
    let share = |place: usize| f32::from(random[place]) / 255.0;
    let kept = |part: f32, length: u32| ((length as f32 * part) as u32).max(1);
    let part = |part: f32, place: usize| {
        let (wide, high) = (kept(part, width), kept(part, height));
        let off = |rest: u32, share: f32| (rest as f32 * share) as u32;
        let (x, y) = (off(width - wide, share(place)), off(height - high, share(place + 1)));
        picture.crop_imm(x, y, wide, high)
    };
    let middle = {
        let (wide, high) =
            if width >= height { (width * 9 / 16, height) } else { (width, height * 9 / 16) };
        picture.crop_imm((width - wide) / 2, (height - high) / 2, wide.max(1), high.max(1))
    };
    let border = width.max(height) * 6 / 100;
    let longer = width.max(height);
    let cropped = part(0.7_f32.sqrt(), 0);
    let small = |picture: &DynamicImage| {
        let (width, height) = (picture.width().div_ceil(2), picture.height().div_ceil(2));
        picture.resize_exact(width, height, FilterType::CatmullRom)
    };
    let changed = vec![
        ("cropped to 70 % of the area", cropped.clone()),
        ("border of 6 %", on(picture, width + 2 * border, height + 2 * border, 255)),
        ("letterboxed to a square", on(picture, longer, longer, 0)),
        ("letterboxed, 16:9 to 9:16", on(picture, width, (width * 16 / 9).max(height), 0)),
        ("caption on the lower sixth", captioned(picture, &random)),
        ("mirrored", picture.fliph()),
        ("turned by 90 degrees", picture.rotate90()),
        ("turned by 180 degrees", picture.rotate180()),
        ("turned by 270 degrees", picture.rotate270()),
        ("rotated by 2 degrees", rotated(picture, 2.0)),
        ("rotated by 5 degrees", rotated(picture, -5.0)),
        ("middle 9/16 of the longer side", middle),
        ("in a page, a third of its width", page(picture, &random)),
        ("cropped to 70 %, mirrored, at 50 %", small(&cropped.fliph())),
        ("caption, rotated by 2 degrees", rotated(&captioned(picture, &random), 2.0)),
        ("cropped to 50 % of the area", part(0.5_f32.sqrt(), 2)),
    ];
    changed.into_iter().map(|(name, changed)| (name, jpeg(&changed, 80))).collect()
}

/// Puts a picture into the middle of a plain one.
fn on(picture: &DynamicImage, width: u32, height: u32, level: u8) -> DynamicImage {
    let mut canvas = RgbImage::from_pixel(width, height, Rgb([level; 3]));
    let (x, y) = ((width - picture.width()) / 2, (height - picture.height()) / 2);
    imageops::overlay(&mut canvas, &picture.to_rgb8(), x.into(), y.into());
    DynamicImage::ImageRgb8(canvas)
}

/// Covers the lower sixth with a line of text on white.
fn captioned(picture: &DynamicImage, random: &[u8; 32]) -> DynamicImage {
    let mut picture = picture.to_rgb8();
    let (width, height) = picture.dimensions();
    let top = height - height / 6;
    for (x, y) in (0..width).flat_map(|x| (top..height).map(move |y| (x, y))) {
        picture.put_pixel(x, y, Rgb([255; 3]));
    }
    let size = (height / 12).max(8);
    write(&mut picture, (width / 20, top + height / 24), width * 9 / 10, size, random);
    DynamicImage::ImageRgb8(picture)
}

/// Rotates around the middle; corners are black.
fn rotated(picture: &DynamicImage, degrees: f32) -> DynamicImage {
    let picture = picture.to_rgb8();
    let (width, height) = picture.dimensions();
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let (middle_x, middle_y) = (width as f32 / 2.0, height as f32 / 2.0);
    let rotated = RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (x as f32 + 0.5 - middle_x, y as f32 + 0.5 - middle_y);
        let across = cosine * x - sine * y + middle_x - 0.5;
        let down = sine * x + cosine * y + middle_y - 0.5;
        imageops::interpolate_bilinear(&picture, across, down).unwrap_or(Rgb([0; 3]))
    });
    DynamicImage::ImageRgb8(rotated)
}

/// Returns a page of text, 1,200 x 1,600 pixels, with the picture in a column of 400.
fn page(picture: &DynamicImage, random: &[u8; 32]) -> DynamicImage {
    let mut page = RgbImage::from_pixel(1_200, 1_600, Rgb([250; 3]));
    let height = (picture.height() * 400 / picture.width()).clamp(1, 1_000);
    let picture = picture.resize_exact(400, height, FilterType::CatmullRom).to_rgb8();
    write(&mut page, (80, 60), 900, 40, random);
    let lines = |page: &mut RgbImage, x: u32, from: u32, to: u32, width: u32| {
        for y in (from..to).step_by(28) {
            write(page, (x, y), width, 16, &content_digest(&[random[0], (y / 28) as u8]));
        }
    };
    lines(&mut page, 80, 150, 300, 1_040);
    lines(&mut page, 520, 320, 320 + height.max(200), 600);
    imageops::overlay(&mut page, &picture, 80, 320);
    lines(&mut page, 80, 350 + height.max(200), 1_540, 1_040);
    DynamicImage::ImageRgb8(page)
}

/// Writes a line of made-up letters of strokes.
fn write(picture: &mut RgbImage, (x, y): (u32, u32), width: u32, size: u32, random: &[u8; 32]) {
    let (wide, thick) = ((size * 2 / 3).max(3), (size / 7).max(1));
    for letter in 0..width / (wide + thick) {
        let shape = content_digest(&[random[1], random[2], (letter % 251) as u8])[0];
        if shape.is_multiple_of(6) {
            continue; // between words
        }
        let (left, right) =
            (x + letter * (wide + thick), x + letter * (wide + thick) + wide - thick);
        let mut stroke = |from: (u32, u32), to: (u32, u32)| {
            for (x, y) in (from.0..to.0).flat_map(|x| (from.1..to.1).map(move |y| (x, y))) {
                if x < picture.width() && y < picture.height() {
                    picture.put_pixel(x, y, Rgb([30; 3]));
                }
            }
        };
        let strokes = [
            ((left, y), (left + thick, y + size)),
            ((right, y), (right + thick, y + size)),
            ((left, y), (right, y + thick)),
            ((left, y + size / 2), (right, y + size / 2 + thick)),
            ((left, y + size - thick), (right, y + size)),
        ];
        for (bit, (from, to)) in strokes.into_iter().enumerate() {
            if shape >> (bit + 3) & 1 == 1 || bit == usize::from(shape & 1) {
                stroke(from, to);
            }
        }
    }
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
