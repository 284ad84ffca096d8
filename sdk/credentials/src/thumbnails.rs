//! Small pictures of a picture, made where it is decoded.

use std::{
    borrow::Cow,
    io::{Cursor, Read, Write},
    process::Stdio,
};

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder,
    metadata::Orientation,
};
use motif_fingerprint::essential_png;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::timeout,
};

use super::{
    sandbox::confine,
    worker::{DecodingWorker, WALL, WorkerError},
};

/// Variable that makes a worker process answer with pictures.
const VARIABLE: &str = "MOTIF_DECODE_THUMBNAILS";
const LARGE_SIDE: u32 = 1_024;
const SMALL_SIDE: u32 = 256;
const QUALITY: u8 = 82;
/// Maximum dimensions: 64 Mi pixels, which take at most 512 MiB (RGBA of 16 bits).
const MAX_SIDE: u32 = 8_192;
const MAX_DECODER_BYTES: u64 = 512 * 1_024 * 1_024;
const MAX_ANSWER_BYTES: u64 = 4 * 1_024 * 1_024;
/// Maximum length of content.
const MAX_BYTES: u64 = 4 * 1_024 * 1_024;

/// A picture, encoded anew as JPEG: nothing else of the original is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnails {
    /// At most 1,024 pixels a side.
    pub large: Vec<u8>,
    /// At most 256 pixels a side.
    pub small: Vec<u8>,
}

impl DecodingWorker {
    /// Decodes a PNG, JPEG or WebP of at most 4 MiB and encodes it anew.
    ///
    /// # Errors
    /// [`WorkerError`].
    pub async fn thumbnails(&self, content: Vec<u8>) -> Result<Thumbnails, WorkerError> {
        match self {
            Self::Here => {
                let made = tokio::task::spawn_blocking(move || thumbnails(&content));
                let made = made.await.map_err(|_| WorkerError::TooCostly)?;
                made.map_err(WorkerError::Refused)
            }
            Self::Process { program, arguments } => {
                let mut command = Command::new(program);
                command.args(arguments).env_clear().env(VARIABLE, "1");
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
                command.kill_on_drop(true);
                // Dropping the child kills it.
                let asked = timeout(WALL, ask(command, content)).await;
                asked.unwrap_or(Err(WorkerError::TooCostly))
            }
        }
    }
}

async fn ask(mut command: Command, content: Vec<u8>) -> Result<Thumbnails, WorkerError> {
    let failed = |error: std::io::Error| WorkerError::Failed(error.to_string());
    let mut child = command.spawn().map_err(failed)?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(WorkerError::Failed("it has no pipes".to_owned()));
    };
    let give = async move {
        // A dead worker reads nothing; its exit status is checked below.
        let _ = stdin.write_all(&content).await;
        let _ = stdin.shutdown().await;
    };
    let mut answer = Vec::new();
    let mut stdout = stdout.take(MAX_ANSWER_BYTES);
    let (_, read) = tokio::join!(give, stdout.read_to_end(&mut answer));
    read.map_err(failed)?;
    let status = child.wait().await.map_err(failed)?;
    if status.code().is_none() {
        return Err(WorkerError::TooCostly);
    }
    let refused = || WorkerError::Refused("the picture cannot be decoded".to_owned());
    if !status.success() {
        return Err(refused());
    }
    read_answer(&answer).ok_or_else(refused)
}

/// Runs the worker process if its starter wants pictures: reads content from stdin and writes them to
/// stdout. Returns whether it did.
///
/// # Errors
/// Those of the pipes, of confining the process, and of the picture.
pub fn serve_thumbnails() -> std::io::Result<bool> {
    if std::env::var_os(VARIABLE).is_none() {
        return Ok(false);
    }
    confine()?;
    let mut content = Vec::new();
    std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut content)?;
    let made = thumbnails(&content).map_err(std::io::Error::other)?;
    let mut stdout = std::io::stdout().lock();
    let length = u32::try_from(made.large.len()).map_err(std::io::Error::other)?;
    stdout.write_all(&length.to_le_bytes())?;
    stdout.write_all(&made.large)?;
    stdout.write_all(&made.small)?;
    stdout.flush()?;
    Ok(true)
}

/// Reads what a worker wrote; `None` if it is no two JPEGs. The worker may have been taken over by the
/// content.
fn read_answer(answer: &[u8]) -> Option<Thumbnails> {
    let (length, rest) = answer.split_first_chunk()?;
    let (large, small) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let are_jpegs = [large, small].iter().all(|bytes| bytes.starts_with(&[0xFF, 0xD8, 0xFF]));
    are_jpegs.then(|| Thumbnails { large: large.to_vec(), small: small.to_vec() })
}

fn thumbnails(content: &[u8]) -> Result<Thumbnails, String> {
    if content.len() as u64 > MAX_BYTES {
        return Err("the picture is too large".to_owned());
    }
    let (picture, orientation) = decode(content)?;
    // Turned when it is small.
    let mut large = reduced(picture, LARGE_SIDE);
    large.apply_orientation(orientation);
    let small = reduced(large.clone(), SMALL_SIDE);
    Ok(Thumbnails { large: encode(&large)?, small: encode(&small)? })
}

