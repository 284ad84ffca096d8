//! Pictures: decoders with limits, and their fingerprints.

mod blocks;
mod chunks;
mod large;

use std::io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom};

use ::image::{
    DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, Luma, Rgba,
    imageops::{self, FilterType},
    metadata::Orientation,
};
use image_hasher::{HashAlg, HasherConfig, ImageHash};
use motif_interface::licensing::Fingerprint;

use self::large::Reduced;
use super::{MAX_CONTENT_BYTES, Scheme, none};

pub use self::chunks::essential_png;

const MAX_SIDE: u32 = 16_384;
/// Maximum number of pixels that are decoded whole. JPEG and PNG may have more.
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
    #[error("{width} x {height} pixels are too many: at most {max_pixels} in such a file")]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Limit of the format: 256 Mi for JPEG (progressive 128 Mi) and PNG (interlaced 64 Mi), and else
        /// 64 Mi with at most 16,384 a side.
        max_pixels: u64,
    },
    /// Error returned when a GIF or WebP exceeds 64 MiB.
    #[error("image of {0} bytes is too large to decode: at most {MAX_CONTENT_BYTES} are allowed")]
    TooLong(u64),
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
    read_image(Cursor::new(bytes))
}

/// As [`decode_image`], from a source of any length, such as a file. JPEG and PNG of more than 64 Mi pixels or
/// 64 MiB are decoded at a reduced scale. Decoding takes at most 1.25 GiB of memory.
///
/// # Errors
/// [`ImageError`]; [`ImageError::Unreadable`] if the source cannot be read.
pub fn read_image(mut source: impl Read + Seek) -> Result<Decoded, ImageError> {
    let unreadable = |error| ImageError::Unreadable(::image::ImageError::IoError(error));
    let size = source.seek(SeekFrom::End(0)).map_err(unreadable)?;
    source.rewind().map_err(unreadable)?;
    let mut source = BufReader::new(source);
    let reader = ImageReader::new(&mut source).with_guessed_format();
    let format = reader.map_err(|_| ImageError::UnknownFormat)?.format();
    let known = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];
    let format = format.filter(|format| known.contains(format));
    let format = format.ok_or(ImageError::UnknownFormat)?;
    let media_type = format.to_mime_type();
    if size <= MAX_CONTENT_BYTES as u64 {
        source.rewind().map_err(unreadable)?;
        let whole = match format {
            ImageFormat::Png => {
                let essential = essential_png(&mut source).map_err(unreadable)?;
                decode_whole(Cursor::new(essential), format)?
            }
            _ => decode_whole(&mut source, format)?,
        };
        if let Some(decoded) = whole {
            return Ok(decoded);
        }
    }
    source.rewind().map_err(unreadable)?;
    let Reduced { image, width, height, orientation } = match format {
        ImageFormat::Jpeg => large::jpeg(source)?,
        ImageFormat::Png => large::png(source)?,
        _ => return Err(ImageError::TooLong(size)),
    };
    Ok(Decoded::new(image, orientation, (width, height), media_type))
}

