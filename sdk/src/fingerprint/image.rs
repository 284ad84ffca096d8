use std::io::Cursor;

use ::image::{ImageDecoder, ImageFormat, ImageReader, Limits};
use image_hasher::{HashAlg, HasherConfig};
use licensing::Fingerprint;

use super::Scheme;

const MAX_SIDE: u32 = 16_384;
const MAX_PIXELS: u64 = 64 * 1_024 * 1_024;
const MAX_DECODER_BYTES: u64 = 512 * 1_024 * 1_024;

/// Why an image cannot be fingerprinted.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Neither PNG, JPEG, GIF nor WebP.
    #[error("not an image in a known format; use PNG, JPEG, GIF or WebP")]
    UnknownFormat,
    /// Larger than is safe to decode.
    #[error(
        "{width} x {height} pixels are too many; at most {MAX_PIXELS} in all and {MAX_SIDE} a side"
    )]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The format is known, the bytes are broken.
    #[error("unreadable image: {0}")]
    Unreadable(#[source] ::image::ImageError),
}

/// What was seen in an image's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The format's media type.
    pub media_type: &'static str,
    /// Under [`Scheme::ImageGradient`].
    pub fingerprint: Fingerprint,
}

/// Decodes an image within fixed limits and fingerprints it.
///
/// # Errors
/// [`ImageError`]; dimensions are checked before any pixel is decoded.
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

    let decoder = reader.into_decoder().map_err(ImageError::Unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || width.max(height) > MAX_SIDE {
        return Err(ImageError::TooLarge { width, height });
    }
    let image = ::image::DynamicImage::from_decoder(decoder).map_err(ImageError::Unreadable)?;
    let hasher = HasherConfig::new().hash_alg(HashAlg::Gradient).hash_size(16, 16).to_hasher();
    let hash = hasher.hash_image(&image);
    let mut bits = [0; 32];
    let length = hash.as_bytes().len().min(bits.len());
    bits[..length].copy_from_slice(&hash.as_bytes()[..length]);
    let fingerprint = Fingerprint { scheme: Scheme::ImageGradient as u16, bits };
    Ok(Decoded { width, height, media_type: format.to_mime_type(), fingerprint })
}

#[cfg(test)]
mod tests {
    use ::image::{DynamicImage, Rgb, RgbImage};

    use super::*;
    use crate::fingerprint::distance;

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

    #[test]
    fn a_smaller_jpeg_of_a_picture_is_near_it_and_another_picture_is_far() {
        let original = decode_image(&encoded(&picture(2), ImageFormat::Png)).unwrap();
        let smaller = picture(2).resize(240, 160, ::image::imageops::FilterType::Triangle);
        let smaller = decode_image(&encoded(&smaller, ImageFormat::Jpeg)).unwrap();
        let other = decode_image(&encoded(&picture(5), ImageFormat::Png)).unwrap();
        let near = distance(&original.fingerprint, &smaller.fingerprint).unwrap();
        let far = distance(&original.fingerprint, &other.fingerprint).unwrap();
        assert!(near < 20 && far > 60, "near {near}, far {far}");
    }

    #[test]
    fn bytes_that_are_no_image_are_refused_by_name() {
        assert!(matches!(decode_image(b"weights"), Err(ImageError::UnknownFormat)));
        let png = encoded(&picture(2), ImageFormat::Png);
        let torn = decode_image(&png[..png.len() / 2]);
        assert!(matches!(torn, Err(ImageError::Unreadable(_))));
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        let mut png = encoded(&picture(2), ImageFormat::Png);
        // IHDR: width and height stand at 16 and 20, its checksum at 29.
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
