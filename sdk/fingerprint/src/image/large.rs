//! Pictures of more pixels than are decoded in color: JPEG by its brightness, PNG row by row. Both keep a
//! picture of about a thousand pixels a side.

use std::io::{BufRead, Seek};

use ::image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageError as DecodeError, ImageFormat, RgbImage,
    RgbaImage,
    error::{DecodingError, ImageFormatHint},
    metadata::Orientation,
};
use png::{ColorType, Transformations};
use zune_jpeg::{
    JpegDecoder,
    zune_core::{colorspace::ColorSpace, options::DecoderOptions},
};

use super::{ImageError, MAX_PIXELS};

/// Maximum number of pixels of a sequential JPEG, or of a PNG without interlacing: 768 MiB in RGB.
const MAX_LARGE_PIXELS: u64 = 256 * 1_024 * 1_024;
/// The same of a progressive JPEG, whose coefficients are kept: six bytes a pixel at most.
const MAX_PROGRESSIVE_PIXELS: u64 = 128 * 1_024 * 1_024;
/// Sides are reduced to at least this, pixels.
const REDUCED_SIDE: u32 = 1_024;

/// Picture at a reduced scale.
pub struct Reduced {
    pub image: DynamicImage,
    /// Pixels of the whole picture.
    pub width: u32,
    /// Pixels of the whole picture.
    pub height: u32,
    pub orientation: Orientation,
}