/// Decodes an image of at most 64 Mi pixels; returns `None` for larger ones that are decoded at a reduced scale.
fn decode_whole(
    source: impl BufRead + Seek,
    format: ImageFormat,
) -> Result<Option<Decoded>, ImageError> {
    let mut reader = ImageReader::with_format(source, format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(ImageError::Unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || width.max(height) > MAX_SIDE {
        return match format {
            ImageFormat::Png | ImageFormat::Jpeg => Ok(None),
            _ => Err(ImageError::TooLarge { width, height, max_pixels: MAX_PIXELS }),
        };
    }
    let orientation = decoder.orientation().map_err(ImageError::Unreadable)?;
    let image = DynamicImage::from_decoder(decoder).map_err(ImageError::Unreadable)?;
    Ok(Some(Decoded::new(image, orientation, (width, height), format.to_mime_type())))
}

impl ImageError {
    fn check_pixels(width: u32, height: u32, max_pixels: u64) -> Result<(), Self> {
        if u64::from(width) * u64::from(height) > max_pixels {
            return Err(Self::TooLarge { width, height, max_pixels });
        }
        Ok(())
    }
}

impl Decoded {
    fn new(
        mut image: DynamicImage,
        orientation: Orientation,
        (width, height): (u32, u32),
        media_type: &'static str,
    ) -> Self {
        let gradient = gradient(&image);
        image.apply_orientation(orientation);
        let (mut fingerprint, mut probes) = (none(), Vec::new());
        if let Some(seen) = Seen::new(&image) {
            (fingerprint, probes) = (seen.fingerprint(), seen.probes());
            probes.push(gradient);
        }
        Self { width, height, media_type, fingerprint, probes }
    }
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

    /// Returns a PNG with other dimensions in its header.
    fn with_size(mut png: Vec<u8>, width: u32, height: u32) -> Vec<u8> {
        // IHDR: width and height at 16 and 20, checksum at 29.
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let checksum = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&checksum.to_be_bytes());
        png
    }

    #[test]
    fn decompression_bomb_is_rejected() {
        let png = encoded(&picture(2), ImageFormat::Png);
        assert!(decode_image(&with_size(png, 60_000, 60_000)).is_err());
    }

    /// Returns a chunk of a PNG.
    fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let named = [&name[..], data].concat();
        let (length, checksum) = (data.len() as u32, crc32(&named));
        [&length.to_be_bytes()[..], &named, &checksum.to_be_bytes()].concat()
    }

    /// Returns a stream of zlib that inflates to 165 times its length: one zero, repeated.
    fn bomb(length: usize) -> Vec<u8> {
        let zero = [0x78, 0x9C, 0x00, 0x01, 0x00, 0xFE, 0xFF, 0x00];
        // A block of fixed codes, all for 258 bytes at distance 1.
        let repeat = [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0];
        let mut bits = [1, 1, 0].into_iter().chain(repeat.into_iter().cycle());
        let byte = || (0..8).fold(0, |byte, at| byte | bits.next().unwrap() << at);
        zero.into_iter().chain(std::iter::repeat_with(byte).take(length)).collect()
    }

    /// Inserts chunks after the header of a PNG.
    fn with_chunks(png: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
        [&png[..33], &chunks.concat(), &png[33..]].concat()
    }

    #[test]
    fn inflating_chunks_are_left_out() {
        let png = encoded(&picture(2), ImageFormat::Png);
        let expected = decode_image(&png).unwrap();
        // 630 MiB each.
        let bomb = bomb(4_000_000);
        let profile = chunk(b"iCCP", &[&b"profile\0\0"[..], &bomb].concat());
        let text = chunk(b"zTXt", &[&b"Comment\0\0"[..], &bomb].concat());
        let unicode = chunk(b"iTXt", &[&b"XML:com.adobe.xmp\0\x01\0\0\0"[..], &bomb].concat());
        let hostile = with_chunks(&png, &[profile, text, unicode]);
        let began = std::time::Instant::now();
        assert_eq!(decode_image(&hostile).unwrap(), expected);
        let taken = began.elapsed();
        assert!(taken < std::time::Duration::from_secs(1), "{taken:?}");
        let profile = chunk(b"iCCP", &[&b"profile\0\0"[..], &bomb].concat());
        assert!(large::png(Cursor::new(with_chunks(&png, &[profile]))).is_ok());
    }

    #[test]
    fn essential_chunks_are_kept() {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(vec![1, 2, 3, 4, 5, 6]);
        encoder.set_trns(vec![7]);
        encoder.write_header().unwrap().write_image_data(&[0, 1]).unwrap();
        let exif = chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0\0\0\0\0");
        let kept = with_chunks(&bytes, &[exif]);
        let text = chunk(b"tEXt", b"Comment\0a comment");
        let junk = vec![chunk(b"gAMA", &[0, 0, 0, 1]); 1_000].concat();
        let mut whole = with_chunks(&kept, &[text, junk]);
        whole.extend_from_slice(b"what follows");
        assert_eq!(essential_png(Cursor::new(&whole)).unwrap(), kept);
        for torn in [&whole[..10], &whole[..36], &whole[..50], b""] {
            let essential = essential_png(Cursor::new(torn)).unwrap();
            assert!(torn.starts_with(&essential), "{}", torn.len());
        }
    }

    /// Returns a PNG of 1 bit a pixel, which is all header.
    fn large_png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, 8);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&vec![0x55; width.div_ceil(8) as usize * 8]).unwrap();
        writer.finish().unwrap();
        with_size(bytes, width, height)
    }

    #[test]
    fn picture_of_a_hundred_megapixels_is_read() {
        let mut bytes = Vec::new();
        let (width, height) = (11_648, 8_736);
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let rows = (0..height).map(|row| if row % 3_000 < 1_500 { 0 } else { 0xFF });
        let pixels: Vec<u8> =
            rows.flat_map(|level| std::iter::repeat_n(level, width as usize / 8)).collect();
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&pixels).unwrap();
        writer.finish().unwrap();
        let seen = decode_image(&bytes).unwrap();
        assert_eq!((seen.width, seen.height, seen.media_type), (width, height, "image/png"));
        assert_ne!(seen.fingerprint, none());
    }

    #[test]
    fn larger_picture_is_named_with_its_limit() {
        let refused = decode_image(&large_png(20_000, 14_000));
        assert!(matches!(refused, Err(ImageError::TooLarge { max_pixels: 268_435_456, .. })));
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
