use std::io::Cursor;

use ::image::{
    DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, Luma, Rgba,
    imageops::{self, FilterType},
};
use image_hasher::{HashAlg, HasherConfig, ImageHash};
use motif_interface::licensing::Fingerprint;

use super::{Scheme, blocks, none};

const MAX_SIDE: u32 = 16_384;
const MAX_PIXELS: u64 = 64 * 1_024 * 1_024;
const MAX_DECODER_BYTES: u64 = 512 * 1_024 * 1_024;

/// Maximum side of the compared image, pixels; fingerprints use no finer detail.
const SEEN_SIDE: u32 = 256;
/// Minimum contrast, grey levels; images below are plain.
const MIN_CONTRAST: u8 = 8;
/// Probed crops, thousandths of a side.
const GUESSED_CROP: [u32; 2] = [50, 100];

/// Errors of image fingerprinting.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Error returned when the format is not PNG, JPEG, GIF or WebP.
    #[error("unknown image format: expected PNG, JPEG, GIF or WebP")]
    UnknownFormat,
    /// Error returned when the dimensions exceed the limit.
    #[error(
        "{width} x {height} pixels are too many; at most {MAX_PIXELS} in all and {MAX_SIDE} a side"
    )]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Error returned when the content is corrupt.
    #[error("corrupt image: {0}")]
    Unreadable(#[source] ::image::ImageError),
}

/// Decoded and fingerprinted image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Media type.
    pub media_type: &'static str,
    /// Fingerprint under [`Scheme::ImageBlocks`], or [`Scheme::ImageFrequency`] for images with
    /// large plain surfaces; none for plain images.
    pub fingerprint: Fingerprint,
    /// Fingerprints to search for this image, images that it is a small crop of, and small crops of
    /// it, under every image scheme.
    pub probes: Vec<Fingerprint>,
}

/// Decodes and fingerprints an image, or the first frame of an animation, within fixed limits.
///
/// # Errors
/// [`ImageError`]; dimensions are checked before pixels are decoded.
pub fn decode_image(bytes: &[u8]) -> Result<Decoded, ImageError> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|_| ImageError::UnknownFormat)?;
    let format = reader.format().ok_or(ImageError::UnknownFormat)?;
    let known = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];
    if !known.contains(&format) {
        return Err(ImageError::UnknownFormat);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);

    let mut decoder = reader.into_decoder().map_err(ImageError::Unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || width.max(height) > MAX_SIDE {
        return Err(ImageError::TooLarge { width, height });
    }
    let orientation = decoder.orientation().map_err(ImageError::Unreadable)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(ImageError::Unreadable)?;
    let gradient = gradient(&image);
    image.apply_orientation(orientation);
    let media_type = format.to_mime_type();
    let (mut fingerprint, mut probes) = (none(), Vec::new());
    if let Some(seen) = Seen::new(&image) {
        (fingerprint, probes) = (seen.fingerprint(), seen.probes());
        probes.push(gradient);
    }
    Ok(Decoded { width, height, media_type, fingerprint, probes })
}

/// Preprocessed image.
#[derive(Clone, Debug)]
pub struct Seen(GrayImage);

impl Seen {
    /// Preprocesses an image; returns `None` if it is plain.
    pub fn new(image: &DynamicImage) -> Option<Self> {
        let is_large = image.width().max(image.height()) > SEEN_SIDE;
        let seen = match is_large {
            true => brightness(&image.thumbnail(SEEN_SIDE, SEEN_SIDE)),
            false => brightness(image),
        };
        has_contrast(&seen).then_some(Self(seen))
    }

    /// Returns the fingerprint to register: under [`Scheme::ImageBlocks`], or
    /// [`Scheme::ImageFrequency`] for images with large plain surfaces.
    pub fn fingerprint(&self) -> Fingerprint {
        blocks::fingerprint(&self.0).unwrap_or_else(|| frequencies(&self.0))
    }