/// Decodes the brightness of a JPEG: a byte a pixel. Those in other color spaces than YCbCr take three.
///
/// # Errors
/// [`ImageError`].
pub fn jpeg(source: impl BufRead + Seek) -> Result<Reduced, ImageError> {
    let unreadable = |error| unreadable(ImageFormat::Jpeg, error);
    let options = DecoderOptions::default().set_strict_mode(false);
    let options = options.set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(source, options);
    decoder.decode_headers().map_err(unreadable)?;
    let (Some(info), Some(colors)) = (decoder.info(), decoder.input_colorspace()) else {
        return Err(damaged(ImageFormat::Jpeg));
    };
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let is_progressive = info.sof.is_progressive();
    ImageError::check_pixels(
        width,
        height,
        if is_progressive { MAX_PROGRESSIVE_PIXELS } else { MAX_LARGE_PIXELS },
    )?;
    let is_gray = matches!(colors, ColorSpace::YCbCr | ColorSpace::Luma);
    let wanted = if is_gray { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let length = decoder.output_buffer_size().ok_or_else(|| damaged(ImageFormat::Jpeg))?;
    let mut pixels = vec![0; length];
    decoder.decode_into(&mut pixels).map_err(unreadable)?;
    let image = match is_gray {
        true => GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
        false => RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
    };
    let image = image.ok_or_else(|| damaged(ImageFormat::Jpeg))?;
    let image = image.thumbnail(REDUCED_SIDE, REDUCED_SIDE);
    let orientation = info.exif_data.as_deref().and_then(Orientation::from_exif_chunk);
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    Ok(Reduced { image, width, height, orientation })
}

/// Decodes a PNG without interlacing, row by row.
///
/// # Errors
/// [`ImageError`].
pub fn png(source: impl BufRead + Seek) -> Result<Reduced, ImageError> {
    let unreadable = |error| unreadable(ImageFormat::Png, error);
    let mut decoder = png::Decoder::new(source);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    // They inflate to any size.
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder.read_info().map_err(unreadable)?;
    let (width, height) = reader.info().size();
    let most = if reader.info().interlaced { MAX_PIXELS } else { MAX_LARGE_PIXELS };
    ImageError::check_pixels(width, height, most)?;
    let exif = reader.info().exif_metadata.as_deref();
    let orientation = exif.and_then(Orientation::from_exif_chunk);
    let (color, _) = reader.output_color_type();
    let channels = color.samples();
    let mut reduction = Reduction::new(width, height, channels);
    while let Some(row) = reader.next_row().map_err(unreadable)? {
        reduction.add(row.data());
    }
    let (across, down) = (reduction.width, reduction.height);
    let pixels = reduction.pixels;
    let image = match color {
        ColorType::Grayscale => {
            GrayImage::from_raw(across, down, pixels).map(DynamicImage::ImageLuma8)
        }
        ColorType::GrayscaleAlpha => {
            GrayAlphaImage::from_raw(across, down, pixels).map(DynamicImage::ImageLumaA8)
        }
        ColorType::Rgb => RgbImage::from_raw(across, down, pixels).map(DynamicImage::ImageRgb8),
        ColorType::Rgba => RgbaImage::from_raw(across, down, pixels).map(DynamicImage::ImageRgba8),
        ColorType::Indexed => None, // expanded
    };
    let image = image.ok_or_else(|| damaged(ImageFormat::Png))?;
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    Ok(Reduced { image, width, height, orientation })
}

/// Picture whose pixels are the means of squares. Columns and rows beyond the last whole square are left out.
struct Reduction {
    factor: usize,
    channels: usize,
    width: u32,
    height: u32,
    /// Sums of the squares that the last rows are part of.
    sums: Vec<u32>,
    rows: usize,
    pixels: Vec<u8>,
}

impl Reduction {
    fn new(width: u32, height: u32, channels: usize) -> Self {
        let factor = (width.min(height) / REDUCED_SIDE).max(1);
        let (width, height) = (width / factor, height / factor);
        let factor = factor as usize; // at most 256
        let sums = vec![0; width as usize * channels];
        Self { factor, channels, width, height, sums, rows: 0, pixels: Vec::new() }
    }

    fn add(&mut self, row: &[u8]) {
        let squares = row.chunks_exact(self.factor * self.channels);
        for (square, sums) in squares.zip(self.sums.chunks_exact_mut(self.channels)) {
            for pixel in square.chunks_exact(self.channels) {
                sums.iter_mut().zip(pixel).for_each(|(sum, level)| *sum += u32::from(*level));
            }
        }
        self.rows += 1;
        if self.rows == self.factor {
            let area = (self.factor * self.factor) as u32; // at most 65,536
            // A mean of levels is a level.
            self.pixels.extend(self.sums.iter().map(|sum| (sum / area) as u8));
            self.sums.fill(0);
            self.rows = 0;
        }
    }
}

fn unreadable(
    format: ImageFormat,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ImageError {
    let hint = ImageFormatHint::Exact(format);
    ImageError::Unreadable(DecodeError::Decoding(DecodingError::new(hint, error)))
}

fn damaged(format: ImageFormat) -> ImageError {
    unreadable(format, "it has other pixels than it declares")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use ::image::Rgb;

    use super::*;
    use crate::{Scheme, distance, image::Seen};

    fn picture() -> DynamicImage {
        DynamicImage::ImageRgb8(RgbImage::from_fn(2_200, 2_100, |x, y| {
            let (x, y) = (x as f32 / 220.0, y as f32 / 210.0);
            let level = (x * 1.7).sin() * (y * 1.3).cos() * 80.0 + (x * y * 0.4).sin() * 40.0;
            Rgb([(level + 120.0) as u8, (y * 20.0) as u8, (x * 22.0) as u8])
        }))
    }

    fn coded(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn reduced_picture_has_the_fingerprint() {
        let expected = Seen::new(&picture()).unwrap().fingerprint();
        let (across, down) = (coded(ImageFormat::Jpeg), coded(ImageFormat::Png));
        for reduced in [jpeg(Cursor::new(across)).unwrap(), png(Cursor::new(down)).unwrap()] {
            assert_eq!((reduced.width, reduced.height), (2_200, 2_100));
            let side = reduced.image.width().max(reduced.image.height());
            assert!((1_024..1_200).contains(&side), "{side}");
            let found = Seen::new(&reduced.image).unwrap().fingerprint();
            let apart = distance(&expected, &found).unwrap();
            assert!(apart <= Scheme::ImageBlocks.radius() / 2, "{apart}");
        }
    }

    #[test]
    fn torn_large_picture_is_rejected() {
        let bytes = coded(ImageFormat::Png);
        let torn = png(Cursor::new(&bytes[..bytes.len() / 2]));
        assert!(matches!(torn, Err(ImageError::Unreadable(_))));
        let empty = jpeg(Cursor::new(b"\xFF\xD8\xFF"));
        assert!(matches!(empty, Err(ImageError::Unreadable(_))));
    }

    #[test]
    fn reduction_is_the_mean_of_squares() {
        let mut reduction = Reduction::new(2_049, 2_048, 1);
        for row in 0..2_048 {
            reduction.add(&vec![if row % 2 == 0 { 10 } else { 21 }; 2_049]);
        }
        assert_eq!((reduction.width, reduction.height), (1_024, 1_024));
        assert_eq!(reduction.pixels, vec![15; 1_024 * 1_024]);
    }
}