/// Returns a picture of at most `side` pixels a side.
fn reduced(picture: DynamicImage, side: u32) -> DynamicImage {
    match picture.width().max(picture.height()) > side {
        true => picture.thumbnail(side, side),
        false => picture,
    }
}

fn encode(picture: &DynamicImage) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    let encoded = flattened(picture).write_with_encoder(encoder);
    encoded.map(|()| bytes).map_err(|error| error.to_string())
}

/// Returns the picture on white, because JPEG has no transparency.
fn flattened(picture: &DynamicImage) -> DynamicImage {
    let mut flat = picture.to_rgba8();
    for pixel in flat.pixels_mut() {
        let alpha = u16::from(pixel[3]);
        for channel in 0..3 {
            let on_white = (u16::from(pixel[channel]) * alpha + 255 * (255 - alpha)) / 255;
            pixel[channel] = u8::try_from(on_white).unwrap_or(u8::MAX);
        }
        pixel[3] = u8::MAX;
    }
    DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(flat).into_rgb8())
}

fn decode(content: &[u8]) -> Result<(DynamicImage, Orientation), String> {
    let format = image::guess_format(content).ok();
    let content = match format {
        Some(ImageFormat::Png) => {
            let essential = essential_png(Cursor::new(content));
            Cow::Owned(essential.map_err(|error| error.to_string())?)
        }
        _ => Cow::Borrowed(content),
    };
    let known = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP];
    let format = format.filter(|format| known.contains(format));
    let format = format.ok_or("expected PNG, JPEG or WebP")?;
    let mut reader = ImageReader::with_format(Cursor::new(&content[..]), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_SIDE {
        return Err(format!("{width} x {height} pixels are too many"));
    }
    let orientation = decoder.orientation().map_err(|error| error.to_string())?;
    let decoded = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string());
    Ok((decoded?, orientation))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let picture = DynamicImage::new_rgba8(width, height);
        picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        bytes
    }

    #[test]
    fn picture_is_encoded_anew_and_bounded() {
        let mut content = png(2_000, 500);
        content.extend_from_slice(b"<script>alert(1)</script>");
        let made = thumbnails(&content).unwrap();
        for (bytes, side) in [(&made.large, 1_024), (&made.small, 256)] {
            let read = image::load_from_memory(bytes).unwrap();
            assert_eq!((read.width(), read.height()), (side, side / 4));
            assert!(!bytes.windows(7).any(|window| window == b"<script"));
        }
    }

    #[test]
    fn largest_documented_picture_is_encoded() {
        let gray = DynamicImage::new_luma8(MAX_SIDE, MAX_SIDE);
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let mut bytes = Vec::new();
            gray.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
            let made = thumbnails(&bytes).unwrap();
            let read = image::load_from_memory(&made.large).unwrap();
            assert_eq!((read.width(), read.height()), (1_024, 1_024));
        }
    }

    #[test]
    fn turned_picture_stands_upright() {
        let mut bytes = png(40, 20);
        // Orientation 6: turned by a quarter.
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        bytes.splice(33..33, chunk(b"eXIf", exif));
        let made = thumbnails(&bytes).unwrap();
        let read = image::load_from_memory(&made.small).unwrap();
        assert_eq!((read.width(), read.height()), (20, 40));
    }

    #[test]
    fn inflating_profile_is_left_out() {
        // Inflates to 630 MiB: one zero, and then 258 times the byte before, again and again.
        let zero = [0x78, 0x9C, 0x00, 0x01, 0x00, 0xFE, 0xFF, 0x00];
        let repeat = [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0];
        let mut bits = [1, 1, 0].into_iter().chain(repeat.into_iter().cycle());
        let mut byte = || (0..8).fold(0, |byte, at| byte | bits.next().unwrap() << at);
        let mut profile = b"profile\0\0".to_vec();
        profile.extend(zero);
        profile.extend(std::iter::repeat_with(&mut byte).take(4_000_000));
        let mut bytes = png(40, 20);
        bytes.splice(33..33, chunk(b"iCCP", &profile));
        let began = std::time::Instant::now();
        thumbnails(&bytes).unwrap();
        let taken = began.elapsed();
        assert!(taken < std::time::Duration::from_secs(1), "{taken:?}");
    }

    /// Returns a chunk of a PNG, with the CRC-32 of its specification, annex D.
    fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let named = [&name[..], data].concat();
        let checksum = !named.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
            })
        });
        let length = data.len() as u32;
        [&length.to_be_bytes()[..], &named, &checksum.to_be_bytes()].concat()
    }

    #[test]
    fn other_content_is_refused() {
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
        for content in [&svg[..], b"GIF89a", b"", &png(2, 2)[..20], &png(8_193, 1)] {
            assert!(thumbnails(content).is_err());
        }
        assert_eq!(read_answer(b"\x04\x00\x00\x00<svg<svg"), None);
        assert_eq!(read_answer(b"\xFF\xFF\xFF\xFFrest"), None);
    }
}
