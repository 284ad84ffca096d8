//! Stand-in for an image model: small pictures determined by a palette and a request.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage, imageops::FilterType};

const SIDE: u32 = 32;

/// Colors of a picture's four quarters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette([Rgb<u8>; 4]);

impl Palette {
    /// Palette for works whose content is not available.
    pub const PLAIN: Self =
        Self([Rgb([24, 40, 72]), Rgb([240, 196, 92]), Rgb([196, 72, 60]), Rgb([236, 232, 220])]);

    /// Returns the palette of an encoded picture, or `None` if it cannot be decoded.
    pub fn from_picture(picture: &[u8]) -> Option<Self> {
        let picture = image::load_from_memory(picture).ok()?;
        let quarters = picture.resize_exact(2, 2, FilterType::Triangle).into_rgb8();
        let at = |x, y| *quarters.get_pixel(x, y);
        Some(Self([at(0, 0), at(1, 0), at(0, 1), at(1, 1)]))
    }

    /// Renders a PNG in these colors, different for each request.
    pub fn render(&self, request_digest: &[u8; 32]) -> Vec<u8> {
        let [bend, tilt, ..] = *request_digest;
        let picture = RgbImage::from_fn(SIDE, SIDE, |x, y| {
            let wave = (x * u32::from(bend % 7 + 1) + y * u32::from(tilt % 5 + 1)) % SIDE;
            let grain = u32::from(request_digest[((x + y * SIDE) % 32) as usize] % 12);
            self.blend((x + wave) % SIDE, y, grain)
        });
        let mut bytes = Cursor::new(Vec::new());
        // Writing to memory succeeds.
        let _ = picture.write_to(&mut bytes, ImageFormat::Png);
        bytes.into_inner()
    }

    fn blend(&self, x: u32, y: u32, grain: u32) -> Rgb<u8> {
        let weights = [(SIDE - x) * (SIDE - y), x * (SIDE - y), (SIDE - x) * y, x * y]; // sum: SIDE^2
        let channel = |channel: usize| {
            let mixed: u32 = self
                .0
                .iter()
                .zip(weights)
                .map(|(color, weight)| u32::from(color[channel]) * weight)
                .sum();
            (mixed / (SIDE * SIDE) + grain).min(255) as u8
        };
        Rgb([channel(0), channel(1), channel(2)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rendering_depends_on_its_request_alone() {
        let (one, other) = (Palette::PLAIN.render(&[1; 32]), Palette::PLAIN.render(&[2; 32]));
        assert!(image::load_from_memory(&one).is_ok());
        assert_eq!(one, Palette::PLAIN.render(&[1; 32]));
        assert_ne!(one, other);
    }
}