    /// Returns the probes under both schemes: the image itself, and as a crop of or an original for
    /// another image.
    ///
    /// Under [`Scheme::ImageFrequency`] these are the image without its border, and with a
    /// reflected border, on all sides or at one corner.
    pub fn probes(&self) -> Vec<Fingerprint> {
        let mut probes = blocks::probes(&self.0);
        probes.push(frequencies(&self.0));
        for crop in GUESSED_CROP {
            probes.push(frequencies(&cut(&self.0, crop)));
            for (left, top) in [(1, 1), (0, 0), (2, 0), (0, 2), (2, 2)] {
                probes.push(frequencies(&bordered(&self.0, crop, left, top)));
            }
        }
        probes
    }
}

/// Returns the luminance, on a white background.
pub(crate) fn brightness(image: &DynamicImage) -> GrayImage {
    if !image.color().has_alpha() {
        return image.to_luma8();
    }
    let mut image = image.to_rgba8();
    for Rgba([red, green, blue, alpha]) in image.pixels_mut() {
        let cover = u32::from(*alpha);
        for channel in [red, green, blue] {
            let covered = u32::from(*channel) * cover + 255 * (255 - cover);
            *channel = (covered / 255) as u8; // at most 255
        }
        *alpha = 255;
    }
    DynamicImage::ImageRgba8(image).to_luma8()
}

fn has_contrast(image: &GrayImage) -> bool {
    let levels = || image.pixels().map(|Luma([level])| *level);
    let (darkest, brightest) = (levels().min().unwrap_or(0), levels().max().unwrap_or(0));
    brightest - darkest >= MIN_CONTRAST
}

/// Returns the center of the image, `thousandths` smaller.
fn cut(image: &GrayImage, thousandths: u32) -> GrayImage {
    let (width, height) = image.dimensions();
    let (off_width, off_height) = (width * thousandths / 1_000, height * thousandths / 1_000);
    let (kept_width, kept_height) = ((width - off_width).max(1), (height - off_height).max(1));
    imageops::crop_imm(image, off_width / 2, off_height / 2, kept_width, kept_height).to_image()
}

/// Returns the image with a reflected border of `thousandths`. Left and top take 0, 1 or 2 halves
/// of the border.
fn bordered(image: &GrayImage, thousandths: u32, left: u32, top: u32) -> GrayImage {
    let (width, height) = image.dimensions();
    let added = |side: u32| side * thousandths / (1_000 - thousandths);
    let (added_width, added_height) = (added(width), added(height));
    let (before, above) = (added_width * left / 2, added_height * top / 2);
    GrayImage::from_fn(width + added_width, height + added_height, |x, y| {
        *image.get_pixel(reflected(x, before, width), reflected(y, above, height))
    })
}

/// Maps a position on the bordered side to the side.
fn reflected(place: u32, before: u32, side: u32) -> u32 {
    let place = place.abs_diff(before); // left of the side is as far right of its edge
    let last = side - 1;
    if place > last { last - (place - last).min(last) } else { place }
}

fn gradient(image: &DynamicImage) -> Fingerprint {
    let hasher = HasherConfig::new().hash_alg(HashAlg::Gradient).hash_size(16, 16).to_hasher();
    fingerprint(Scheme::ImageGradient, &hasher.hash_image(image))
}

/// Returns the fingerprint under [`Scheme::ImageFrequency`]. The thumbnail is made here, so that
/// changes in the hasher cannot change registered bits.
fn frequencies(image: &GrayImage) -> Fingerprint {
    let thumbnail = imageops::resize(image, 32, 32, FilterType::Triangle);
    let hasher = HasherConfig::new().hash_alg(HashAlg::Median).preproc_dct().hash_size(16, 16);
    fingerprint(Scheme::ImageFrequency, &hasher.to_hasher().hash_image(&thumbnail))
}

fn fingerprint(scheme: Scheme, hash: &ImageHash) -> Fingerprint {
    let mut bits = [0; 32];
    let length = hash.as_bytes().len().min(bits.len());
    bits[..length].copy_from_slice(&hash.as_bytes()[..length]);
    Fingerprint { scheme: scheme as u16, bits }
}

#[cfg(test)]
mod tests {
    use ::image::{Rgb, RgbImage};

    use super::*;
    use crate::distance;

    fn picture(seed: u32) -> DynamicImage {
        let waves = |x: u32, y: u32| {
            let (x, y, seed) = (x as f32 / 37.0, y as f32 / 23.0, seed as f32);
            let level = (x * seed).sin() + (y + seed).cos() + (x * y / seed).sin();
            Rgb([(level * 40.0 + 120.0) as u8, (y * 9.0) as u8, (x * 11.0) as u8])
        };
        DynamicImage::ImageRgb8(RgbImage::from_fn(480, 320, waves))
    }

    fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn decoded(image: &DynamicImage, format: ImageFormat) -> Decoded {
        decode_image(&encoded(image, format)).unwrap()
    }

    /// Returns the distance of the nearest probe.
    fn nearest(registered: &Decoded, asked: &Decoded) -> u32 {
        let distances =
            asked.probes.iter().filter_map(|probe| distance(probe, &registered.fingerprint));
        distances.min().unwrap()
    }

    #[test]
    fn smaller_jpeg_is_near_its_original() {
        let original = decoded(&picture(2), ImageFormat::Png);
        let smaller = picture(2).resize(240, 160, FilterType::Triangle);
        let near = nearest(&original, &decoded(&smaller, ImageFormat::Jpeg));
        let far = nearest(&original, &decoded(&picture(5), ImageFormat::Png));
        assert!(near <= Scheme::ImageBlocks.radius() / 2, "near {near}");
        assert!(far > 60, "far {far}");
    }

    #[test]
    fn crop_is_found_in_both_directions() {
        let whole = decoded(&picture(3), ImageFormat::Png);
        let radius = Scheme::ImageBlocks.radius();
        for (left, top) in [(12, 8), (24, 16), (0, 0)] {
            let crop = picture(3).crop_imm(left, top, 456, 304);
            let crop = decoded(&crop, ImageFormat::Jpeg);
            let asked = nearest(&whole, &crop);
            assert!(asked <= radius, "{asked} for a crop at {left}, {top}");
        }
        let even = decoded(&picture(3).crop_imm(12, 8, 456, 304), ImageFormat::Png);
        assert!(nearest(&even, &whole) <= radius);
    }

    #[test]
    fn first_scheme_works_are_still_probed() {
        let decoded = decoded(&picture(2), ImageFormat::Png);
        let old = decoded.probes.iter().find(|probe| probe.scheme == 1).unwrap();
        assert_eq!(*old, gradient(&picture(2)));
    }

    #[test]
    fn plain_image_has_no_fingerprint() {
        let plain = DynamicImage::ImageRgb8(RgbImage::from_pixel(90, 60, Rgb([200, 30, 90])));
        let seen = decoded(&plain, ImageFormat::Png);
        assert_eq!((seen.fingerprint, &seen.probes[..]), (none(), &[][..]));
    }

    #[test]
    fn invalid_image_is_rejected() {
        assert!(matches!(decode_image(b"weights"), Err(ImageError::UnknownFormat)));
        let png = encoded(&picture(2), ImageFormat::Png);
        let torn = decode_image(&png[..png.len() / 2]);
        assert!(matches!(torn, Err(ImageError::Unreadable(_))));
    }

    #[test]
    fn decompression_bomb_is_rejected() {
        let mut png = encoded(&picture(2), ImageFormat::Png);
        // IHDR: width and height at 16 and 20, checksum at 29.
        png[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
        let checksum = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&checksum.to_be_bytes());
        assert!(decode_image(&png).is_err());
    }

    /// CRC-32 as in the PNG specification, annex D.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
            })
        })
    }
}
